//go:build unix && !solaris && !aix

package draft

import (
	"errors"
	"os"
	"syscall"
)

// lock_unix.go owns how abandoned drafts are recognised by their locks.

// locks says that a living writer is recognised by its lock.
const locks = true

// lock locks a file, and reports false if another process holds it. On a file system
// without locks it reports true, and nothing is ever discarded.
func lock(file *os.File) bool {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return !errors.Is(err, syscall.EWOULDBLOCK)
}

// discard removes a draft that is not locked.
func discard(path string) {
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return
	}
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = os.Remove(path) // or the next sweep does
	}
}
