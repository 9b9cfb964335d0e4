package main

import "errors"

// watch_windows.go owns that there are no signals.

func signalNamed(string) (func(pid int) error, error) {
	return nil, errors.New("this system has no signals: use --exec")
}
