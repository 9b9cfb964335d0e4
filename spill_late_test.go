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
	"github.com/venuekey/venuekey/internal/keepertest"
)

// A spill that is written while others wait: whoever waits for a lease must not
// present the token whose successor lies in the spill folder by then.

func TestWhoWaitsForALeaseFindsTheSpill(t *testing.T) {
	for name, policy := range map[string]venuekey.Policy{
		"never":         {AfterLostAnswer: venuekey.RetryNever},
		"once":          {AfterLostAnswer: venuekey.RetryOnce},
		"until refused": {AfterLostAnswer: venuekey.RetryUntilRefused},
	} {
		for _, answers := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					venue := &keepertest.Venue{Terms: policy}
					keeper, store := keepertest.SignedIn(t, venue)
					keeper.Spills = []string{t.TempDir()}
					waiter := keepertest.New(t, store, venue)
					waiter.Spills = keeper.Spills

					// The venue has answered and the store is locked; then the other
					// program begins to wait for the lease.
					var got *venuekey.Token
					var failed error
					var waiting sync.WaitGroup
					keepertest.AtFirst(keeper, "sealed", func() {
						store.Refuse(keepertest.Rotations)
						waiting.Go(func() { got, failed = waiter.Refresh(t.Context(), keepertest.Alice) })
						time.Sleep(time.Second)
					})
					if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
						t.Fatal(err)
					}
					if answers {
						store.Refuse(nil)
					}
					waiting.Wait()
					if failed != nil || got.Access != "access-2" {
						t.Fatalf("the waiter: %v", failed)
					}
					if most, total := venue.Shown(); most != 1 || total != 1 {
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
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce}}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills = []string{t.TempDir()}
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		store.Refuse(nil)
		file, hidden := keepertest.Spills(t, keeper.Spills[0])[0], filepath.Join(t.TempDir(), "hidden")
		if err := os.Rename(file, hidden); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // the lease has lapsed
		reads := 0
		next := keepertest.New(t, getting{store, func() {
			// The first read is Refresh's own, the second is the renewal's.
			if reads++; reads == 2 {
				if err := os.Rename(hidden, file); err != nil {
					t.Error(err)
				}
			}
		}}, venue)
		next.Spills = keeper.Spills
		if token, err := next.Refresh(t.Context(), keepertest.Alice); err != nil || token.Access != "access-2" {
			t.Errorf("the next program: %v", err)
		}
		if most, total := venue.Shown(); most != 1 || total != 1 {
			t.Fatalf("%d presentations, one token up to %d times", total, most)
		}
	})
}
