package key

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// disk_test.go owns what programs leave in the folder that were killed.

// A program that was killed while it wrote leaves a draft, which may hold a key:
// the next one removes it, whatever it does.
func TestDraftsOfKilledProgramsGo(t *testing.T) {
	c := config(t)
	mustCreate(t, c, ChoiceFile)
	for _, name := range []string{".key.json-1.new", ".seal-0123456789abcdef.key-1.new", ".seal-0123456789abcdef.wrapped-1.new"} {
		if err := os.WriteFile(c.path(name), []byte("key"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := c.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(c.path(".*")); len(left) != 0 && runtime.GOOS != "windows" { // where age decides
		t.Errorf("%q", left)
	}
}
