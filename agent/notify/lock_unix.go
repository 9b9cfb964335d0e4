//go:build unix && !solaris && !aix

package notify

import (
	"errors"
	"os"
	"syscall"
)

// lock_unix.go owns that an outbox is of one process. The kernel ends the lock with the process.

// lock locks a file until it is closed, and reports false if another program has.
func lock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
