package tradovate_test

import (
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/venuetest"
)

func TestTheVenueKeepsTheContract(t *testing.T) {
	for name, app := range map[string]venuekey.App{
		"by OAuth":    {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
		"by password": {Params: map[string]venuekey.Secret{"cid": "42", "sec": "demo-sec", "app_id": "venuekey", "app_version": "1", "device_id": "d"}},
	} {
		app.Pace, app.Burst = time.Millisecond, 1000 // the suite renews more often than the quota allows
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			venuetest.Run(t, func(testing.TB) venuetest.Subject {
				server := &emu.Server{Knobs: emu.Knobs{AnyLoopbackRedirect: true, RenewQuota: 1000, SessionLimit: 1000}}
				return venuetest.Subject{
					Venue: tradovate.Venue{}, App: app, Server: server,
					Person:   emulator.Person{Name: "alice", Password: "wonderland"},
					TakeBack: func() { server.RevokeUser("alice") },
					Alive:    func(access venuekey.Secret) bool { return server.Alive(string(access)) },
				}
			})
		})
	}
}
