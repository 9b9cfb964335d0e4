package backup

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/draft"
)

// file.go owns the file that an export is written into: all of it or nothing.

// ErrNotFile means that what has the file's name is no ordinary file. A device or a
// pipe would be replaced by one, which nobody means.
var ErrNotFile = errors.New("not an ordinary file")

// Replaceable reports whether WriteFile may put a file there: nothing has that name,
// or a file that may be replaced (else it is fs.ErrExist), and not something else
// (ErrNotFile).
func Replaceable(path string, replace bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fileError(err, "name another file")
	case !info.Mode().IsRegular():
		return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Reason: path + " is there and is no ordinary file", Err: ErrNotFile, Remedy: "name another file"}
	case !replace:
		return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Reason: path + " is there already", Err: fs.ErrExist, Remedy: "name another file, or replace it"}
	}
	return nil
}

// WriteFile writes a private file, with mode 0600, under another name and renames it
// when it is on disk: whatever happens on the way, an older one stays whole. An error
// of write is returned as it is.
func WriteFile(path string, replace bool, write func(io.Writer) error) error {
	name := func(from, to string) error {
		if err := Replaceable(path, replace); err != nil { // it may have come meanwhile
			return err
		}
		return fileError(os.Rename(from, to), "name another file")
	}
	var unwritten error
	err := draft.Write(path, "venuekey-backup", name, func(file *os.File) error {
		unwritten = write(file)
		return unwritten
	})
	if unwritten != nil {
		return unwritten
	}
	if _, told := errors.AsType[*venuekey.Error](err); told || err == nil {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) {
		return fileError(err, "free some space")
	}
	return fileError(err, "name a file in a folder that is there and yours")
}

func fileError(err error, remedy string) error {
	if err == nil {
		return nil
	}
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Err: err, Remedy: remedy}
}
