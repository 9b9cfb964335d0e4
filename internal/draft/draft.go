// Package draft writes files whole or not at all: under another name until all of
// it is on disk, and only then under their own. Whoever is killed in between
// leaves a draft, and whoever comes next removes it.
//
// A draft is locked as long as its writer lives, so that no living one loses its
// own. The lock is the kernel's and ends with the process, however that ends.
package draft

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/venuekey/venuekey/internal/own"
)

// Write makes the file at path private and as fill writes it. Its draft lies
// beside it, as ".MARK-*.new". When all is on disk, name gives it its own name:
// os.Link refuses to replace a file, os.Rename does replace it. When Write
// returns nil, the name is durable as well.
func Write(path, mark string, name func(draft, path string) error, fill func(*os.File) error) error {
	folder := filepath.Dir(path)
	Sweep(folder, mark)
	file, err := create(folder, mark)
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // after a rename there is none
	if err = fill(file); err == nil {
		err = file.Sync()
	}
	if err == nil && !locks {
		err = file.Close() // a file that is open cannot be given another name there
	}
	if err == nil {
		err = name(file.Name(), path)
	}
	if closed := file.Close(); err == nil && !errors.Is(closed, fs.ErrClosed) {
		err = closed
	}
	if err != nil {
		return err
	}
	return own.SyncFolder(folder)
}

// create makes a draft, with mode 0600, and locks it. One that somebody took for
// a dead one's in between is made again.
func create(folder, mark string) (*os.File, error) {
	for {
		file, err := os.CreateTemp(folder, "."+mark+"-*.new")
		if err != nil {
			return nil, err
		}
		if lock(file) && stands(file) {
			return file, nil
		}
		_ = file.Close()
		_ = os.Remove(file.Name())
	}
}

// stands is whether a file that is open is still the one under its name.
func stands(file *os.File) bool {
	open, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(file.Name())
	return err == nil && os.SameFile(open, named)
}

// Sweep removes the drafts whose writers are dead, of these marks, which may be
// patterns. It is no error that it cannot.
func Sweep(folder string, marks ...string) {
	opened, err := os.Open(folder)
	if err != nil {
		return
	}
	names, _ := opened.Readdirnames(-1)
	_ = opened.Close()
	for _, name := range names {
		for _, mark := range marks {
			if fits, _ := filepath.Match("."+mark+"-*.new", name); fits {
				discard(filepath.Join(folder, name))
			}
		}
	}
}
