//go:build unix && !linux

package main

import "syscall"

// memory_unix.go owns the same on other Unix systems, where only a limit prevents core dumps.

// keepMemoryPrivate lowers the soft limit. become restores it for a program that replaces
// this one; a hook or a browser inherits it.
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

// restoreLimits restores the limit for a program that replaces this one.
var restoreLimits = func() {}
