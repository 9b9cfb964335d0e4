package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/store/storetest"
)

func open(ctx context.Context, place string) (venuekey.Store, error) { return Open(ctx, place) }

func TestMain(m *testing.M) {
	storetest.Child(open)
	needs.Overlap()
	goleak.VerifyTestMain(m)
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) venuekey.Store { return openVault(t, place(t)) })
}

func TestProcesses(t *testing.T) {
	storetest.RunProcesses(t, storetest.Processes{Open: open, Place: place, Told: time.Second})
}

// place is where a vault may be made, in a folder that is not there yet.
func place(t *testing.T) string { return filepath.Join(t.TempDir(), "venuekey", "vault.db") }

func openVault(t *testing.T, path string) *Store {
	t.Helper()
	store, err := Open(t.Context(), path)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}
