// Package storetest is a conformance suite for implementations of venuekey.Store.
//
// A driver's tests call Run with a function that opens an empty store, and RunProcesses
// as well if several processes may share its data:
//
//	func TestMain(m *testing.M) {
//		storetest.Child(mydriver.Open)
//		os.Exit(m.Run())
//	}
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) venuekey.Store { ... })
//	}
//
//	func TestProcesses(t *testing.T) {
//		storetest.RunProcesses(t, storetest.Processes{Open: mydriver.Open, Place: ...})
//	}
//
// The suite checks what every method returns and refuses, compare-and-swap races between
// goroutines and between processes, writes that are interrupted by killing the process,
// and, if the store is a venuekey.Watcher, that a watch misses nothing. Run it with
// -race.
//
// No test waits for time to pass: an expired lease is one that was put with its end in
// the past.
package storetest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// storetest.go owns Run and the helpers in which its tests are written.

// Run tests a store. Each of its tests calls open once for an empty store of its own, and
// closes it.
func Run(t *testing.T, open func(t *testing.T) venuekey.Store) {
	for _, chapter := range []struct {
		name  string
		tests []test
	}{
		{"records", records}, {"lists", lists}, {"claims", claims}, {"calls", calls}, {"races", races},
		{"watches", watches},
	} {
		t.Run(chapter.name, func(t *testing.T) {
			for _, test := range chapter.tests {
				t.Run(test.name, func(t *testing.T) {
					store := open(t)
					t.Cleanup(func() {
						if err := store.Close(); err != nil {
							t.Errorf("close: %v", err)
						}
					})
					test.run(&subject{T: t, Store: store})
				})
			}
		})
	}
}

// test checks one rule; its name states the rule.
type test struct {
	name string
	run  func(s *subject)
}

// subject is a store under test. Its methods whose names begin with "must" end the test
// if the store returns an error.
type subject struct {
	*testing.T
	venuekey.Store
}

func (s *subject) mustPut(record venuekey.Record) venuekey.Record {
	s.Helper()
	version, err := s.Put(s.Context(), record)
	if err != nil {
		s.Fatalf("put %q at version %d: %v", record.Key, record.Version, err)
	}
	if version <= record.Version {
		s.Fatalf("put %q: version went from %d to %d, want a greater one", record.Key, record.Version, version)
	}
	record.Version = version
	return record
}

func (s *subject) mustGet(key string) venuekey.Record {
	s.Helper()
	record, err := s.Get(s.Context(), key)
	if err != nil {
		s.Fatalf("get %q: %v", key, err)
	}
	return record
}

func (s *subject) mustDelete(key string, version int64) {
	s.Helper()
	if err := s.Delete(s.Context(), key, version); err != nil {
		s.Fatalf("delete %q at version %d: %v", key, version, err)
	}
}

func (s *subject) mustList(prefix, after string, limit int) []string {
	s.Helper()
	records, err := s.List(s.Context(), prefix, after, limit)
	if err != nil {
		s.Fatalf("list %q after %q: %v", prefix, after, err)
	}
	return keysOf(records)
}

func (s *subject) mustClaim(prefix, owner string, lease time.Duration, limit int) []venuekey.Record {
	s.Helper()
	records, err := s.Claim(s.Context(), prefix, owner, lease, limit)
	if err != nil {
		s.Fatalf("claim %q for %s: %v", prefix, owner, err)
	}
	return records
}

// want checks that a call returned the one error that the contract allows.
func (s *subject) want(call string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: %v, want %v", call, err, want)
	}
}

// same checks that a record came back as it was put.
func (s *subject) same(got, want venuekey.Record) {
	s.Helper()
	a, b := reflect.ValueOf(canonical(got)), reflect.ValueOf(canonical(want))
	for i := range a.NumField() {
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			if sealed, ok := x.([]byte); ok && len(sealed) > 64 {
				x, y = len(sealed), "other bytes"
			}
			s.Errorf("record %q: %s is %v, want %v", want.Key, a.Type().Field(i).Name, x, y)
		}
	}
}

func (s *subject) keys(what string, got, want []string) {
	s.Helper()
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		s.Errorf("%s: %q, want %q", what, got, want)
	}
}

// canonical removes what a driver may change: time zones, fractions of a microsecond, the
// difference between nil and empty, and ReadAt.
func canonical(record venuekey.Record) venuekey.Record {
	for _, t := range []*time.Time{&record.NextRefresh, &record.LeaseUntil, &record.IntentAt} {
		if t.IsZero() {
			*t = time.Time{}
		} else {
			*t = t.Truncate(time.Microsecond).UTC()
		}
	}
	if len(record.Sealed) == 0 {
		record.Sealed = nil
	}
	record.ReadAt = time.Time{}
	return record
}

func keysOf(records []venuekey.Record) (keys []string) {
	for _, record := range records {
		keys = append(keys, record.Key)
	}
	return keys
}

// past and future are far enough from now for any clock to agree about them.
func past() time.Time   { return time.Now().Add(-time.Hour) }
func future() time.Time { return time.Now().Add(time.Hour) }

// aLease outlasts any test.
const aLease = time.Hour

// due returns a record that has been due for some minutes.
func due(key string, minutes int) venuekey.Record {
	return venuekey.Record{Key: key, NextRefresh: past().Add(-time.Duration(minutes) * time.Minute), Sealed: []byte(key)}
}

// cancelled returns a context that has ended.
func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
