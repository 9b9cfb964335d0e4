package venuekey_test

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
			for _, kind := range []emulator.Kind{emulator.RefreshPresented, emulator.RefreshRefused, emulator.RenewRefused, emulator.LoginRefused, emulator.Penalty} {
				if n := s.server.Log().Count(kind); n != 0 {
					t.Errorf("a probe counts as %s", kind)
				}
			}
			for _, kind := range []emulator.FaultKind{emulator.HTMLBefore, emulator.StatusBefore, emulator.DropBefore, emulator.RedirectBefore} {
				s.server.Inject(emulator.Fault{On: emulator.Refresh, Kind: kind})
				if err := prober.Probe(t.Context(), app); err == nil {
					t.Errorf("%s passes for the venue", kind)
				}
			}
		})
	}
}
