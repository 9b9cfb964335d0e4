package keepertest

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/venuekey/venuekey"
)

// store.go owns the store that refuses, and finding spill files.

// Store is a store that refuses writes on demand.
type Store struct {
	venuekey.Store
	mu sync.Mutex
	// Refuses returns an error for a record that must not be written; nil accepts all.
	// Refuse changes it while anything runs.
	Refuses func(record venuekey.Record) error
}

// Refuse changes what the store refuses.
func (s *Store) Refuse(refuse func(venuekey.Record) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Refuses = refuse
}

// Put implements venuekey.Store.
func (s *Store) Put(ctx context.Context, record venuekey.Record) (int64, error) {
	s.mu.Lock()
	refuse := s.Refuses
	s.mu.Unlock()
	if refuse != nil {
		if err := refuse(record); err != nil {
			return 0, err
		}
	}
	return s.Store.Put(ctx, record)
}

// Watch implements venuekey.Watcher if the store below does.
func (s *Store) Watch(ctx context.Context, changed func(string)) error {
	if below, ok := s.Store.(venuekey.Watcher); ok {
		return below.Watch(ctx, changed)
	}
	return errors.ErrUnsupported
}

// ErrDiskFull is the error of Rotations.
var ErrDiskFull = errors.New("no space left on device")

// Rotations refuses the result of a renewal, and accepts everything else.
func Rotations(record venuekey.Record) error {
	if record.IntentAt.IsZero() && record.LeaseOwner == "" && record.Condition == venuekey.ConditionGood && isToken(record.Key) {
		return ErrDiskFull
	}
	return nil
}

func isToken(key string) bool { return strings.HasPrefix(key, "token/") }

// Spills returns the spill files in a folder, which also holds a reserve.
func Spills(t testing.TB, folder string) []string {
	t.Helper()
	return Files(t, folder, "*.spill")
}

// Files returns the files in a folder whose names match a pattern.
func Files(t testing.TB, folder, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return names
}
