package filelock_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/venuekey/venuekey/internal/filelock"
)

// TestALockIsOfOneAndEndsWithItsFile opens one file twice, as two programs would.
func TestALockIsOfOneAndEndsWithItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	opened := func() *os.File {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		return file
	}
	first, second := opened(), opened()
	if free, err := filelock.Try(first); !free || err != nil {
		t.Fatal("the first did not get it:", err)
	}
	if free, err := filelock.Try(second); free || err != nil {
		t.Fatal("the second got it as well, or an error:", free, err)
	}
	if n, err := second.WriteAt([]byte("123\n"), 0); n != 4 || err != nil { // the text is not locked
		t.Error("the text cannot be written:", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if free, err := filelock.Try(second); !free || err != nil {
		t.Error("the lock did not end with its file:", err)
	}
}
