package venuekey_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// After an outage a thousand tokens are due. Two machines renew them, and no
// more than one budget allows.
func TestAStormIsPacedOverAllMachines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Metered{Venue: keepertest.Venue{Terms: venuekey.Policy{Pace: 100 * time.Millisecond, Burst: 20}}}
		store := &memory.Store{}
		keepertest.Populate(t, keepertest.New(t, store, venue), 1000)
		time.Sleep(keepertest.Life * 9 / 10)
		ctx, stop := context.WithTimeout(t.Context(), 150*time.Second)
		defer stop()
		var machines sync.WaitGroup
		for range 2 {
			machines.Go(func() { _ = keepertest.New(t, store, venue).Run(ctx) })
		}
		machines.Wait()
		if n := len(venue.Asked); n != 1000 {
			t.Errorf("%d renewals in 150 s, want all 1000", n)
		}
		// Permits taken in advance by two machines may come on top once.
		if most := venue.Most(10 * time.Second); most > 100+20+2*10 {
			t.Errorf("%d renewals within ten seconds", most)
		}
	})
}

// An app that the venue grants more renews faster than the policy says.
func TestAnAppHasAPaceOfItsOwn(t *testing.T) {
	for name, row := range map[string]struct {
		app  venuekey.App
		most int // renewals within ten seconds
	}{
		"the policy's":   {venuekey.App{}, 10 + 2},
		"the app's":      {venuekey.App{Pace: 100 * time.Millisecond}, 100 + 2},
		"the app's both": {venuekey.App{Pace: 500 * time.Millisecond, Burst: 50}, 20 + 50},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Metered{Venue: keepertest.Venue{Terms: venuekey.Policy{Pace: time.Second, Burst: 2}}}
				keeper := keepertest.New(t, &memory.Store{}, venue)
				row.app.Venue = "stage"
				keeper.Apps = nil
				if err := keeper.Vault.SaveApp(t.Context(), row.app); err != nil {
					t.Fatal(err)
				}
				keepertest.Populate(t, keeper, 300)
				time.Sleep(keepertest.Life * 9 / 10)
				ctx, stop := context.WithTimeout(t.Context(), 11*time.Second)
				defer stop()
				_ = keeper.Run(ctx)
				if most := venue.Most(10 * time.Second); most > row.most || most < row.most*8/10 {
					t.Errorf("%d renewals within ten seconds, want %d", most, row.most)
				}
			})
		})
	}
}

func TestAllMachinesLeaveAVenueAloneThatAsksForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Metered{}
		store := &memory.Store{}
		keepertest.Populate(t, keepertest.New(t, store, venue), 50)
		venue.Before = func(context.Context) error {
			return &venuekey.Error{Class: venuekey.ClassLater, RetryAfter: 10 * time.Minute, Reason: "maintenance"}
		}
		time.Sleep(keepertest.Life * 8 / 10)
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Minute)
		defer stop()
		var machines sync.WaitGroup
		start := time.Now()
		for range 2 {
			machines.Go(func() { _ = keepertest.New(t, store, venue).Run(ctx) })
		}
		time.Sleep(5 * time.Minute)
		venue.Set(nil)
		early := len(venue.Times())
		machines.Wait()
		for _, at := range venue.Asked[early:] {
			if at.Sub(start) < 10*time.Minute {
				t.Fatalf("asked again after %s", at.Sub(start))
			}
		}
		// Those under way when the venue spoke, and then nobody.
		if early > 2*16 {
			t.Errorf("%d requests after the venue asked to be left alone", early)
		}
		if renewed := len(venue.Asked) - early; renewed != 50 {
			t.Errorf("%d renewed afterwards, want 50", renewed)
		}
	})
}

func TestAHumanIsNotPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Metered{Venue: keepertest.Venue{Terms: venuekey.Policy{Pace: time.Hour, Burst: 1}}}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		id := keepertest.Populate(t, keeper, 1)[0]
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
		venue := &keepertest.Metered{Venue: keepertest.Venue{Terms: venuekey.Policy{Pace: time.Hour, Burst: 1, KillsAccess: true}}}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		ids := keepertest.Populate(t, keeper, 2)
		time.Sleep(keepertest.Life * 8 / 10)
		for _, id := range ids {
			start := time.Now()
			if _, err := keeper.Token(t.Context(), id); err != nil || time.Since(start) > 6*time.Second {
				t.Fatalf("%s: %v after %s", id, err, time.Since(start))
			}
		}
		if len(venue.Asked) != 1 {
			t.Fatalf("%d renewals, the budget has one", len(venue.Asked))
		}
		time.Sleep(keepertest.Life)
		if _, err := keeper.Token(t.Context(), ids[1]); err != nil && !venuekey.Temporary(err) {
			t.Fatal(err)
		}
	})
}

// A venue asks to be left alone for a day, or for a year. A token that dies
// meanwhile is tried before; while tokens are dead, one of all is tried every hour;
// and the first that is renewed opens the budget for the others.
func TestALongSilenceDoesNotTakeEverySignInAlong(t *testing.T) {
	for _, asks := range []time.Duration{24 * time.Hour, 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			venue := &keepertest.Metered{}
			store := &memory.Store{}
			ids := keepertest.Populate(t, keepertest.New(t, store, venue), 50)
			venue.Before = func(context.Context) error {
				return &venuekey.Error{Class: venuekey.ClassLater, RetryAfter: asks, Reason: "maintenance"}
			}
			born := time.Now()
			time.Sleep(keepertest.Life * 7 / 10)
			keeper := keepertest.New(t, store, venue)
			ctx, stop := context.WithTimeout(t.Context(), 10*time.Hour)
			defer stop()
			var running sync.WaitGroup
			running.Go(func() { _ = keeper.Run(ctx) })
			time.Sleep(keepertest.Life*3/10 - time.Second)
			last := 0
			for _, at := range venue.Times() {
				if at.Sub(born) > keepertest.Life-2*time.Minute {
					last++
				}
			}
			if last != len(ids) {
				t.Errorf("%d of %d tokens were tried once more before they died", last, len(ids))
			}
			dead := len(venue.Times())
			time.Sleep(5 * time.Hour)
			if hourly := len(venue.Times()) - dead; hourly < 3 || hourly > 7 {
				t.Errorf("the venue was asked %d times in five hours of dead tokens, want once an hour", hourly)
			}
			venue.Set(nil)
			time.Sleep(2 * time.Hour)
			for _, id := range ids {
				if status, err := keeper.Status(t.Context(), id); err != nil || status.Left < 0 {
					t.Fatalf("%s: %+v %v", id, status, err)
				}
			}
			stop()
			running.Wait()
		})
	}
}

// A venue asked to be left alone for a day, and renews again soon after. Somebody
// sees that by hand, in a program of his own, and what a running program has put
// off meanwhile is renewed within the hour.
func TestARenewalByHandOpensTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		venue := &keepertest.Metered{Life: day}
		store := &memory.Store{}
		keeper := keepertest.New(t, store, venue)
		ids := keepertest.Populate(t, keeper, 20)
		time.Sleep(day * 74 / 100)
		venue.Set(maintenance(day))
		if _, err := keepertest.New(t, store, venue).Refresh(t.Context(), ids[0]); !venuekey.Temporary(err) {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), day)
		defer stop()
		var running sync.WaitGroup
		running.Go(func() { _ = keeper.Run(ctx) })
		time.Sleep(day * 7 / 100) // all are due, and put off
		venue.Set(nil)
		if _, err := keepertest.New(t, store, venue).Refresh(t.Context(), ids[0]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(80 * time.Minute)
		for status, err := range keeper.Statuses(t.Context()) {
			if err != nil || status.Left < day*9/10 || !status.LeftAloneUntil.IsZero() {
				t.Errorf("%s is left alone until %s and lives for %s, %v", status.ID, status.LeftAloneUntil, status.Left, err)
			}
		}
		stop()
		running.Wait()
	})
}

// A program that has just begun, and whose token is dead, does not know that the
// budget is closed. It is let through once an hour, and opens it for the others.
func TestTheHourlyTryOfAnyProgramOpensTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Metered{}
		store := &memory.Store{}
		ids := keepertest.Populate(t, keepertest.New(t, store, venue), 2)
		time.Sleep(2 * keepertest.Life)
		venue.Set(maintenance(10 * time.Hour))
		if _, err := keepertest.New(t, store, venue).Token(t.Context(), ids[0]); !venuekey.Temporary(err) {
			t.Fatal(err)
		}
		for status, err := range keepertest.New(t, store, venue).Statuses(t.Context()) {
			if err != nil || time.Until(status.LeftAloneUntil) < 9*time.Hour {
				t.Errorf("%s is left alone until %s, %v", status.ID, status.LeftAloneUntil, err)
			}
		}
		venue.Set(nil)
		if _, err := keepertest.New(t, store, venue).Token(t.Context(), ids[1]); !venuekey.Temporary(err) {
			t.Fatalf("the budget is closed, but: %v", err)
		}
		time.Sleep(2 * time.Hour)
		keeper := keepertest.New(t, store, venue)
		if _, err := keeper.Token(t.Context(), ids[1]); err != nil {
			t.Fatal(err)
		}
		if status, err := keeper.Status(t.Context(), ids[0]); err != nil || !status.LeftAloneUntil.IsZero() {
			t.Fatalf("left alone until %s, %v", status.LeftAloneUntil, err)
		}
	})
}

func maintenance(asks time.Duration) func(context.Context) error {
	return func(context.Context) error {
		return &venuekey.Error{Class: venuekey.ClassLater, RetryAfter: asks, Reason: "maintenance"}
	}
}

// A program older than notes closes a budget, by times of the record, and one that is
// not lets it through again: both see what the other wrote.
func TestABudgetIsSharedWithAnOlderProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		time.Sleep(keepertest.Life + time.Minute)
		keepertest.WantToken(t, keeper, "access-2")
		budgets, err := store.List(t.Context(), "budget/", "", 10)
		if err != nil || len(budgets) != 1 {
			t.Fatal(len(budgets), err)
		}
		name, now := budgets[0].Key, time.Now()
		older := budgets[0]
		older.LeaseUntil, older.NextRefresh = now.Add(5*time.Hour), now.Add(time.Hour)
		if _, err := store.Put(t.Context(), older); err != nil {
			t.Fatal(err)
		}
		keeper = keepertest.New(t, store, venue)
		if status, err := keeper.Status(t.Context(), keepertest.Alice); err != nil || !status.LeftAloneUntil.Equal(now.Add(5*time.Hour)) {
			t.Errorf("left alone until %s, %v", status.LeftAloneUntil, err)
		}
		time.Sleep(keepertest.Life + time.Minute) // the token is dead, and one of the dead may be tried
		keepertest.WantToken(t, keeper, "access-3")
		record, err := store.Get(t.Context(), name)
		if err != nil || !record.LeaseUntil.IsZero() || !record.IntentAt.IsZero() || !record.NextRefresh.IsZero() || record.Text == "" {
			t.Errorf("%+v, %v", record, err)
		}
		if status, err := keeper.Status(t.Context(), keepertest.Alice); err != nil || !status.LeftAloneUntil.IsZero() {
			t.Errorf("left alone until %s, %v", status.LeftAloneUntil, err)
		}
	})
}
