//go:build !linux

package venuekey

import "os"

// allocate gives a file its blocks on the disk by writing them.
func allocate(file *os.File, size int64) error { return fill(file, size) }
