// Package memory is a venuekey.Store that forgets everything when its program ends. It is
// for tests: it uses only time.Now, so inside a testing/synctest bubble leases and due
// times follow the bubble's clock.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
)

// memory.go owns the Store: a map under a mutex.

// Store keeps records in memory. Its zero value is ready to use. Times are returned in
// UTC, truncated to microseconds and without a monotonic part, as drivers with a disk
// return them.
type Store struct {
	mu       sync.Mutex
	records  map[string]venuekey.Record
	sequence int64 // the last version of any record, so that none is reused
	closed   bool
	due      queue
	watches  map[*watch]bool
}

var _ venuekey.Store = (*Store)(nil)

// Get implements venuekey.Store.
func (s *Store) Get(ctx context.Context, key string) (venuekey.Record, error) {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return venuekey.Record{}, err
	}
	record, ok := s.records[key]
	if !ok {
		return venuekey.Record{}, venuekey.ErrNotFound
	}
	return handOut(record, now()), nil
}

// Put implements venuekey.Store.
func (s *Store) Put(ctx context.Context, record venuekey.Record) (int64, error) {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	if s.records[record.Key].Version != record.Version {
		return 0, venuekey.ErrConflict
	}
	return s.keep(record).Version, nil
}

// Delete implements venuekey.Store.
func (s *Store) Delete(ctx context.Context, key string, version int64) error {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return err
	}
	record, ok := s.records[key]
	if !ok {
		return venuekey.ErrNotFound
	}
	if record.Version != version {
		return venuekey.ErrConflict
	}
	delete(s.records, key)
	s.tell(key)
	return nil
}

// List implements venuekey.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]venuekey.Record, error) {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	found := s.pick(limit, byKey, func(r venuekey.Record) bool {
		return strings.HasPrefix(r.Key, prefix) && r.Key > after
	})
	at := now()
	for i := range found {
		found[i] = handOut(found[i], at)
	}
	return found, nil
}

// Claim implements venuekey.Store.
func (s *Store) Claim(ctx context.Context, prefix, owner string, lease time.Duration, limit int) ([]venuekey.Record, error) {
	if owner == "" || lease <= 0 {
		return nil, fmt.Errorf("claim by %q for %v: an owner and a positive lease are required", owner, lease)
	}
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	at := now()
	found := s.takeDue(at, prefix, limit)
	for i, record := range found {
		record.LeaseOwner, record.LeaseUntil = owner, at.Add(lease)
		found[i] = handOut(s.keep(record), at)
	}
	return found, nil
}

// Close implements venuekey.Store. The records are lost with the Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for w := range s.watches {
		w.rouse()
	}
	return nil
}

// enter locks the mutex in any case, and returns an error if the call must not continue.
func (s *Store) enter(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		return fmt.Errorf("store in memory: %w", os.ErrClosed)
	}
	return ctx.Err()
}

// keep stores the record under the next version, and returns it as a driver with a disk
// would read it.
func (s *Store) keep(record venuekey.Record) venuekey.Record {
	s.sequence++
	record.Version = s.sequence
	record.Sealed = bytes.Clone(record.Sealed)
	record.ReadAt = time.Time{}
	for _, t := range []*time.Time{&record.NextRefresh, &record.LeaseUntil, &record.IntentAt} {
		*t = stored(*t)
	}
	if s.records == nil {
		s.records = map[string]venuekey.Record{}
	}
	s.records[record.Key] = record
	s.due.add(record)
	s.tell(record.Key)
	return record
}

// pick returns the first limit matching records in the given order.
func (s *Store) pick(limit int, order func(a, b venuekey.Record) int, wanted func(venuekey.Record) bool) []venuekey.Record {
	var found []venuekey.Record
	for _, record := range s.records {
		if wanted(record) {
			found = append(found, record)
		}
	}
	slices.SortFunc(found, order)
	return found[:max(0, min(limit, len(found)))]
}

func byKey(a, b venuekey.Record) int { return cmp.Compare(a.Key, b.Key) }

func byDue(a, b venuekey.Record) int {
	return cmp.Or(a.NextRefresh.Compare(b.NextRefresh), byKey(a, b))
}

// handOut returns a copy of a record, so that the caller cannot write into the store.
func handOut(record venuekey.Record, at time.Time) venuekey.Record {
	record.Sealed = bytes.Clone(record.Sealed)
	record.ReadAt = at
	return record
}

func now() time.Time { return stored(time.Now()) }

func stored(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Truncate(time.Microsecond).UTC()
}
