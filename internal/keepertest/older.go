package keepertest

import (
	"path/filepath"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// older.go owns restoring an older copy of the vault.

// CopyOf returns every token record of a store, to be restored later.
func CopyOf(t testing.TB, store venuekey.Store) []venuekey.Record {
	t.Helper()
	records, err := store.List(t.Context(), "token/", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// PutBack returns a new store with the copied records.
func PutBack(t testing.TB, records []venuekey.Record) *Store {
	t.Helper()
	store := &Store{Store: &memory.Store{}}
	for _, record := range records {
		record.Version = 0
		if _, err := store.Put(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// OnOlderCopy signs Alice in, renews her token, and returns a Keeper on the copy that was
// taken before that.
func OnOlderCopy(t testing.TB, venue venuekey.Venue) *venuekey.Keeper {
	t.Helper()
	store := &Store{Store: &memory.Store{}}
	keeper := New(t, store, venue)
	keeper.Marks = filepath.Join(t.TempDir(), "marks")
	if _, err := keeper.SignIn(t.Context(), Alice, NoUI{}); err != nil {
		t.Fatal(err)
	}
	older := CopyOf(t, store)
	for range 2 {
		if _, err := keeper.Refresh(t.Context(), Alice); err != nil {
			t.Fatal(err)
		}
	}
	next := New(t, PutBack(t, older), venue)
	next.Marks = keeper.Marks
	return next
}
