package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey/internal/own"
)

// files.go owns the files of a log: their names, their order, and the lines in them.

// found is a file of a log. first is the number of its first line by its name; that which
// is written has none yet, and comes last.
type found struct {
	path  string
	first int64
}

const current = math.MaxInt64

func rotated(path string, first int64) string {
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s-%012d%s", strings.TrimSuffix(path, ext), first, ext)
}

// list returns the files of a log in the order of their lines.
func list(path string) (files []found, err error) {
	if err := own.Folder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	ext := filepath.Ext(path)
	stem := strings.TrimSuffix(filepath.Base(path), ext)
	for _, entry := range entries {
		at := filepath.Join(filepath.Dir(path), entry.Name())
		if at == filepath.Clean(path) {
			files = append(files, found{at, current})
			continue
		}
		middle, ok := strings.CutPrefix(strings.TrimSuffix(entry.Name(), ext), stem+"-")
		if first, err := strconv.ParseInt(middle, 10, 64); ok && err == nil && first > 0 && rotated(path, first) == at {
			files = append(files, found{at, first})
		}
	}
	slices.SortFunc(files, func(a, b found) int {
		if a.first < b.first {
			return -1
		}
		return 1 // no two are the same
	})
	return files, nil
}

// openEnd opens the file that is written, at its end.
func openEnd(path string) (*os.File, int64, error) {
	file, err := own.Open(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o077)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil {
		err = own.SyncFolder(filepath.Dir(path)) // or a new file's lines are lost with its name
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

func openToRead(path string) (*os.File, error) { return own.Open(path, os.O_RDONLY, 0o077) }

// lines reads lines. A line that is longer than any of ours is cut, and counts as one.
type lines struct {
	buffered *bufio.Reader
	// torn is what follows the last line break.
	torn []byte
	// read counts all bytes, and whole those up to the last line break.
	read, whole int64
}

func linesOf(r io.Reader) *lines { return &lines{buffered: bufio.NewReaderSize(r, longestLine+1)} }

// next returns a line without its line break, which is good until the next call; io.EOF
// ends them. What comes later, as with a file that grows, is returned by a later call.
func (l *lines) next() ([]byte, error) {
	text, err := l.buffered.ReadSlice('\n')
	if err == nil && len(l.torn) == 0 {
		l.read += int64(len(text))
		l.whole = l.read
		return text[:len(text)-1], nil
	}
	for {
		l.read += int64(len(text))
		if room := longestLine + 2 - len(l.torn); room > 0 {
			l.torn = append(l.torn, text[:min(room, len(text))]...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
		text, err = l.buffered.ReadSlice('\n')
	}
	if err != nil {
		return nil, err
	}
	whole := l.torn
	l.torn, l.whole = nil, l.read
	return whole[:len(whole)-1], nil
}

func itoa(n int) string { return strconv.Itoa(n) }
