package own

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// folder.go owns making folders that a power cut does not take away again.

// makeAll makes a private folder, and those above it that are missing.
func makeAll(path string, flush func(folder string) error) error {
	err := os.Mkdir(path, 0o700)
	parent := filepath.Dir(filepath.Clean(path))
	if errors.Is(err, fs.ErrNotExist) && parent != path {
		if err := makeAll(parent, flush); err != nil {
			return err
		}
		err = os.Mkdir(path, 0o700)
	}
	if err == nil {
		return flush(parent)
	}
	// Whoever made it, flushes it.
	if info, unseen := os.Stat(path); unseen == nil && info.IsDir() {
		return nil
	}
	return err
}
