package venues_test

import (
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
)

// Every venue can be seen to answer without anything being presented, and nothing
// counts as a failed sign-in for it.
func TestEveryVenueIsProbedHarmlessly(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			keeper, _ := s.open(t)
			app := appOf(keeper, venuekey.ID{Venue: s.venue.Name()})
			prober := s.venue.(venuekey.Prober)
			for range 30 {
				if err := prober.Probe(t.Context(), app); err != nil {
					t.Fatal(err)
				}
			}
			for _, kind := range []emulator.EventKind{emulator.EventRefreshPresented, emulator.EventRefreshRefused, emulator.EventRenewRefused, emulator.EventLoginRefused, emulator.EventPenalty} {
				if n := s.server.Log().Count(kind); n != 0 {
					t.Errorf("a probe counts as %s", kind)
				}
			}
			for _, kind := range []emulator.FaultKind{emulator.FaultHTMLBefore, emulator.FaultStatusBefore, emulator.FaultDropBefore, emulator.FaultRedirectBefore} {
				s.server.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: kind})
				if err := prober.Probe(t.Context(), app); err == nil {
					t.Errorf("%s passes for the venue", kind)
				}
			}
		})
	}
}
