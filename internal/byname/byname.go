// Package byname opens files that a user names in arguments or variables. They may be
// pipes, such as those that shells create for <(…), so waiting for one must be
// interruptible. Their content is meant for this program, and not for the programs that
// it starts.
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

// byname.go owns opening and reading such files.

// Open opens a file for reading. If it blocks, as for a pipe without a writer or an
// unreachable disk, Open returns when the context ends; a file that opens after that is
// closed when the program ends.
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
		// Reads from a pipe end with the context too. Other files have no deadline.
		stop := context.AfterFunc(ctx, func() { _ = o.file.SetReadDeadline(time.Unix(1, 0)) })
		return o.file, func() { stop(); _ = o.file.Close() }, nil // it was only read
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// longestNamed is more than any secret or certificate needs.
const longestNamed = 1 << 20

// Read reads a file to its end. It refuses a file that belongs to another user or that
// others can write to, because its content cannot be trusted. Pipes, and files without a
// name, were handed over by someone who could open them.
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

// closeOnExec makes sure that a file that was handed over by its number is not inherited
// by a program that replaces this one: its content was meant for us.
func closeOnExec(path string) {
	for _, folder := range []string{"/dev/fd", "/proc/self/fd"} {
		if number, err := strconv.Atoi(filepath.Base(path)); err == nil && number > 2 && filepath.Dir(path) == folder {
			KeepFromChildren(number)
		}
	}
}
