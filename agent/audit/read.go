package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"time"
)

// read.go owns reading a log, to its end or on and on.

// followPause is how often Follow looks for more.
const followPause = 250 * time.Millisecond

// Read returns the lines of a log in the order in which they stand. A row that is no line
// yields an error and the sequence continues; any other error ends it. It does not verify.
func Read(path string) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		s, err := snapshot(path)
		if err != nil {
			yield(Line{}, exposed(err))
			return
		}
		defer s.close()
		for _, file := range s.files {
			t := tail{file: file, rows: linesOf(file)}
			if !t.read(math.MinInt64, yield) {
				return
			}
		}
	}
}

// Follow returns the lines after a number, and then each new one until the context ends,
// whether or not there is a log yet. Errors are as with Read.
func Follow(ctx context.Context, path string, after int64) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		var t tail
		defer func() { t.close() }()
		give := func(line Line, err error) bool {
			after = max(after, line.Number)
			return yield(line, err)
		}
		for {
			next, err := t.next(path, after)
			if err != nil {
				yield(Line{}, exposed(err))
				return
			}
			if next.file != nil { // what came before the other name is read to its end
				if !t.read(after, give) {
					next.close()
					return
				}
				t.close()
				t = next
			}
			if !t.read(after, give) {
				return
			}
			if next.file != nil {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(followPause):
			}
		}
	}
}

// tail is a file that is read while it grows.
type tail struct {
	file  *os.File
	rows  *lines
	first int64 // the number of its first line, or of the one that it will be
	row   int
}

func (t *tail) close() {
	if t.file != nil {
		_ = t.file.Close() // it was only read
	}
}

// read yields the lines after a number, as far as they are whole. It reports false if
// nobody wants more.
func (t *tail) read(after int64, yield func(Line, error) bool) bool {
	for t.file != nil {
		text, err := t.rows.next()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			yield(Line{}, err)
			return false
		}
		t.row++
		line, _, err := parse(text)
		if err != nil {
			err = fmt.Errorf("%s, row %d: %w", filepath.Base(t.file.Name()), t.row, err)
		} else if t.row == 1 {
			t.first = line.Number
		}
		if (err != nil || line.Number > after) && !yield(line, err) {
			return false
		}
	}
	return true
}

// next opens the file after this one, or the first that has lines after a number. Without
// one the result has no file.
func (t *tail) next(path string, after int64) (tail, error) {
	files, err := list(path)
	if errors.Is(err, fs.ErrNotExist) {
		return tail{}, nil
	}
	if err != nil {
		return tail{}, err
	}
	for i, of := range files {
		if t.file == nil && i+1 < len(files) && files[i+1].first != current && files[i+1].first <= after+1 {
			continue // all of it comes before
		}
		if t.file != nil && of.first <= t.first {
			continue
		}
		file, err := openToRead(of.path)
		if errors.Is(err, fs.ErrNotExist) {
			return tail{}, nil // it got another name just now
		}
		if err != nil || t.same(file) {
			if err == nil {
				err = file.Close()
			}
			return tail{}, err
		}
		first := of.first
		if first == current {
			first = after + 1
		}
		return tail{file: file, rows: linesOf(file), first: first}, nil
	}
	return tail{}, nil
}

// same reports whether a file is the one that is read.
func (t *tail) same(file *os.File) bool {
	if t.file == nil {
		return false
	}
	a, err := t.file.Stat()
	if err != nil {
		return false
	}
	b, err := file.Stat()
	return err == nil && os.SameFile(a, b)
}
