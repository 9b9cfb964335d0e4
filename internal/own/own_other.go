//go:build !unix

package own

import (
	"io/fs"
	"os"
	"syscall"
)

// own_other.go owns the systems on which file modes mean nothing.

const modes = false

func folder(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
	}
	return err
}

func owned(string, fs.FileInfo) error { return nil }

// Trusts is true: users have no numbers here.
func Trusts(int) bool { return true }

func ownLink(string, fs.FileInfo) error { return nil }

func onlyName(string, fs.FileInfo) error { return nil }

func nameless(fs.FileInfo) bool { return false }

func open(path string, flag int) (*os.File, error) { return os.OpenFile(path, flag, 0o600) }

// SyncFolder does nothing: Windows has no such call and needs none.
func SyncFolder(string) error { return nil }
