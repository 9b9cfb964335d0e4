//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package terminal

import (
	"context"
	"errors"
	"os"
)

// wait_other.go owns what stands in for waiting where a read cannot be given up.

// ends are the signals that end a program.
func ends() []os.Signal { return []os.Signal{os.Interrupt} }

// ready: here nobody can wait for a line without reading it.
func ready(context.Context, *os.File) error { return errors.ErrUnsupported }

func hide(int) (restore func() error, err error) { return nil, errors.ErrUnsupported }
