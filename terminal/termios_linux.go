package terminal

import "golang.org/x/sys/unix"

// termios_linux.go owns the terminal calls of Linux.

// The requests that read and set a terminal's modes.
const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)
