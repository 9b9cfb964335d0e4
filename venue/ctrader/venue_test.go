package ctrader_test

import (
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/venuetest"
)

func TestTheVenueKeepsTheContract(t *testing.T) {
	for name, row := range map[string]struct {
		params map[string]venuekey.Secret
		knobs  emu.Knobs
	}{
		"as documented":     {},
		"by GET, camelCase": {map[string]venuekey.Secret{"token_method": "GET"}, emu.Knobs{CamelCaseOnly: true, RefusePOST: true, ErrorStatus: 400}},
		"with PKCE":         {map[string]venuekey.Secret{"pkce": "on"}, emu.Knobs{PKCE: true, EchoState: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			venuetest.Run(t, func(testing.TB) venuetest.Subject {
				row.knobs.AnyLoopbackRedirect = true
				server := &emu.Server{Knobs: row.knobs}
				return venuetest.Subject{
					Venue:    ctrader.Venue{},
					App:      venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback", Params: row.params},
					Server:   server,
					Person:   emulator.Person{Name: "alice", Password: "wonderland"},
					TakeBack: func() { server.RevokeUser("alice") },
					Alive:    func(access venuekey.Secret) bool { return server.Alive(string(access)) },
				}
			})
		})
	}
}
