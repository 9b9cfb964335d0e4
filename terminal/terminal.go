package terminal

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/term"
)

// terminal.go owns the properties of the terminal itself, and the signals that end a
// question.

// Of returns the file descriptor of a stream, and reports whether it is a terminal.
func Of(stream any) (fd int, ok bool) {
	file, ok := stream.(*os.File)
	if !ok {
		return 0, false
	}
	fd = int(file.Fd())
	return fd, term.IsTerminal(fd)
}

// Width returns the number of columns of a terminal, 0 if it is unknown.
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

// ErrInterrupted is the cause of a question that was ended by a signal.
var ErrInterrupted = errors.New("interrupted")

// untilSignal returns a context that a signal such as Ctrl-C ends: if it killed the
// program while the echo is off, the terminal would stay that way. Other handlers of the
// signal get a moment to end the context first, with their own cause.
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
