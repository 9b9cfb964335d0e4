package venues_test

import (
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/ttp"
)

// What the facts say of each venue: what reuse does, and when a sign-in ends
// although nothing failed.
func TestWhatTheVenuesSayOfThemselves(t *testing.T) {
	for _, row := range []struct {
		venue venuekey.Venue
		lost  venuekey.LostAnswer
		ends  venuekey.Ending
		life  time.Duration
	}{
		{ctrader.Venue{}, venuekey.RetryUntilRefused, venuekey.EndNever, 0},
		{ttp.Venue{}, venuekey.RetryUntilRefused, venuekey.EndAfterIssue, 10 * 24 * time.Hour},
		{tradovate.Venue{}, venuekey.RetryUntilRefused, venuekey.EndAfterUse, 26 * time.Hour},
	} {
		policy := row.venue.Policy()
		if policy.AfterLostAnswer != row.lost || policy.RenewalEnds != row.ends || policy.RenewalLife != row.life {
			t.Errorf("%s: %+v", row.venue.Name(), policy)
		}
	}
}

// A load balancer that restarts cuts one connection after the other, and the
// venue sees none of the requests: where reuse is merely refused the sign-in
// outlives any number of them.
func TestCutConnectionsInARowLoseNothing(t *testing.T) {
	for _, s := range stages() {
		if !s.singleUse {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			keeper, id := s.open(t)
			keepertest.SignIn(t, keeper, id)
			s.server.Inject(emulator.Fault{On: s.renewal, Kind: emulator.FaultDropBefore, Times: 4})
			for range 4 {
				if _, err := keeper.Refresh(t.Context(), id); err == nil || venuekey.NeedsSignIn(err) {
					t.Fatalf("a cut connection: %v", err)
				}
			}
			if _, err := keeper.Refresh(t.Context(), id); err != nil {
				t.Fatalf("the venue is back: %v", err)
			}
		})
	}
}
