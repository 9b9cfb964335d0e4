//go:build !windows

package main

import (
	"os"
	"strconv"
	"syscall"
)

// inherit_unix.go owns open files that were handed to this program and are not to be
// handed on.

// keepFromChildren closes a file of this process in what it starts.
func keepFromChildren(number int) { syscall.CloseOnExec(number) }

// keepAllFromChildren does so with all but the standard streams. Those that this
// program opened are so already; a shell or an editor leaves others.
func keepAllFromChildren() {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return
	}
	for _, entry := range entries {
		if number, err := strconv.Atoi(entry.Name()); err == nil && number > 2 {
			keepFromChildren(number)
		}
	}
}
