package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// exec_windows.go owns running a program in this one's place.

// become runs another program and waits for it, because Windows cannot replace a process.
// The console sends Ctrl-C to both, and the program decides what it means.
func become(path string, args, environ []string) (int, error) {
	signal.Ignore(os.Interrupt)
	command := &exec.Cmd{Path: path, Args: args, Env: environ, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	err := command.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return ended.ExitCode(), nil
	}
	return 0, err
}
