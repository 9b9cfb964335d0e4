//go:build !linux

package venuekey

import "os"

// reserve_other.go owns allocating the reserve on systems without fallocate.

// allocate allocates a file's blocks on the disk by writing them.
func allocate(file *os.File, size int64) error { return fill(file, size) }
