package ttp_test

import (
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/venue/ttp"
	"github.com/venuekey/venuekey/venue/venuetest"
)

func TestTheVenueKeepsTheContract(t *testing.T) {
	secret := venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"}
	basic := secret
	basic.Params = map[string]venuekey.Secret{"client_auth": "basic", "pkce": "on", "address_form": "query"}
	for name, row := range map[string]struct {
		app   venuekey.App
		apps  []emulator.App
		knobs emu.Knobs
	}{
		"as documented":               {app: secret},
		"newer, basic, request_token": {app: basic, knobs: emu.Knobs{PKCE: true, RequestToken: true, ExpiryAsText: true, AskConsent: true, EnforceState: true}},
		"an app without a secret": {app: venuekey.App{ClientID: "public-client", RedirectURI: "http://127.0.0.1:0/auth/callback", Params: map[string]venuekey.Secret{"client_auth": "none"}},
			apps: []emulator.App{{ClientID: "public-client"}}, knobs: emu.Knobs{PKCE: true, PublicNeedsPKCE: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			venuetest.Run(t, func(testing.TB) venuetest.Subject {
				row.knobs.AnyLoopbackRedirect = true
				server := &emu.Server{Knobs: row.knobs, Apps: row.apps}
				return venuetest.Subject{
					Venue: ttp.Venue{}, App: row.app, Server: server,
					Person:   emulator.Person{Name: "alice", Password: "wonderland"},
					TakeBack: func() { server.RevokeUser("alice") },
					Alive:    func(access venuekey.Secret) bool { return server.Alive(string(access)) },
				}
			})
		})
	}
}
