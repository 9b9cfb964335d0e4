//go:build (!unix && !windows) || solaris || aix

package filelock

import (
	"errors"
	"os"
)

// filelock_other.go owns systems without such locks: what two programs could have is nobody's.

// Try always fails.
func Try(*os.File) (bool, error) {
	return false, errors.New("this system has no lock that ends with the program")
}
