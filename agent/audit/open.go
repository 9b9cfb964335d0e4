package audit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/venuekey/venuekey/internal/own"
)

// open.go owns the beginning: where the last program left off, however it ended.

// Open opens the log at a path such as ~/.local/state/venuekey/audit/audit.log, and makes
// it if there is none. A second program gets an error that names the first. What the last
// writer left torn is mended: a line that was not written whole is cut off, and the log
// says so. Lines that the head knows and the file has lost stay missing, so that Verify
// finds them.
func Open(path string, options Options) (*Log, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		err = own.MakeFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, unwritable(path, err)
	}
	head, err := takeHead(path)
	if err != nil {
		return nil, unwritable(path, err)
	}
	l := &Log{path: path, options: options.filled(), head: head, flood: flood{bounded: !options.EveryRefusal}}
	if err := l.resume(); err != nil {
		_ = head.Close() // err says more
		return nil, unwritable(path, err)
	}
	return l, nil
}

// resume finds the end of the log, by the files and by the head.
func (l *Log) resume() error {
	files, err := list(l.path)
	if err != nil {
		return err
	}
	var end ending
	if len(files) > 0 {
		if end, err = endOf(files[len(files)-1].path); err != nil {
			return err
		}
		if len(files) > 1 && end.first == 0 { // killed between two files
			if end.mark, err = lastOf(files[:len(files)-1]); err != nil {
				return err
			}
		}
		if files[len(files)-1].first == current && end.torn > 0 {
			if err := cut(l.path, end); err != nil {
				return err
			}
			l.note("mended: the last line was torn, and %d bytes of it are cut off", end.torn)
		}
	}
	l.begins, l.last, l.first = end.first, end.mark, 1
	if len(files) > 0 && files[0].first != current {
		l.first = files[0].first
	}
	text := readStart(l.head.File)
	h, ok := parseHead(text)
	if ok {
		l.trust(h, end.mark)
	} else if len(text) > 0 || len(files) > 0 {
		l.note("mended: the head could not be read; whether lines were missing at the end is not known")
	}
	return l.head.write(l.first, l.last)
}

// trust goes on from the head if the file has less than the head knows, or something else.
// The next line then fits the line that was lost, and no other.
func (l *Log) trust(h heading, end mark) {
	known, _ := h.mark()
	l.first = h.First
	switch {
	case end.Number < known.Number:
		l.last = known
		l.note("mended: lines %d to %d are missing", end.Number+1, known.Number)
	case end.Number == known.Number && end.Hash != known.Hash:
		l.last = known
		l.note("mended: line %d is not as it was written", known.Number)
	}
}

func (l *Log) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

// ending is how a file ends.
type ending struct {
	mark        // of the last line
	first int64 // the number of the first line; 0 without one
	whole int64 // the bytes of whole lines
	torn  int64 // the bytes after them
}

// endOf reads a file to its end. A line that cannot be read counts, and is what the next
// one has to fit.
func endOf(path string) (e ending, err error) {
	file, err := openToRead(path)
	if err != nil {
		return e, err
	}
	defer file.Close()
	rows := linesOf(file)
	for {
		text, err := rows.next()
		if errors.Is(err, io.EOF) {
			e.whole, e.torn = rows.whole, rows.read-rows.whole
			return e, nil
		}
		if err != nil {
			return e, err
		}
		number := e.Number + 1
		if line, _, err := parse(text); err == nil {
			number = line.Number
		}
		e.mark = mark{max(number, e.Number), sha256.Sum256(text)}
		if e.first == 0 {
			e.first = e.Number
		}
	}
}

// lastOf is the mark of the last line in files, of which the last may be empty.
func lastOf(files []found) (mark, error) {
	for i := len(files) - 1; i >= 0; i-- {
		end, err := endOf(files[i].path)
		if err != nil || end.first > 0 {
			return end.mark, err
		}
	}
	return mark{}, nil
}

// cut cuts a torn line off.
func cut(path string, end ending) error {
	file, _, err := openEnd(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Truncate(end.whole), file.Sync(), file.Close())
}
