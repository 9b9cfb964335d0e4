package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/draft"
	"github.com/venuekey/venuekey/internal/foreign"
)

// fault.go owns the errors for whatever is wrong with the file.

// explain turns an error of SQLite or the system into one that names the file and says
// what to do. The errors that a Store promises are left as they are.
func explain(ctx context.Context, path string, err error) error {
	var known *venuekey.Error
	switch {
	case err == nil, errors.As(err, &known),
		errors.Is(err, venuekey.ErrNotFound), errors.Is(err, venuekey.ErrConflict),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case ctx.Err() != nil && (errors.Is(err, sqlite3.INTERRUPT) || errors.Is(err, sqlite3.BUSY)):
		return ctx.Err() // these are SQLite's words for it
	case errors.Is(err, os.ErrClosed):
		return fault(path, venuekey.ClassFailed, err, "is closed", "")
	case errors.Is(err, sqlite3.NOTADB), errors.Is(err, sqlite3.CORRUPT):
		return damaged(path, err, "is damaged")
	case noSpace(err), errors.Is(err, sqlite3.FULL), errors.Is(err, sqlite3.IOERR) && diskFull(path):
		return fault(path, venuekey.ClassFailed, err, "has no room to grow, the disk is full",
			"free some space and try again; nothing that was stored is lost")
	case readOnlyDisk(path, err):
		return fault(path, venuekey.ClassLater, err, "cannot be written to, its disk is read-only",
			"make the disk writable again, or choose another place; what is stored can still be read")
	case errors.Is(err, sqlite3.PROTOCOL):
		return fault(path, venuekey.ClassFailed, err, "is held by another program that is suspended inside a write",
			"resume the program (fg, or kill -CONT), or end it, then try again")
	case errors.Is(err, sqlite3.BUSY):
		return fault(path, venuekey.ClassFailed, err, fmt.Sprintf("is locked by another program for more than %v", busyTimeout),
			"end the program that hangs, then try again")
	case errors.Is(err, fs.ErrNotExist):
		return fault(path, venuekey.ClassFailed, err, "is gone",
			"put the file back, or restart the program to create an empty one")
	case errors.Is(err, sqlite3.READONLY), errors.Is(err, fs.ErrPermission):
		return fault(path, venuekey.ClassMisconfigured, err, "cannot be written to",
			fmt.Sprintf("make it and its folder %s writable for this user, or choose another place", filepath.Dir(path)))
	}
	return fault(path, venuekey.ClassFailed, err, "could not be used", "")
}

func fault(path string, class venuekey.Class, err error, state, remedy string) error {
	reason := "vault " + path + " " + state
	if err != nil {
		reason += ": " + err.Error()
	}
	return &venuekey.Error{Class: class, Reason: foreign.Fit(reason), Remedy: foreign.Fit(remedy), Err: foreign.FitError(err)}
}

func damaged(path string, err error, state string) error {
	return fault(path, venuekey.ClassDamaged, err, state,
		fmt.Sprintf("restore it from a backup, or move %s, %[1]s-wal and %[1]s-shm away and sign in again; nothing in them was overwritten", path))
}

func strange(path string) error {
	return fault(path, venuekey.ClassMisconfigured, nil, "is not a vault: it is another program's database",
		"choose another place for the vault, or move that file away")
}

func newer(path string, version int64) error {
	return fault(path, venuekey.ClassMisconfigured, nil,
		fmt.Sprintf("was written by a newer venuekey (schema %d; this one knows %d)", version, schemaVersion),
		"update this program")
}

func noSpace(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// diskFull checks whether the folder has room for a few more pages. The driver reports a
// full disk like any other I/O error, and loses the system's error code when it rolls
// back.
func diskFull(path string) bool {
	return noSpace(draft.Write(path, filepath.Base(path),
		func(string, string) error { return errors.New("room enough") },
		func(file *os.File) error {
			_, err := file.Write(make([]byte, 64<<10))
			return err
		}))
}
