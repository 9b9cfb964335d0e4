// Package draft writes files completely or not at all: under a temporary name until all
// content is on disk, and only then under their own. If a writer is killed in between, it
// leaves a draft, which the next writer removes.
//
// A draft is locked as long as its writer lives, so that it is not removed too early. The
// kernel releases the lock when the process ends, however it ends.
package draft

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/venuekey/venuekey/internal/own"
)

// Write creates the private file at path with the content that fill writes. Its draft is
// in the same folder, as ".MARK-*.new". Once everything is on disk, name gives it its
// final name: os.Link refuses to replace a file, os.Rename replaces it. When Write
// returns nil, the name is durable as well.
func Write(path, mark string, name func(draft, path string) error, fill func(*os.File) error) error {
	folder := filepath.Dir(path)
	Sweep(folder, mark)
	file, err := create(folder, mark)
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // does nothing after a rename
	if err = fill(file); err == nil {
		err = file.Sync()
	}
	if err == nil && !locks {
		err = file.Close() // an open file cannot be renamed on these systems
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

// create creates a draft with mode 0600 and locks it. If another program removes it
// before it is locked, create tries again.
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

// stands reports whether an open file is still the one under its name.
func stands(file *os.File) bool {
	open, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(file.Name())
	return err == nil && os.SameFile(open, named)
}

// Sweep removes drafts with these marks, which may be patterns, if their writers are
// dead. Failures are ignored.
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
