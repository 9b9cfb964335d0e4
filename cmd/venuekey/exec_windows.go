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

// forwarded are the signals that this process outlives; Windows has one.
func forwarded() []os.Signal { return []os.Signal{os.Interrupt} }

// isTyped reports whether the console sends a signal to every process that it has.
func isTyped(os.Signal) bool { return true }

// isEnd reports whether a signal asks a program to end.
func isEnd(os.Signal) bool { return true }

// askToEnd ends a program: Windows has no signal that asks for it.
func askToEnd(process *os.Process) error { return process.Kill() }

// signalCode is for systems on which a signal ends a program.
func signalCode(*os.ProcessState) (code int, ok bool) { return 0, false }
