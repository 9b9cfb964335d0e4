//go:build !windows

package byname

import (
	"os"
	"strconv"
	"syscall"
)

// inherit_unix.go owns open files that were handed to this program and are not to be
// handed on.

// KeepFromChildren closes a file of this process in what it starts.
func KeepFromChildren(number int) { syscall.CloseOnExec(number) }

// KeepAllFromChildren does so with all but the standard streams. Those that this
// program opened are so already; a shell or an editor leaves others.
func KeepAllFromChildren() {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return
	}
	for _, entry := range entries {
		if number, err := strconv.Atoi(entry.Name()); err == nil && number > 2 {
			KeepFromChildren(number)
		}
	}
}
