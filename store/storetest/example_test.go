package storetest_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/store/sqlite"
	"github.com/venuekey/venuekey/store/storetest"
)

// A driver's test is one call, which checks the whole contract.
func ExampleRun() {
	_ = func(t *testing.T) { // TestStore
		storetest.Run(t, func(t *testing.T) venuekey.Store { return &memory.Store{} })
	}
}

// A driver whose data several processes share needs two more calls: in TestMain, Child
// lets the test program act as one of them.
func ExampleRunProcesses() {
	open := func(ctx context.Context, place string) (venuekey.Store, error) { return sqlite.Open(ctx, place) }
	_ = func(m *testing.M) { // TestMain
		storetest.Child(open)
		os.Exit(m.Run())
	}
	_ = func(t *testing.T) { // TestProcesses
		storetest.RunProcesses(t, storetest.Processes{
			Open:  open,
			Place: func(t *testing.T) string { return filepath.Join(t.TempDir(), "vault", "vault.db") },
		})
	}
}
