//go:build !linux

package venuekey

import "os"

// reserve_other.go owns room for the reserve where it has to be written.

// allocate gives a file its blocks on the disk by writing them.
func allocate(file *os.File, size int64) error { return fill(file, size) }
