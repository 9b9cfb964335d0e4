package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// erase_test.go owns what a record that was deleted, or written over, leaves in
// the files: nothing.

func TestADeletedRecordLeavesNothing(t *testing.T) {
	path := place(t)
	store := openVault(t, path)
	// Enough of them that pages are split, emptied and joined again; some are
	// longer than a page.
	const many = 400
	versions := map[string]int64{}
	for round := range 3 {
		for i := range many {
			key := fmt.Sprintf("token/ctrader/gone-%03d", i)
			record := venuekey.Record{Key: key, Version: versions[key], NextRefresh: now().Add(time.Duration(i) * time.Hour), Text: "gone-reason",
				Sealed: bytes.Repeat([]byte(fmt.Sprintf("gone-seal-%d", round)), 40+i%7*120)}
			version, err := store.Put(t.Context(), record)
			if err != nil {
				t.Fatal(err)
			}
			versions[key] = version
		}
		if round == 0 {
			put(t, store, "token/ctrader/stays")
		}
	}
	for key, version := range versions {
		if err := store.Delete(t.Context(), key, version); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		text, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("gone-")); n > 0 {
			t.Errorf("vault.db%s still holds %d pieces of what was deleted", suffix, n)
		}
		if suffix == "" && !bytes.Contains(text, []byte("token/ctrader/stays")) {
			t.Error("what stays is not found by looking for it")
		}
	}
}

func put(t *testing.T, store *Store, key string) {
	t.Helper()
	if _, err := store.Put(context.Background(), venuekey.Record{Key: key, Sealed: []byte("sealed")}); err != nil {
		t.Fatal(err)
	}
}
