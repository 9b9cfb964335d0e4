package own

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// folder.go owns creating folders that survive a power cut.

// makeAll creates a private folder, and missing ones above it.
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
	// Another program created it, and flushes it.
	if info, unseen := os.Stat(path); unseen == nil && info.IsDir() {
		return nil
	}
	return err
}
