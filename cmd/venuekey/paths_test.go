package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// paths_test.go owns what is promised of folders.

// Every level that "venuekey init" makes is flushed into the one above it, and
// what is there already is left alone.
func TestNewFoldersAreFlushedIntoTheirParents(t *testing.T) {
	base := t.TempDir()
	var flushed []string
	flush := func(folder string) error {
		flushed = append(flushed, folder)
		return nil
	}
	path := filepath.Join(base, ".local", "share", "venuekey")
	if err := makeFolderWith(path, flush); err != nil {
		t.Fatal(err)
	}
	want := []string{base, filepath.Join(base, ".local"), filepath.Join(base, ".local", "share")}
	if !slices.Equal(flushed, want) {
		t.Errorf("flushed %q, want %q", flushed, want)
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
	flushed = nil
	if err := makeFolderWith(path, flush); err != nil || flushed != nil {
		t.Errorf("made again: flushed %q, %v", flushed, err)
	}
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{file, filepath.Join(file, "below")} {
		if err := makeFolderWith(wrong, flush); err == nil {
			t.Errorf("%s is taken for a folder", wrong)
		}
	}
}
