package venuekey

import (
	"os"
	"syscall"
)

// reserve_linux.go owns room for the reserve where the system can set it aside.

// allocate gives a file its blocks on the disk. File systems that never write in
// place keep the first write to such blocks free of charge.
func allocate(file *os.File, size int64) error {
	if err := syscall.Fallocate(int(file.Fd()), 0, 0, size); err == nil {
		return nil
	}
	return fill(file, size)
}
