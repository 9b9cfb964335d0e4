package load_test

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/store/memory"
)

// Virtual time: ten thousand sign-ins of a venue whose tokens live for a month,
// which all began on the same day. No renewal is missed, and none come in
// bunches above the budget. That is so with VENUEKEY_HEAVY=1, and for a year; else
// there are five hundred, or two hundred in a bare "go test", and thirty-two days pass.
func TestTenThousandSignInsOverALongTime(t *testing.T) {
	t.Parallel()
	sign, days := 500, 32
	switch {
	case os.Getenv("VENUEKEY_HEAVY") != "":
		sign, days = 10_000, 365
	case !needs.Slow():
		sign = 200
	}
	synctest.Test(t, func(t *testing.T) {
		policy := venuekey.Policy{Pace: 100 * time.Millisecond, Burst: 20, KillsAccess: true}
		venue := &keepertest.Monthly{Metered: keepertest.Metered{Venue: keepertest.Venue{Terms: policy}}}
		store := &memory.Store{}
		keeper := keepertest.New(t, store, venue)
		keepertest.Populate(t, keeper, sign)
		ctx, stop := context.WithTimeout(t.Context(), time.Duration(days)*24*time.Hour)
		defer stop()
		_ = keeper.Run(ctx)
		for status, err := range keeper.Statuses(t.Context()) {
			if err != nil || status.Left <= 0 || status.Failures > 0 {
				t.Fatalf("%+v %v", status, err)
			}
		}
		if n := venue.Late.Load(); n > 0 {
			t.Errorf("%d tokens were dead when their renewal came", n)
		}
		least := sign * (days / 25)
		if n := len(venue.Asked); n < least {
			t.Errorf("%d renewals in %d days, at least %d were due", n, days, least)
		}
		if most, budget := venue.Most(time.Minute), 600+20+10; most > budget {
			t.Errorf("%d renewals within a minute, the budget is %d", most, budget)
		}
		t.Logf("%d renewals in %d days, at most %d within a minute", len(venue.Asked), days, venue.Most(time.Minute))
	})
}
