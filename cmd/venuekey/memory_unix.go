//go:build unix && !linux

package main

import "syscall"

// memory_unix.go owns the same where only a limit keeps a core from being written.

// keepMemoryPrivate lowers the limit that may be raised again. become gives it back
// to a program that takes this one's place; a hook or a browser has it.
func keepMemoryPrivate() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) != nil {
		return
	}
	was := limit
	limit.Cur = 0
	if syscall.Setrlimit(syscall.RLIMIT_CORE, &limit) == nil {
		restoreLimits = func() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &was) }
	}
}

// restoreLimits is for a program that takes this one's place.
var restoreLimits = func() {}
