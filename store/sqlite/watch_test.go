package sqlite

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// watch_test.go owns what a watch does about files that are large, and about
// files that go and come.

// told watches until the test ends and gives what it is told.
func told(t *testing.T, store *Store) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	keys, ended := make(chan string, 1000), make(chan error, 1)
	go func() { ended <- store.Watch(ctx, func(key string) { keys <- key }) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	hears(t, keys, "")
	return keys
}

// hears waits for one of the keys.
func hears(t *testing.T, told <-chan string, keys ...string) {
	t.Helper()
	for late := time.After(10 * time.Second); ; {
		select {
		case key := <-told:
			if slices.Contains(keys, key) {
				return
			}
			t.Errorf("watch told of %q, want one of %q", key, keys)
		case <-late:
			t.Fatalf("watch did not tell of %q", keys)
		}
	}
}

// A watch of another program names what changed, and only that.
func TestWatchNames(t *testing.T) {
	path := place(t)
	watched, writer := openVault(t, path), openVault(t, path)
	for i := range 3 {
		if _, err := writer.Put(t.Context(), venuekey.Record{Key: fmt.Sprint("k", i)}); err != nil {
			t.Fatal(err)
		}
	}
	keys := told(t, watched)
	version, err := writer.Put(t.Context(), venuekey.Record{Key: "new"})
	if err != nil {
		t.Fatal(err)
	}
	hears(t, keys, "new")
	if err := writer.Delete(t.Context(), "new", version); err != nil {
		t.Fatal(err)
	}
	hears(t, keys, "new")
}

func TestWatchOfMany(t *testing.T) {
	store := filled(t, mostKeys+1)
	keys := told(t, store)
	if _, err := store.Put(t.Context(), venuekey.Record{Key: "new"}); err != nil {
		t.Fatal(err)
	}
	hears(t, keys, "")
}

// A file that is gone for a while is waited for, and one that came in its place
// is another one.
func TestWatchOfAnotherFile(t *testing.T) {
	if !posix {
		t.Skip("Windows does not let anybody move a file that is open")
	}
	path := place(t)
	store := openVault(t, path)
	keys := told(t, store)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, path+".away"+suffix); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, path, 0)
	hears(t, keys, "")
}
