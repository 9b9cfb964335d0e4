package venuekey_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
)

// A spill that is written while others wait: whoever waits for a lease must not
// present the token whose successor lies in the spill folder by then.

// onceStep lets a Keeper do work at its first step of a name.
func onceStep(k *venuekey.Keeper, name string, work func()) {
	var once sync.Once
	venuekey.OnStep(k, func(step string) {
		if step == name {
			once.Do(work)
		}
	})
}

func TestWhoWaitsForALeaseFindsTheSpill(t *testing.T) {
	for name, policy := range map[string]venuekey.Policy{
		"never":         {AfterLostAnswer: venuekey.RetryNever},
		"once":          {AfterLostAnswer: venuekey.RetryOnce},
		"until refused": {AfterLostAnswer: venuekey.RetryUntilRefused},
	} {
		for _, answers := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					venue := &stageVenue{policy: policy}
					keeper, store := signedIn(t, venue)
					keeper.Spills = []string{t.TempDir()}
					waiter := newKeeper(t, store, venue)
					waiter.Spills = keeper.Spills

					// The venue has answered and the store is locked; then the other
					// program begins to wait for the lease.
					var got *venuekey.Token
					var failed error
					var waiting sync.WaitGroup
					onceStep(keeper, "sealed", func() {
						store.turn(rotations)
						waiting.Go(func() { got, failed = waiter.Refresh(t.Context(), alice) })
						time.Sleep(time.Second)
					})
					if _, err := keeper.Refresh(t.Context(), alice); err != nil {
						t.Fatal(err)
					}
					if answers {
						store.turn(nil)
					}
					waiting.Wait()
					if failed != nil || got.Access != "access-2" {
						t.Fatalf("the waiter: %v", failed)
					}
					if most, total := venue.shown(); most != 1 || total != 1 {
						t.Fatalf("%d presentations, one token up to %d times", total, most)
					}
				})
			})
		}
	}
}

// getting is a store that tells when a record was read and not yet handed over.
type getting struct {
	venuekey.Store
	read func()
}

func (s getting) Get(ctx context.Context, key string) (venuekey.Record, error) {
	record, err := s.Store.Get(ctx, key)
	if strings.HasPrefix(key, "token/") {
		s.read()
	}
	return record, err
}

// The last moment: the spill appears while the record with the lapsed lease is
// being read.
func TestASpillThatAppearsRightBeforeTheClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{policy: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce}}
		keeper, store := signedIn(t, venue)
		keeper.Spills = []string{t.TempDir()}
		store.turn(rotations)
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		store.turn(nil)
		file, hidden := spills(t, keeper.Spills[0])[0], filepath.Join(t.TempDir(), "hidden")
		if err := os.Rename(file, hidden); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // the lease has lapsed
		reads := 0
		next := newKeeper(t, getting{store, func() {
			// The first read is Refresh's own, the second is the renewal's.
			if reads++; reads == 2 {
				if err := os.Rename(hidden, file); err != nil {
					t.Error(err)
				}
			}
		}}, venue)
		next.Spills = keeper.Spills
		if token, err := next.Refresh(t.Context(), alice); err != nil || token.Access != "access-2" {
			t.Errorf("the next program: %v", err)
		}
		if most, total := venue.shown(); most != 1 || total != 1 {
			t.Fatalf("%d presentations, one token up to %d times", total, most)
		}
	})
}
