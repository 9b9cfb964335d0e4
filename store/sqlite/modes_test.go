//go:build unix

package sqlite

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/venuekey/venuekey"
)

// modes_test.go owns the modes of the files.

// The widest umask there is makes no difference.
func TestFilesArePrivate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := place(t)
	if err := os.Chmod(filepath.Dir(filepath.Dir(path)), 0o700); err != nil {
		t.Fatal(err)
	}
	fill(t, path, 1)
	modes(t, path)

	// What others did to them since is put right.
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(path+suffix, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, path, 0)
	modes(t, path)

	// So is what another tool made that had deleted them.
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, path, 0)
	modes(t, path)
}

func modes(t *testing.T, path string) {
	t.Helper()
	for name, want := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %04o, want %04o (%v)", name, info.Mode().Perm(), want, err)
		}
	}
}

func TestOpenFolder(t *testing.T) {
	for _, mode := range []os.FileMode{0o777, 0o720, 0o702, 0o755, 0o750} {
		path := place(t)
		fill(t, path, 1)
		if err := os.Chmod(filepath.Dir(path), mode); err != nil {
			t.Fatal(err)
		}
		store, err := Open(t.Context(), path)
		if mode&0o022 != 0 {
			says(t, err, venuekey.ClassMisconfigured, path, "other users may write to", "chmod 700 "+filepath.Dir(path))
		} else if err != nil {
			t.Errorf("open in a folder of mode %04o: %v", mode, err)
		}
		if err == nil {
			_ = store.Close()
		}
	}
}

func TestNotWritable(t *testing.T) {
	for name, close := range map[string]func(path string) error{
		"a file that may only be read":     func(path string) error { return os.Chmod(path, 0o400) },
		"a file that may not even be read": func(path string) error { return os.Chmod(path, 0) },
		"a folder where nothing can be made": func(path string) error {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(path + suffix); err != nil {
					return err
				}
			}
			return os.Chmod(filepath.Dir(path), 0o500)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := place(t)
			asNobody(t, filepath.Dir(filepath.Dir(path)))
			fill(t, path, 1)
			if err := close(path); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(filepath.Dir(path), 0o700)
			_, err := Open(t.Context(), path)
			says(t, err, venuekey.ClassMisconfigured, path, "cannot be written to", "writable")
		})
	}
}
