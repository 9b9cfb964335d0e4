package key

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/venuekey/venuekey/internal/draft"
	"github.com/venuekey/venuekey/internal/own"
)

// disk.go owns files: private, written completely or not at all, and durable before
// anything relies on them.

// readyFolder creates the folder if it does not exist, and refuses one in which other
// users could replace files.
func readyFolder(dir string) error {
	if dir == "" {
		return errors.New("key folder is not named: set Config.Dir")
	}
	err := ownFolder(dir)
	if errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("key folder %s cannot be created: %w", dir, err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = os.Mkdir(dir, 0o700)
	switch {
	case err == nil:
		err = own.SyncFolder(filepath.Dir(filepath.Clean(dir)))
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("key folder %s cannot be created, there is no folder above it; check the path, or run: mkdir -p %s", dir, filepath.Dir(dir))
	case errors.Is(err, fs.ErrExist):
		err = nil // another program was faster; its folder is checked below
	}
	if err != nil {
		return fmt.Errorf("key folder %s cannot be created: %w", dir, err)
	}
	return ownFolder(dir)
}

// ownFolder refuses a folder in which other users could replace files: an attacker who
// chooses the key can read what is sealed with it. A missing folder is fs.ErrNotExist.
func ownFolder(dir string) error {
	err := own.Folder(dir)
	if info, seen := os.Stat(dir); seen == nil && !info.IsDir() {
		return fmt.Errorf("key folder %s is a file; choose another place", dir)
	}
	if err != nil {
		return fmt.Errorf("key folder: %w", err)
	}
	return nil
}

// largest bounds how many bytes are read; nothing here is longer than a few lines.
const largest = 16 << 10

// readOwn reads a file that belongs to this user and on which other users have none of
// the forbidden permissions.
func readOwn(path string, forbidden fs.FileMode) ([]byte, error) {
	text, err := own.Read(path, largest, forbidden)
	if errors.Is(err, own.ErrLong) {
		return text, nil // truncated text is reported as damaged
	}
	if _, ok := errors.AsType[*own.Exposed](err); ok {
		return nil, fmt.Errorf("key file %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("key file %s cannot be read: %w", path, err)
	}
	return text, nil
}

// writeNew writes a file that must not exist yet; otherwise the error is fs.ErrExist.
func writeNew(path string, text []byte) error { return write(path, text, os.Link) }

// rewrite replaces a file.
func rewrite(path string, text []byte) error { return write(path, text, os.Rename) }

// write writes the text to a temporary file and gives it its final name once the text is
// on disk. Link refuses to replace an existing file, Rename replaces it.
func write(path string, text []byte, name func(from, to string) error) error {
	err := draft.Write(path, filepath.Base(path), name, func(file *os.File) error {
		_, err := file.Write(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("key file %s cannot be written: %w", path, err)
	}
	return nil
}

// sweep removes drafts of programs that were killed while they wrote a key: one may hold
// a key that was meant to be destroyed.
func (c Config) sweep() { draft.Sweep(c.Dir, memoryName, "seal-*") }

// format writes a file that people can recognise and programs can read: a title, comments
// after "#", and lines of "name: value".
func format(title string, remarks []string, fields [][2]string) []byte {
	var b strings.Builder
	fmt.Fprintln(&b, title)
	for _, remark := range remarks {
		fmt.Fprintln(&b, "#", remark)
	}
	for _, field := range fields {
		fmt.Fprintf(&b, "%s: %s\n", field[0], field[1])
	}
	return []byte(b.String())
}

// parse reads what format wrote; ok is false for anything else. The caller checks the
// lengths of the values.
func parse(text []byte, title string) (fields map[string]string, ok bool) {
	fields = map[string]string{}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if i == 0 {
			if line != title {
				return nil, false
			}
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, ": ")
		if _, twice := fields[name]; twice || !found {
			return nil, false
		}
		fields[name] = value
	}
	return fields, true
}
