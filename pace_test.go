package venuekey_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// metered is a venue that notes when it was asked.
type metered struct {
	stageVenue
	mu    sync.Mutex
	asked []time.Time
}

func (v *metered) Refresh(_ context.Context, _ venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	v.mu.Lock()
	v.asked = append(v.asked, time.Now())
	before := v.before
	v.mu.Unlock()
	if before != nil {
		if err := before(context.Background()); err != nil {
			return venuekey.Token{}, err
		}
	}
	now := time.Now()
	return venuekey.Token{Access: token.Access + "+", Refresh: token.Refresh + "+", Issued: now, Expires: now.Add(life)}, nil
}

// most is the largest number of renewals within any window of that length.
func (v *metered) most(window time.Duration) (most int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, first := 0, 0; i < len(v.asked); i++ {
		for v.asked[i].Sub(v.asked[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func populate(t *testing.T, keeper *venuekey.Keeper, n int) (ids []venuekey.ID) {
	t.Helper()
	for i := range n {
		id := venuekey.ID{Venue: "stage", Name: fmt.Sprintf("user-%d", i)}
		if _, err := keeper.SignIn(t.Context(), id, silent{}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// After an outage a thousand tokens are due. Two machines renew them, and no
// more than one budget allows.
func TestAStormIsPacedOverAllMachines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &metered{stageVenue: stageVenue{policy: venuekey.Policy{Pace: 100 * time.Millisecond, Burst: 20}}}
		store := &memory.Store{}
		populate(t, newKeeper(t, store, venue), 1000)
		time.Sleep(life * 9 / 10)
		ctx, stop := context.WithTimeout(t.Context(), 150*time.Second)
		defer stop()
		var machines sync.WaitGroup
		for range 2 {
			machines.Go(func() { _ = newKeeper(t, store, venue).Run(ctx) })
		}
		machines.Wait()
		if n := len(venue.asked); n != 1000 {
			t.Errorf("%d renewals in 150 s, want all 1000", n)
		}
		// Permits taken in advance by two machines may come on top once.
		if most := venue.most(10 * time.Second); most > 100+20+2*10 {
			t.Errorf("%d renewals within ten seconds", most)
		}
	})
}

func TestAllMachinesLeaveAVenueAloneThatAsksForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &metered{}
		store := &memory.Store{}
		populate(t, newKeeper(t, store, venue), 50)
		venue.before = func(context.Context) error {
			return &venuekey.Error{Class: venuekey.Later, RetryAfter: 10 * time.Minute, Reason: "maintenance"}
		}
		time.Sleep(life * 8 / 10)
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Minute)
		defer stop()
		var machines sync.WaitGroup
		start := time.Now()
		for range 2 {
			machines.Go(func() { _ = newKeeper(t, store, venue).Run(ctx) })
		}
		time.Sleep(5 * time.Minute)
		venue.mu.Lock()
		venue.before = nil
		early := len(venue.asked)
		venue.mu.Unlock()
		machines.Wait()
		for _, at := range venue.asked[early:] {
			if at.Sub(start) < 10*time.Minute {
				t.Fatalf("asked again after %s", at.Sub(start))
			}
		}
		// Those under way when the venue spoke, and then nobody.
		if early > 2*16 {
			t.Errorf("%d requests after the venue asked to be left alone", early)
		}
		if renewed := len(venue.asked) - early; renewed != 50 {
			t.Errorf("%d renewed afterwards, want 50", renewed)
		}
	})
}

func TestAHumanIsNotPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &metered{stageVenue: stageVenue{policy: venuekey.Policy{Pace: time.Hour, Burst: 1}}}
		keeper := newKeeper(t, &memory.Store{}, venue)
		id := populate(t, keeper, 1)[0]
		for range 5 {
			if _, err := keeper.Refresh(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Whoever has a good token does not wait for a turn.
func TestAGoodTokenIsServedWhileTheRenewalWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &metered{stageVenue: stageVenue{policy: venuekey.Policy{Pace: time.Hour, Burst: 1, KillsAccess: true}}}
		keeper := newKeeper(t, &memory.Store{}, venue)
		ids := populate(t, keeper, 2)
		time.Sleep(life * 8 / 10)
		for _, id := range ids {
			start := time.Now()
			if _, err := keeper.Token(t.Context(), id); err != nil || time.Since(start) > 6*time.Second {
				t.Fatalf("%s: %v after %s", id, err, time.Since(start))
			}
		}
		if len(venue.asked) != 1 {
			t.Fatalf("%d renewals, the budget has one", len(venue.asked))
		}
		time.Sleep(life)
		if _, err := keeper.Token(t.Context(), ids[1]); err != nil && !venuekey.Temporary(err) {
			t.Fatal(err)
		}
	})
}
