//go:build (!unix && !windows) || solaris || aix

package notify

import (
	"errors"
	"os"
)

// lock_other.go owns systems without such locks: an outbox that two programs could have is
// none.

func lock(*os.File) (bool, error) {
	return false, errors.New("this system has no lock that ends with the program")
}
