// Package own checks that a folder or a file is under this user's control, before
// anything in it is trusted or written.
//
// The rules are those of OpenSSH's StrictModes (sshd_config(5), safe_path in misc.c). A
// folder and a file must belong to this user or to root, and no other user may be able to
// write to them. The same holds for every folder above, up to the home folder if the path
// is inside it, otherwise up to the root: whoever can write to one of them can replace
// ours. Two exceptions apply above the folder itself: a sticky folder like /tmp, in which
// nobody can move another user's files; and a folder that the user's private group can
// write to, as with an umask of 002, if nobody else is in that group. A symbolic link on
// the way must belong to this user or to root.
//
// If all of this holds, no other user can plant or replace anything below, so checking
// first and opening later is not a race. A file is opened first, and then the open file
// is checked.
//
// Modes reflect POSIX access lists, whose mask takes the place of the group's bits. NFSv4
// lists and those of macOS are not checked. On Windows nothing is: a folder in the user's
// profile is private through its access list.
package own

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// own.go owns the exported calls.

// Exposed says why a path is not trusted: what is wrong with it, and how to fix it.
type Exposed struct {
	Path, Reason, Remedy string
}

func (e *Exposed) Error() string { return e.Path + " " + e.Reason + "; " + e.Remedy }

// Folder returns nil for a folder that only this user controls, fs.ErrNotExist if there
// is none and nobody else can create it, and *Exposed if others may have put it there or
// can write to it.
func Folder(path string) error { return folder(path) }

// MakeFolder creates a folder with mode 0700, and missing ones above it. It returns
// *Exposed as Folder does. Files in a folder are lost with it until the folder's own name
// is durable, so each new folder's parent is flushed.
func MakeFolder(path string) error {
	err := Folder(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeAll(path, SyncFolder); err != nil {
		return err
	}
	return Folder(path) // another program may have been faster
}

// Open opens a regular file that belongs to this user or to root, on which other users
// have none of the forbidden permissions. It does not block on a pipe, and does not
// create or write through a link.
func Open(path string, flag int, forbidden fs.FileMode) (*os.File, error) {
	file, err := open(path, flag)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		err = judgeFile(path, info, forbidden)
	}
	if err != nil {
		_ = file.Close() // err says more
		return nil, err
	}
	return file, nil
}

// ErrLong means that a file is longer than the limit of Read.
var ErrLong = errors.New("file is longer than it can be")

// Read reads such a file. If it is longer than most, Read returns the beginning and
// ErrLong.
func Read(path string, most int64, forbidden fs.FileMode) ([]byte, error) {
	file, err := Open(path, os.O_RDONLY, forbidden)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		text, err = text[:most], fmt.Errorf("%s: %w", path, ErrLong)
	}
	return text, err
}

// Named checks a file by its name, for a library that will open it by name and write to
// it: it must be a regular file, not a link, and belong to this user or to root. If alone
// is set, it must have no other name either. A missing file is no error.
func Named(path string, alone bool) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := judgeFile(path, info, 0); err != nil || !alone {
		return err
	}
	return onlyName(path, info)
}

// Follow returns the target of path if that is a link that belongs to this user or to
// root, otherwise path.
func Follow(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return path, nil // opening it reports the error
	}
	if err := ownLink(path, info); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// Given checks an open file that a user named. One without a name was handed over by
// someone who could open it, as shells do with <<END.
func Given(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	if nameless(info) {
		return nil
	}
	return judgeFile(path, info, forbidden)
}

// ReadableByAll reports whether every user of the machine can read a file.
func ReadableByAll(info fs.FileInfo) bool {
	return modes && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 && !nameless(info)
}

// judgeFile checks a file by its attributes.
func judgeFile(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return isLink(path)
	case !info.Mode().IsRegular():
		return &Exposed{path, "is not a file", "move it away"}
	}
	if err := owned(path, info); err != nil {
		return err
	}
	if mode := info.Mode().Perm(); modes && mode&forbidden != 0 {
		return &Exposed{path, fmt.Sprintf("is open to other users (mode %04o)", mode), "run: chmod 600 " + path}
	}
	return nil
}

func isLink(path string) error {
	return &Exposed{path, "is a link, and nothing is written through one", "run: rm " + path}
}
