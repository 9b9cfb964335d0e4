package venuekey_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// What goes wrong around a sign-in: clocks that are set, policies that make no
// sense.

func TestPoliciesThatContradictThemselves(t *testing.T) {
	for name, policy := range map[string]venuekey.Policy{
		"RenewsWith":      {RenewsWith: 7},
		"AfterLostAnswer": {AfterLostAnswer: -1},
		"RefreshAt":       {RefreshAt: 1.5},
		"fraction":        {RefreshAt: math.NaN()},
		"negative":        {Pace: -time.Second},
		"LeastInterval":   {LeastInterval: time.Hour, DefaultLife: time.Minute},
	} {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		venue.Terms = policy
		_, err := keeper.Refresh(t.Context(), keepertest.Alice)
		if !venuekey.Misconfigured(err) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := keepertest.New(t, store, venue).SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); !venuekey.Misconfigured(err) {
			t.Errorf("%s: signed in: %v", name, err)
		}
		if _, total := venue.Shown(); total != 0 {
			t.Errorf("%s: a token was presented", name)
		}
		// What is there is still given.
		keepertest.WantToken(t, keepertest.New(t, store, &keepertest.Venue{}), "access-1")
	}
}

// The machine's clock jumps: to the Keeper it is as if the token had been issued
// a day earlier or later.
func TestAClockThatJumpsADay(t *testing.T) {
	for _, row := range []struct {
		name  string
		shift time.Duration
		want  string
	}{
		// Everything seems dead: it is renewed early, once, and nothing is lost.
		{"ahead", -24 * time.Hour, "access-2"},
		// Everything seems fresh: the venue's refusal is believed.
		{"back", 24 * time.Hour, "access-1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{}
				keeper, store := keepertest.SignedIn(t, venue)
				token, record, err := keeper.Vault.Load(t.Context(), keepertest.Alice)
				if err != nil {
					t.Fatal(err)
				}
				token.Issued, token.Expires = token.Issued.Add(row.shift), token.Expires.Add(row.shift)
				record.NextRefresh = record.NextRefresh.Add(row.shift)
				record.Generation++
				if _, err := keeper.Vault.Save(t.Context(), record, token); err != nil {
					t.Fatal(err)
				}
				jumped := keepertest.New(t, store, venue)
				keepertest.WantToken(t, jumped, row.want)
				time.Sleep(time.Minute)
				got, err := jumped.Reject(t.Context(), keepertest.Alice, venuekey.Secret(row.want))
				if err != nil || string(got.Access) == row.want {
					t.Fatalf("a token that the venue refused: %v", err)
				}
				if most, _ := venue.Shown(); most != 1 {
					t.Fatalf("one token was presented %d times", most)
				}
			})
		})
	}
}

// The store's clock is set back a day while somebody dead holds the lease, which
// then seems to last for a day. Who watches it knows better.
func TestALeaseOfAClockThatWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce}}
		keeper, store := keepertest.SignedIn(t, venue)
		record, err := store.Get(t.Context(), "token/stage/alice")
		if err != nil {
			t.Fatal(err)
		}
		tomorrow := time.Now().Add(24 * time.Hour)
		record.LeaseOwner, record.LeaseUntil, record.IntentAt, record.Attempt = "the dead", tomorrow.Add(time.Minute), tomorrow, 1
		if _, err := store.Put(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		token, err := keeper.Refresh(t.Context(), keepertest.Alice)
		if err != nil || token.Access != "access-2" {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < time.Minute || took > 2*time.Minute {
			t.Errorf("the lease was waited for %v", took)
		}
	})
}

// The clock of a database is another than this machine's.

// ahead is a store whose clock is ahead of this machine's.
type ahead struct {
	venuekey.Store
	by time.Duration
}

func (s *ahead) Get(ctx context.Context, key string) (venuekey.Record, error) {
	r, err := s.Store.Get(ctx, key)
	r.ReadAt = r.ReadAt.Add(s.by)
	return r, err
}

func (s *ahead) List(ctx context.Context, prefix, after string, limit int) ([]venuekey.Record, error) {
	rs, err := s.Store.List(ctx, prefix, after, limit)
	for i := range rs {
		rs[i].ReadAt = rs[i].ReadAt.Add(s.by)
	}
	return rs, err
}

func (s *ahead) Claim(ctx context.Context, prefix, owner string, lease time.Duration, limit int) (out []venuekey.Record, err error) {
	rs, err := s.List(ctx, prefix, "", 1000)
	for _, r := range rs {
		if len(out) == limit || r.NextRefresh.IsZero() || r.NextRefresh.After(r.ReadAt) || r.Leased() {
			continue
		}
		at := r.ReadAt
		r.LeaseOwner, r.LeaseUntil = owner, at.Add(lease)
		if r.Version, err = s.Put(ctx, r); err != nil {
			return out, err
		}
		out = append(out, r)
	}
	return out, err
}

// A store whose clock is ahead takes everything for due that was put off for less.
// Back-off must hold all the same, and no verdict be written again and again.
func TestAStoreWhoseClockIsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Metered{Venue: keepertest.Venue{Terms: venuekey.Policy{Pace: time.Millisecond, Burst: 1000}}}
		keeper := keepertest.New(t, &ahead{Store: &memory.Store{}, by: 10 * time.Minute}, venue)
		keepertest.Populate(t, keeper, 40)
		venue.Set(func(context.Context) error {
			time.Sleep(100 * time.Millisecond)
			return &venuekey.Error{Class: venuekey.ClassLater, Reason: "down"}
		})
		time.Sleep(keepertest.Life * 7 / 10)
		run(t, keeper, 10*time.Minute)
		if n := len(venue.Asked); n > 40*12 {
			t.Errorf("%d requests of 40 sign-ins within ten minutes", n)
		}
		venue.Set(nil)
		run(t, keeper, 10*time.Minute)
		for status, err := range keeper.Statuses(t.Context()) {
			if err != nil || status.State != venuekey.StateFresh {
				t.Errorf("%s is %s, %v", status.ID, status.State, err)
			}
		}
	})
}
