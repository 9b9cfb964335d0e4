package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/venuekey/venuekey"
)

// races.go owns the tests with many goroutines at once.

var races = []test{
	{"64 goroutines race for a version and one wins", raceForVersion},
	{"64 goroutines race to create and one wins", raceToCreate},
	{"a put and a delete race and one wins", racePutDelete},
	{"no record is claimed twice", raceForClaims},
	{"readers see complete records that never go back", readersAndWriters},
}

const racers = 64

// race lets n goroutines begin together and waits for them.
func race(n int, run func(i int)) {
	var begun, ended sync.WaitGroup
	begun.Add(1)
	for i := range n {
		ended.Go(func() {
			begun.Wait()
			run(i)
		})
	}
	begun.Done()
	ended.Wait()
}

func raceForVersion(s *subject) {
	record := s.mustPut(venuekey.Record{Key: "k"})
	for round := range 10 {
		record = s.oneWinner(record)
		if got := s.mustGet("k"); got.Text != record.Text || got.Version != record.Version {
			s.Fatalf("round %d: %q at version %d is stored, but %q at %d won", round, got.Text, got.Version, record.Text, record.Version)
		}
	}
}

func raceToCreate(s *subject) {
	for round := range 10 {
		s.oneWinner(venuekey.Record{Key: fmt.Sprintf("k%d", round)})
	}
}

// oneWinner lets all racers put the same version and returns the one record that was
// accepted.
func (s *subject) oneWinner(record venuekey.Record) venuekey.Record {
	s.Helper()
	var winners atomic.Int32
	var won venuekey.Record
	race(racers, func(i int) {
		mine := record
		mine.Text = fmt.Sprint("racer ", i)
		version, err := s.Put(s.Context(), mine)
		if err == nil && winners.Add(1) == 1 {
			won = mine
			won.Version = version
		} else if err != nil && !errors.Is(err, venuekey.ErrConflict) {
			s.Errorf("put: %v, want nil or a conflict", err)
		}
	})
	if winners.Load() != 1 {
		s.Fatalf("put of version %d: %d winners, want one", record.Version, winners.Load())
	}
	return won
}

func racePutDelete(s *subject) {
	for round := range 20 {
		record := s.mustPut(venuekey.Record{Key: fmt.Sprintf("k%d", round)})
		var won atomic.Int32
		race(8, func(i int) {
			var err error
			if i%2 == 0 {
				_, err = s.Put(s.Context(), record)
			} else {
				err = s.Delete(s.Context(), record.Key, record.Version)
			}
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, venuekey.ErrConflict) && !errors.Is(err, venuekey.ErrNotFound) {
				s.Errorf("race: %v", err)
			}
		})
		if won.Load() != 1 {
			s.Fatalf("round %d: %d winners, want one", round, won.Load())
		}
	}
}

func raceForClaims(s *subject) {
	const total, claimers = 60, 12
	for i := range total {
		s.mustPut(due(fmt.Sprintf("k%02d", i), i))
	}
	var mu sync.Mutex
	owners := map[string]string{}
	race(claimers, func(i int) {
		owner := fmt.Sprint("claimer ", i)
		for range total + 1 {
			claimed, err := s.Claim(s.Context(), "", owner, aLease, 3)
			if err != nil {
				s.Errorf("claim: %v", err)
			}
			if len(claimed) == 0 {
				return
			}
			mu.Lock()
			for _, record := range claimed {
				if other, taken := owners[record.Key]; taken {
					s.Errorf("record %q went to %s and to %s", record.Key, other, owner)
				}
				owners[record.Key] = owner
			}
			mu.Unlock()
		}
	})
	if len(owners) != total {
		s.Errorf("claimers got %d records, want %d", len(owners), total)
	}
	for key, owner := range owners {
		if got := s.mustGet(key); got.LeaseOwner != owner {
			s.Errorf("record %q is leased to %q, but %q got it", key, got.LeaseOwner, owner)
		}
	}
}

// pattern is the sealed content of a generation in these tests, so that a mix of two
// generations is noticed.
func pattern(generation int64) []byte { return bytes.Repeat([]byte{byte(generation)}, 2048) }

func readersAndWriters(s *subject) {
	record := s.mustPut(venuekey.Record{Key: "k", Sealed: pattern(0)})
	var written atomic.Bool
	race(8, func(i int) {
		if i == 0 {
			defer written.Store(true)
			s.write(record, 100)
			return
		}
		var last venuekey.Record
		for !written.Load() {
			got, err := s.Get(s.Context(), "k")
			if err != nil || !bytes.Equal(got.Sealed, pattern(got.Generation)) ||
				got.Version < last.Version || got.Generation < last.Generation {
				s.Errorf("get: generation %d version %d after %d and %d, %v", got.Generation, got.Version, last.Generation, last.Version, err)
				return
			}
			last = got
		}
	})
}

// write puts a record n times, each with the next generation.
func (s *subject) write(record venuekey.Record, n int) {
	for range n {
		record.Generation++
		record.Sealed = pattern(record.Generation)
		version, err := s.Put(s.Context(), record)
		if err != nil {
			s.Errorf("put: %v", err)
			return
		}
		record.Version = version
	}
}
