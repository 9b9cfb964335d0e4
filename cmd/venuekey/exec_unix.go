//go:build !windows

package main

import "syscall"

// become puts another program in the place of this one: it keeps the process,
// its streams and what waits for it. It returns only where that failed.
func become(path string, args, environ []string) (int, error) {
	restoreLimits()
	return 0, syscall.Exec(path, args, environ)
}
