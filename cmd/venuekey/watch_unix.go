//go:build unix

package main

import (
	"errors"
	"strings"
	"syscall"
)

// watch_unix.go owns signals by name.

var signals = map[string]syscall.Signal{"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM}

// signalNamed returns what sends a signal, with SIG before its name or without.
func signalNamed(name string) (func(pid int) error, error) {
	signal, known := signals[strings.TrimPrefix(strings.ToUpper(name), "SIG")]
	if !known {
		return nil, errors.New("a signal is HUP, USR1, USR2, INT or TERM")
	}
	return func(pid int) error { return syscall.Kill(pid, signal) }, nil
}
