//go:build !windows

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// exec_unix.go owns replacing this process with a program, and signals between the two if it stays.

// become replaces this process with another program, which keeps its process ID and streams.
// It returns only on an error.
func become(path string, args, environ []string) (int, error) {
	restoreLimits()
	return 0, syscall.Exec(path, args, environ)
}

// forwarded are the signals that a program gets in this process's place. One that is ignored, as
// SIGHUP is under nohup, stays so.
func forwarded() (all []os.Signal) {
	for _, one := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2} {
		if !signal.Ignored(one) {
			all = append(all, one)
		}
	}
	return all
}

// isTyped reports whether a terminal sends a signal, to every process of its foreground group.
func isTyped(one os.Signal) bool {
	return one == syscall.SIGINT || one == syscall.SIGQUIT || one == syscall.SIGHUP
}

// isEnd reports whether a signal asks a program to end.
func isEnd(one os.Signal) bool { return one != syscall.SIGUSR1 && one != syscall.SIGUSR2 }

// askToEnd asks a program to end.
func askToEnd(process *os.Process) error { return process.Signal(syscall.SIGTERM) }

// signalCode is the exit code of a program that a signal ended.
func signalCode(state *os.ProcessState) (code int, ok bool) {
	status, known := state.Sys().(syscall.WaitStatus)
	if !known || !status.Signaled() {
		return 0, false
	}
	return 128 + int(status.Signal()), true
}
