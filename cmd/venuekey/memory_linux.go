package main

import "syscall"

// memory_linux.go owns keeping this process's memory to itself.

// keepMemoryPrivate sees that no core is written of this process, which would hold
// the secrets that it holds, and that other programs of the same user can read
// neither its memory nor its environment (prctl(2), PR_SET_DUMPABLE). No limit is
// touched, so a program that takes this one's place has its own: an execve sets the
// flag back. GOTRACEBACK=crash in the environment cannot be lowered by a program,
// hence not there.
func keepMemoryPrivate() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0) // without it all else is as it was
}

// restoreLimits has nothing to restore.
func restoreLimits() {}
