package agent

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock_windows.go owns the lock of a file, on Windows.

// hasModes says that files have modes and types.
const hasModes = false

// tryLock takes the lock of a file until it is closed, or its process ends (LockFileEx).
func tryLock(file *os.File) bool {
	// The byte that is locked lies far behind the text, which others may read.
	return windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{Offset: 1 << 20}) == nil
}
