// Package byname opens files that a person names, as arguments or in variables. They
// may be pipes, which shells make of <(…), so that to wait for one must be able to
// end; and what stands in them was for this program, and not for those it starts.
package byname

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/venuekey/venuekey/internal/own"
)

// byname.go owns opening and reading such a file.

// Open opens a file for reading. A pipe without a writer, and a disk that is
// not there, keep it waiting until the context ends; what it opens then is closed
// with this program.
func Open(ctx context.Context, path string) (file *os.File, closed func(), err error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		file, err := os.Open(path)
		done <- opened{file, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, nil, o.err
		}
		// A pipe is waited at no longer than that either. Other files have no deadline.
		stop := context.AfterFunc(ctx, func() { _ = o.file.SetReadDeadline(time.Unix(1, 0)) })
		return o.file, func() { stop(); _ = o.file.Close() }, nil // it was read only
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// longestNamed is more than any secret or certificate takes.
const longestNamed = 1 << 20

// Read reads a file to its end. One that belongs to another user, or that others
// may write to, is refused: whoever writes it chooses what is believed. Pipes, and
// files that have no name any more, were handed over by who could open them.
func Read(ctx context.Context, path string) ([]byte, os.FileInfo, error) {
	file, closed, err := Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	defer closed()
	closeOnExec(path)
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = own.Given(path, info, 0o022)
	}
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, longestNamed+1))
	if err == nil && len(text) > longestNamed {
		err = errors.New(path + " is too long")
	}
	return text, info, err
}

// closeOnExec sees that a file which was handed over by its number does not go on
// to a program that takes this one's place: what stood in it was for us.
func closeOnExec(path string) {
	for _, folder := range []string{"/dev/fd", "/proc/self/fd"} {
		if number, err := strconv.Atoi(filepath.Base(path)); err == nil && number > 2 && filepath.Dir(path) == folder {
			KeepFromChildren(number)
		}
	}
}
