package venuekey

import (
	"os"
	"syscall"
)

// reserve_linux.go owns allocating the reserve with fallocate.

// allocate allocates a file's blocks on the disk. Even file systems that never write in
// place have space for the first write to such blocks.
func allocate(file *os.File, size int64) error {
	if err := syscall.Fallocate(int(file.Fd()), 0, 0, size); err == nil {
		return nil
	}
	return fill(file, size)
}
