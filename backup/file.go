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

// file.go owns writing the file of an export: all of it or nothing.

// ErrNotFile means that the path is a device, a pipe or another special file, which
// WriteFile would replace.
var ErrNotFile = errors.New("not an ordinary file")

// Replaceable returns an error if WriteFile must not write a file at path. It is fs.ErrExist
// if there is a file and replace is false, and ErrNotFile if it is not a regular file.
func Replaceable(path string, replace bool) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fileError(err, "name another file")
	case !info.Mode().IsRegular():
		return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Reason: path + " exists and is not a regular file", Err: ErrNotFile, Remedy: "name another file"}
	case !replace:
		return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Reason: path + " exists already", Err: fs.ErrExist, Remedy: "name another file, or replace it"}
	}
	return nil
}

// WriteFile writes a private file with mode 0600. It writes it under another name and renames
// it when it is on disk, so that an older file stays intact until then. An error of write is
// returned as it is; for others see Replaceable.
func WriteFile(path string, replace bool, write func(io.Writer) error) error {
	name := func(from, to string) error {
		if err := Replaceable(path, replace); err != nil { // one may have appeared meanwhile
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
	if _, explained := errors.AsType[*venuekey.Error](err); explained || err == nil {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) {
		return fileError(err, "free some space")
	}
	return fileError(err, "name a file in a folder that exists and is yours")
}

func fileError(err error, remedy string) error {
	if err == nil {
		return nil
	}
	return &venuekey.Error{Op: "backup", Class: venuekey.ClassFailed, Err: err, Remedy: remedy}
}
