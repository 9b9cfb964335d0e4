//go:build !unix || solaris || aix

package draft

import (
	"os"
	"time"
)

// lock_other.go owns how abandoned drafts are recognised by their age: a draft is written
// in a moment.

const (
	locks = false
	// abandoned is an age that no draft of a living writer reaches.
	abandoned = 24 * time.Hour
)

func lock(*os.File) bool { return true }

// discard removes a draft that has not been written to for long.
func discard(path string) {
	info, err := os.Lstat(path)
	if err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > abandoned {
		_ = os.Remove(path) // or the next sweep does
	}
}
