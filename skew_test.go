package venuekey_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

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
