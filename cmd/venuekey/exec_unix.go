//go:build !windows

package main

import "syscall"

// exec_unix.go owns replacing this process with a program.

// become replaces this process with another program, which keeps its process ID and streams.
// It returns only on an error.
func become(path string, args, environ []string) (int, error) {
	restoreLimits()
	return 0, syscall.Exec(path, args, environ)
}
