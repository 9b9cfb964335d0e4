package main

import (
	"os"
	"os/exec"
	"syscall"
)

// hook_windows.go owns ending a hook.

// ownGroup keeps Ctrl-C from a program.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// endGroup ends a program. What it started goes on: Windows does not end descendants with
// their parent, and its job objects need more than the standard library has.
func endGroup(leader *os.Process) { _ = leader.Kill() }

func groupLives(*os.Process) bool { return false }
