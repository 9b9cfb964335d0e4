package venuekey_test

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// Virtual time: ten thousand sign-ins of a venue whose tokens live for a month,
// which all began on the same day. No renewal is missed, and none come in
// bunches above the budget. That is so with VENUEKEY_HEAVY=1, and for a year; else
// there are two thousand, and forty days pass.
func TestTenThousandSignInsOverALongTime(t *testing.T) {
	t.Parallel()
	sign, days := 2_000, 40
	if os.Getenv("VENUEKEY_HEAVY") != "" {
		sign, days = 10_000, 365
	}
	synctest.Test(t, func(t *testing.T) {
		policy := venuekey.Policy{Pace: 100 * time.Millisecond, Burst: 20, KillsAccess: true}
		venue := &monthly{metered: metered{stageVenue: stageVenue{policy: policy}}}
		store := &memory.Store{}
		keeper := newKeeper(t, store, venue)
		populate(t, keeper, sign)
		ctx, stop := context.WithTimeout(t.Context(), time.Duration(days)*24*time.Hour)
		defer stop()
		_ = keeper.Run(ctx)
		for status, err := range keeper.Statuses(t.Context()) {
			if err != nil || status.Left <= 0 || status.Failures > 0 {
				t.Fatalf("%+v %v", status, err)
			}
		}
		if n := venue.late.Load(); n > 0 {
			t.Errorf("%d tokens were dead when their renewal came", n)
		}
		least := sign * (days / 25)
		if n := len(venue.asked); n < least {
			t.Errorf("%d renewals in %d days, at least %d were due", n, days, least)
		}
		if most, budget := venue.most(time.Minute), 600+20+10; most > budget {
			t.Errorf("%d renewals within a minute, the budget is %d", most, budget)
		}
		t.Logf("%d renewals in %d days, at most %d within a minute", len(venue.asked), days, venue.most(time.Minute))
	})
}

// monthly gives tokens that live for thirty days.
type monthly struct {
	metered
	late atomic.Int64
}

func (v *monthly) month(token venuekey.Token) venuekey.Token {
	token.Expires = token.Issued.Add(30 * 24 * time.Hour)
	return token
}

func (v *monthly) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	token, err := v.metered.Login(ctx, app, ui)
	return v.month(token), err
}

func (v *monthly) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if !token.Valid(time.Now()) {
		v.late.Add(1)
	}
	// Real tokens do not grow; the ones of metered do.
	token.Access, token.Refresh = token.Access[:min(len(token.Access), 20)], token.Refresh[:min(len(token.Refresh), 20)]
	got, err := v.metered.Refresh(ctx, app, token)
	return v.month(got), err
}
