package venuekey_test

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
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
