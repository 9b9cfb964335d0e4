package main

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps Ctrl-C from a program.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// endGroup ends a program. What it started goes on: Windows ends no descendants
// with their parent, and its job objects take more than the standard library has.
func endGroup(leader *os.Process) { _ = leader.Kill() }

func groupLives(*os.Process) bool { return false }
