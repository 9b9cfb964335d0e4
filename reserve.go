package venuekey

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/venuekey/venuekey/internal/own"
)

// reserve.go owns the disk space reserved for a spill: a preallocated file in each spill
// folder. When the disk is full, the spill overwrites it in place, which takes no new
// space on most file systems.

const (
	reserveName = ".reserve"
	// reserveSize is several times what a sealed record needs.
	reserveSize = 16 << 10
)

// reserve ensures that each spill folder has its reserve, before a refresh token is
// presented whose answer may need it. A failure is logged; the renewal goes on without.
func (k *Keeper) reserve() {
	for _, folder := range k.Spills {
		path := filepath.Join(folder, reserveName)
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == reserveSize {
			continue
		}
		if err := makeReserve(path); err != nil {
			k.log().Debug("no space could be reserved for a spill", "error", systemError(err))
		}
	}
}

// makeReserve creates the reserve under another name and renames it, so that no program
// uses one whose space is not allocated yet.
func makeReserve(path string) error {
	if err := own.MakeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	draft := path + ".new"
	if info, err := os.Lstat(draft); err == nil && time.Since(info.ModTime()) > time.Minute {
		_ = os.Remove(draft) // its writer was killed
	}
	file, err := os.OpenFile(draft, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = allocate(file, reserveSize)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	return nil
}

// fill gives a file its size by writing to it.
func fill(file *os.File, size int64) error {
	_, err := file.WriteAt(make([]byte, size), 0)
	return err
}

// writeReserved writes a file over the reserve of its folder. The first program to
// rename the reserve owns it. Blanks after the text do no harm in JSON.
func writeReserved(path string, text []byte) error {
	if len(text) > reserveSize {
		return fmt.Errorf("%d bytes are more than the reserve", len(text))
	}
	reserve, draft := filepath.Join(filepath.Dir(path), reserveName), path+".reserve"
	if err := os.Rename(reserve, draft); err != nil {
		return err
	}
	file, err := own.Open(draft, os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteAt(append(text, bytes.Repeat([]byte(" "), reserveSize-len(text))...), 0)
		err = errors.Join(err, file.Sync(), file.Close())
	}
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		if back := os.Rename(draft, reserve); back != nil && !errors.Is(back, fs.ErrNotExist) {
			err = errors.Join(err, back)
		}
		return err
	}
	return own.SyncFolder(filepath.Dir(path))
}
