// Package own says whether a folder or a file is this user's alone, before
// anything in it is believed or written.
//
// The rules are those of OpenSSH's StrictModes (sshd_config(5), safe_path in
// misc.c). A folder and a file must belong to this user or to root. Nobody else may
// write to them. The same holds for every folder above, up to the home folder where
// the path lies in that, else up to the root: whoever may write to one of them can
// put another one in the place of ours. Two things are let pass above the folder
// itself. One is a sticky folder like /tmp, in which nobody moves what is another's.
// The other is a folder that the user's private group may write to, which is what an
// umask of 002 makes; nobody else may be in that group. A link on the way must have
// been made by this user or by root.
//
// When all of this holds, nobody else can plant or replace anything below, so that
// looking first and opening then is no race. What is looked at in a folder itself is
// opened first, and then the open file is judged.
//
// Modes show POSIX access lists, whose mask stands in the place of the group's bits.
// NFSv4 lists and those of macOS are not looked at. On Windows nothing is: a folder
// in the user's profile is private by its access list.
package own

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// own.go owns what is asked of this package.

// Exposed is why something is not believed: what is wrong with it, and what helps.
type Exposed struct {
	Path, Reason, Remedy string
}

func (e *Exposed) Error() string { return e.Path + " " + e.Reason + "; " + e.Remedy }

// Folder is nil for a folder that is ours alone, fs.ErrNotExist where there is none
// and nobody else can make one, and *Exposed for one that others may have put there
// or may write to.
func Folder(path string) error { return folder(path) }

// MakeFolder makes a folder with mode 0700, and those above it that are missing, and
// is *Exposed as Folder is. What is flushed inside a folder is lost with it as long
// as the folder has no durable name, so each new one is flushed into its parent.
func MakeFolder(path string) error {
	err := Folder(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeAll(path, SyncFolder); err != nil {
		return err
	}
	return Folder(path) // somebody may have been faster
}

// Open opens a regular file that belongs to this user or to root, on which other
// users have none of the forbidden rights. It does not wait for one that is a pipe,
// and does not create or write through a link.
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
		_ = file.Close() // err tells more
		return nil, err
	}
	return file, nil
}

// ErrLong is a file that is longer than anything that is kept there.
var ErrLong = errors.New("file is longer than it can be")

// Read reads such a file. Of one that is longer than most it gives the beginning,
// and ErrLong.
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

// Named judges a file by its name, for another who will open it by that and write
// to it: it must be a regular one and no link, and belong to this user or to root.
// Where it is to be alone, it must not be the second name of another file either.
// None is no error.
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

// Follow gives the path of a file as it is without a link, where the file's name is
// one that this user or root made.
func Follow(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return path, nil // whoever opens it will see
	}
	if err := ownLink(path, info); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// Given judges a file that somebody named, when it is open. One that has no name any
// more was handed over by somebody who could open it, as shells do with <<END.
func Given(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	if nameless(info) {
		return nil
	}
	return judgeFile(path, info, forbidden)
}

// ReadableByAll is whether every user of the machine can read a file.
func ReadableByAll(info fs.FileInfo) bool {
	return modes && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 && !nameless(info)
}

// judgeFile judges a file by what is known of it.
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
