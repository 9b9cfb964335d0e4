//go:build !windows

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup has a program begin a process group.
func ownGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a program and all that it started, save for what left its group.
func endGroup(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }

// groupLives reports whether something of a program's group is left. While it is,
// the system gives its number to nobody else.
func groupLives(leader *os.Process) bool { return syscall.Kill(-leader.Pid, 0) == nil }
