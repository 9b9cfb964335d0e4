//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package terminal

import (
	"context"
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// wait_unix.go owns waiting for a terminal without reading from it, and switching its
// echo off.

// ends are the signals that end a program.
func ends() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// ready waits until a read from a file would not block, or the context ends. It uses
// select rather than poll, which does not support terminals on macOS. It returns
// ErrUnsupported for a descriptor that is too large for select.
func ready(ctx context.Context, file *os.File) error {
	ended, end, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ended.Close()
	stop := context.AfterFunc(ctx, func() { end.Close() })
	defer func() {
		if stop() {
			end.Close()
		}
	}()
	fd, leave := int(file.Fd()), int(ended.Fd())
	if max(fd, leave) >= unix.FD_SETSIZE {
		return errors.ErrUnsupported
	}
	for {
		var set unix.FdSet
		set.Set(fd)
		set.Set(leave)
		_, err := unix.Select(max(fd, leave)+1, &set, nil, nil, nil)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return err
		case set.IsSet(fd):
			return nil
		}
	}
}

// hide switches a terminal's echo off until restore is called.
func hide(fd int) (restore func() error, err error) {
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	silent.Lflag |= unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, setTermios, &silent); err != nil {
		return nil, err
	}
	return func() error { return unix.IoctlSetTermios(fd, setTermios, before) }, nil
}
