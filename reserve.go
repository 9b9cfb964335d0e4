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

// reserve.go owns the space that is kept free for a spill: a file in each spill
// folder that is already on the disk. When the disk is full, the spill is written
// over it in place, which takes no new space on most file systems.

const (
	reserveName = ".reserve"
	// reserveSize is more than a sealed record needs, several times.
	reserveSize = 16 << 10
)

// reserve sees that each spill folder has its reserve, before something is
// presented whose answer may need it. Where that cannot be, it is done without.
func (k *Keeper) reserve() {
	for _, folder := range k.Spills {
		path := filepath.Join(folder, reserveName)
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == reserveSize {
			continue
		}
		if err := makeReserve(path); err != nil {
			k.log().Debug("no space is reserved for a spill", "error", systemError(err))
		}
	}
}

// makeReserve makes the reserve under another name, so that nobody gets one whose
// space is not there yet.
func makeReserve(path string) error {
	if err := own.MakeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	draft := path + ".new"
	if info, err := os.Lstat(draft); err == nil && time.Since(info.ModTime()) > time.Minute {
		_ = os.Remove(draft) // whoever made it was killed
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

// writeReserved writes a file over the reserve of its folder. Whoever renames the
// reserve first has it; blanks behind the text are no harm in JSON.
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
