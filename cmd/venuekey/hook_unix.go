//go:build !windows

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// hook_unix.go owns the process group of a hook.

// ownGroup makes a program start a new process group.
func ownGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a program and everything it started, except what left its group.
func endGroup(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }

// groupLives reports whether any process of a program's group is left. While one is, the
// system does not reuse the group's number.
func groupLives(leader *os.Process) bool { return syscall.Kill(-leader.Pid, 0) == nil }
