package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/serdes"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/draft"
	"github.com/venuekey/venuekey/internal/own"
)

// file.go owns the vault file as a file: its folder, its modes, and its atomic creation.

// posix says whether file modes mean anything. On Windows a folder in the user's profile
// is private through its access list.
const posix = runtime.GOOS != "windows"

// smallest is the size of the smallest possible database.
const smallest = 512

// ready makes sure that there are a folder and a file, and reports whether the log next
// to it is missing, which SQLite will then create.
func ready(ctx context.Context, path string) (noLog bool, err error) {
	if err := readyFolder(path); err != nil {
		return false, err
	}
	there, err := readyFile(path)
	if err == nil {
		err = ownFiles(path)
	}
	if err != nil {
		return false, err
	}
	if !there {
		if err := create(ctx, path); err != nil {
			return false, err
		}
	}
	draft.Sweep(filepath.Dir(path), filepath.Base(path))
	_, err = os.Stat(path + "-wal")
	return err != nil, nil
}

// tighten removes other users' access to the file and its two companions. It runs once
// the file is known to be a vault, so that another program's file is left alone. create
// sets all three modes; this is for later changes.
func tighten(path string, noLog bool) error {
	if !posix {
		return nil
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			err = os.Chmod(name, 0o600)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EROFS) {
			return err
		}
	}
	if !noLog {
		return nil
	}
	// SQLite's flushes are useless until the log has a durable name.
	return own.SyncFolder(filepath.Dir(path))
}

// follow returns the path of the file itself if path is a link to it.
func follow(path string) (string, error) {
	itself, err := own.Follow(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault(path, venuekey.ClassMisconfigured, nil, "is a broken link", "restore the file that it links to, or remove it")
	}
	return itself, exposed(path, err)
}

func readyFolder(path string) error {
	folder := filepath.Dir(path)
	err := own.Folder(folder)
	if errors.Is(err, fs.ErrNotExist) {
		if err = createFolder(path, folder); err == nil {
			err = own.Folder(folder) // another program may have been faster
		}
	}
	if info, seen := os.Stat(folder); seen == nil && !info.IsDir() {
		return fault(path, venuekey.ClassMisconfigured, nil, "has no folder: "+folder+" is a file",
			"choose another place for the vault")
	}
	return exposed(path, err)
}

// exposed turns an error about files that other users can change into one about the
// vault.
func exposed(path string, err error) error {
	if told, ok := errors.AsType[*own.Exposed](err); ok {
		return fault(path, venuekey.ClassMisconfigured, nil, "is not used: "+told.Path+" "+told.Reason, told.Remedy)
	}
	return err
}

func createFolder(path, folder string) error {
	err := os.Mkdir(folder, 0o700)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil // another program was faster
	case errors.Is(err, fs.ErrNotExist):
		return fault(path, venuekey.ClassMisconfigured, nil, "cannot be created: there is no folder "+filepath.Dir(folder),
			"check the path, or run: mkdir -p "+filepath.Dir(folder))
	case err != nil:
		return err
	}
	return own.SyncFolder(filepath.Dir(folder))
}

// ownFiles refuses what others put in the place of the file and of its companions: SQLite
// opens those by their names, and truncates what it finds.
func ownFiles(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		// The file itself has two names while a program creates it.
		if err := own.Named(path+suffix, suffix != ""); err != nil {
			return exposed(path, err)
		}
	}
	return nil
}

// readyFile reports whether the file exists.
func readyFile(path string) (there bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.IsDir():
		return false, fault(path, venuekey.ClassMisconfigured, nil, "is a folder", "give the path of a file, such as "+filepath.Join(path, "vault.db"))
	case !info.Mode().IsRegular():
		return false, fault(path, venuekey.ClassMisconfigured, nil, "is not a file", "choose another place for the vault")
	case info.Size() < smallest:
		// create never exposes such a file, so its content was lost. SQLite would treat
		// it as a new one.
		return false, damaged(path, nil, "is empty or cut short")
	}
	return true, nil
}

// create writes the vault file under a temporary name and links it to its own once it is
// complete and on disk. So a file at path is never incomplete, and if several programs
// start for the first time, one wins and the others use its file.
func create(ctx context.Context, path string) error {
	if err := orphaned(path); err != nil {
		return err
	}
	image, err := blank(ctx)
	if err != nil {
		return err
	}
	err = draft.Write(path, filepath.Base(path), link, func(file *os.File) error {
		if _, err := file.Write(image); err != nil {
			return err
		}
		return errors.Join(touch(path+"-wal"), touch(path+"-shm"))
	})
	if errors.Is(err, fs.ErrExist) {
		return own.SyncFolder(filepath.Dir(path))
	}
	return err
}

// link gives a complete file its name.
func link(draft, path string) error {
	err := os.Link(draft, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fault(path, venuekey.ClassMisconfigured, err, "cannot be created",
			"choose a folder on a local disk, whose file system has hard links")
	}
	return err
}

// touch creates an empty file if there is none, before SQLite creates it readable for
// everyone.
func touch(path string) error {
	file, err := own.Open(path, os.O_CREATE|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return file.Close()
}

// orphaned refuses to create a new file next to the log of one that is gone: SQLite would
// apply the old log to the new file.
func orphaned(path string) error {
	info, err := os.Stat(path + "-wal")
	if err != nil || info.Size() == 0 {
		return nil
	}
	if _, err := os.Stat(path); err == nil {
		return nil // another program has just created it
	}
	return fault(path, venuekey.ClassDamaged, nil, "is gone, but its log "+path+"-wal is there",
		"put the file back; or, if it is lost, move the log away too and sign in again")
}

// blank returns the content of an empty vault file. It is created in memory, so that no
// incomplete file with a log of its own can be left behind.
func blank(ctx context.Context) (image []byte, err error) {
	db, err := sqlite3.OpenFlags(":memory:", sqlite3.OPEN_READWRITE)
	if err != nil {
		return nil, err
	}
	db.SetInterrupt(ctx)
	err = db.Exec(fmt.Sprintf(`BEGIN; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT`,
		schema, applicationID, schemaVersion))
	db.SetInterrupt(context.Background())
	if err == nil {
		image, err = serdes.Serialize(db, "main")
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	// The read and write version: write-ahead log (https://sqlite.org/fileformat.html).
	image[18], image[19] = 2, 2
	return image, nil
}
