package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// filelock_windows.go owns the lock of LockFileEx.

// Try locks a file until it is closed, and reports false if another process has it. What is
// locked lies beyond the file's end, so that others can read it.
func Try(file *os.File) (bool, error) {
	at := &windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}
