package own

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// Every level that is new is flushed into the one above it, and what is there
// already is left alone.
func TestNewFoldersAreFlushedIntoTheirParents(t *testing.T) {
	base := t.TempDir()
	var flushed []string
	flush := func(folder string) error {
		flushed = append(flushed, folder)
		return nil
	}
	path := filepath.Join(base, "a", "b", "c")
	if err := makeAll(path, flush); err != nil {
		t.Fatal(err)
	}
	want := []string{base, filepath.Join(base, "a"), filepath.Join(base, "a", "b")}
	if !slices.Equal(flushed, want) {
		t.Errorf("flushed %q, want %q", flushed, want)
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
	flushed = nil
	if err := makeAll(path, flush); err != nil || flushed != nil {
		t.Errorf("made again: flushed %q, %v", flushed, err)
	}
	refused := errors.New("no")
	if err := makeAll(filepath.Join(base, "d"), func(string) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("a flush that fails: %v", err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{file, filepath.Join(file, "below")} {
		if err := makeAll(wrong, flush); err == nil {
			t.Errorf("%s is taken for a folder", wrong)
		}
	}
}
