package terminal

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/term"
)

// terminal.go owns what is known of the terminal itself.

// Of gives the descriptor of a stream that a person sits at.
func Of(stream any) (fd int, ok bool) {
	file, ok := stream.(*os.File)
	if !ok {
		return 0, false
	}
	fd = int(file.Fd())
	return fd, term.IsTerminal(fd)
}

// Width is how many columns a terminal has, 0 where nobody knows.
func Width(stream any) int {
	fd, ok := Of(stream)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(fd)
	if err != nil {
		return 0
	}
	return width
}

// ErrInterrupted is a question that a signal ended.
var ErrInterrupted = errors.New("interrupted")

// untilSignal gives a context that Ctrl-C ends: a program that it killed while
// nothing is shown would leave the terminal so. Whoever else listens for the
// signal is given a moment to say so by the context.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, ends()...)
	go func() {
		select {
		case <-arrived:
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			cancel(ErrInterrupted)
		case <-ctx.Done():
		}
		signal.Stop(arrived)
	}()
	return ctx, func() { cancel(context.Canceled) }
}
