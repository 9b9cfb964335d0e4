package venuetest_test

import (
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/venuetest"
)

// The whole test of a venue, here cTrader with its emulator.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestVenue(t *testing.T) {
		venuetest.Run(t, func(testing.TB) venuetest.Subject {
			server := &emu.Server{Knobs: emu.Knobs{AnyLoopbackRedirect: true}}
			return venuetest.Subject{
				Venue:    ctrader.Venue{},
				App:      venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
				Server:   server,
				Person:   emulator.Person{Name: "alice", Password: "wonderland"},
				TakeBack: func() { server.RevokeUser("alice") },
				Alive:    func(access venuekey.Secret) bool { return server.Alive(string(access)) },
			}
		})
	}
}
