//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package terminal

import (
	"context"
	"errors"
	"os"
)

// wait_other.go owns the systems on which a read cannot be interrupted.

// ends are the signals that end a program.
func ends() []os.Signal { return []os.Signal{os.Interrupt} }

// ready reports that these systems cannot wait for input without reading it.
func ready(context.Context, *os.File) error { return errors.ErrUnsupported }

func hide(int) (restore func() error, err error) { return nil, errors.ErrUnsupported }
