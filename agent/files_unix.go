//go:build unix

package agent

import "syscall"

// files_unix.go owns what files have, and how many of them a process may have open, on Unix.

// hasModes says that files have modes and types.
const hasModes = true

// mostFiles is that number, of which Go's runtime has raised the soft limit to the hard one.
func mostFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return int(min(uint64(limit.Cur), 1<<20))
}
