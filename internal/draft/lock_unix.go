//go:build unix && !solaris && !aix

package draft

import (
	"errors"
	"os"
	"syscall"
)

// lock_unix.go owns telling the living from the dead where files can be locked.

// locks is whether a living writer can be told by its lock.
const locks = true

// lock reports whether nobody else has the file. Where the file system knows no
// locks, nobody can, and then nothing is ever discarded either.
func lock(file *os.File) bool {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return !errors.Is(err, syscall.EWOULDBLOCK)
}

// discard removes a draft that nobody has locked.
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
		_ = os.Remove(path) // it stays for the next one
	}
}
