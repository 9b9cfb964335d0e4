//go:build !windows

package byname

import (
	"os"
	"strconv"
	"syscall"
)

// inherit_unix.go owns open files that were inherited and must not be passed on.

// KeepFromChildren marks a file descriptor close-on-exec.
func KeepFromChildren(number int) { syscall.CloseOnExec(number) }

// KeepAllFromChildren does so for all but the standard streams. Those that this program
// opened are marked already; shells and editors may leave others.
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
