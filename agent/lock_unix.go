//go:build unix

package agent

import (
	"os"
	"syscall"
)

// lock_unix.go owns the lock of a file, on Unix.

// hasModes says that files have modes and types.
const hasModes = true

// tryLock takes the lock of a file until it is closed, or its process ends (flock(2)).
func tryLock(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
