package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/venuekey/venuekey"
)

// input.go owns reading lines, typed by a user or written by a program. Nothing is read
// before it is needed, so other readers of the terminal get what is typed for them.

// input is a stream of lines.
type input struct {
	from io.Reader
	// turn holds an item while a line is read: a sign-in that has just ended may not have
	// stopped asking when the next one begins.
	turn chan struct{}
	// Left was read beyond the last line; it may contain a password.
	Left venuekey.Secret
	// skips says that the rest of the current line is discarded.
	skips bool
	// pending is an abandoned read that could not be interrupted.
	pending chan chunk
}

// chunk is the result of one read.
type chunk struct {
	Text venuekey.Secret
	err  error
}

// longestLine is longer than any address that a venue redirects to.
const longestLine = 64 << 10

var errTooLong = errors.New("the line is too long")

// line reads the next line.
func (in *input) line(ctx context.Context) (venuekey.Secret, error) {
	select {
	case in.turn <- struct{}{}:
		defer func() { <-in.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	for {
		if before, after, ok := bytes.Cut([]byte(in.Left), []byte("\n")); ok {
			in.Left = venuekey.Secret(after)
			if in.skips {
				in.skips = false
				continue
			}
			return trimmed(before), nil
		}
		if in.skips {
			in.Left = ""
		}
		if len(in.Left) > longestLine {
			in.Left, in.skips = "", true
			return "", errTooLong
		}
		got := in.read(ctx)
		in.Left += got.Text
		if got.err == nil {
			continue
		}
		if errors.Is(got.err, io.EOF) && in.Left != "" { // the last line needs no end
			last := in.Left
			in.Left = ""
			return trimmed([]byte(last)), nil
		}
		return "", got.err
	}
}

func trimmed(line []byte) venuekey.Secret {
	return venuekey.Secret(bytes.TrimRight(line, "\r\n"))
}

// read waits for the next bytes. It leaves no read behind if the system can wait without
// reading.
func (in *input) read(ctx context.Context) chunk {
	if err := ctx.Err(); err != nil {
		return chunk{err: context.Cause(ctx)}
	}
	if file, ok := in.from.(*os.File); ok && in.pending == nil {
		err := ready(ctx, file)
		if err == nil {
			return readOnce(file)
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			return chunk{err: err}
		}
	}
	if in.pending == nil {
		in.pending = make(chan chunk, 1)
		go func(to chan<- chunk) { to <- readOnce(in.from) }(in.pending)
	}
	select {
	case got := <-in.pending:
		in.pending = nil
		return got
	case <-ctx.Done():
		return chunk{err: context.Cause(ctx)}
	}
}

func readOnce(from io.Reader) chunk {
	buffer := make([]byte, 4096)
	n, err := from.Read(buffer)
	return chunk{venuekey.Secret(buffer[:n]), err}
}

// hidden reads a line that is not shown while it is typed. However it ends, the
// terminal's echo is on again when it returns.
func (in *input) hidden(ctx context.Context) (venuekey.Secret, error) {
	fd, _ := Of(in.from)
	ctx, done := untilSignal(ctx)
	defer done()
	restore, err := hide(fd)
	if errors.Is(err, errors.ErrUnsupported) {
		return readPassword(ctx, fd)
	}
	if err != nil {
		return "", err
	}
	line, err := in.line(ctx)
	return line, errors.Join(err, restore())
}

// readPassword stands in for hidden on systems where a read cannot be interrupted.
func readPassword(ctx context.Context, fd int) (venuekey.Secret, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	read := make(chan chunk, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		read <- chunk{venuekey.Secret(text), err}
	}()
	select {
	case got := <-read:
		return got.Text, got.err
	case <-ctx.Done():
		return "", errors.Join(context.Cause(ctx), term.Restore(fd, before))
	}
}
