package main

import "syscall"

// memory_linux.go owns keeping this process's memory private, on Linux.

// keepMemoryPrivate prevents core dumps of this process, which would hold its secrets, and
// keeps other programs of the same user from reading its memory and environment (prctl(2),
// PR_SET_DUMPABLE). It changes no limit, and execve resets the flag, so a program that
// replaces this one is not affected. It does not help against GOTRACEBACK=crash in the
// environment, which a program cannot lower.
func keepMemoryPrivate() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0) // if it fails, everything else still works
}

// restoreLimits does nothing: no limit was changed.
func restoreLimits() {}
