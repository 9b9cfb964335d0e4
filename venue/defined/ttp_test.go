package defined_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/ttp"
	"github.com/venuekey/venuekey/venue/venuetest"
)

func named(t testing.TB, name string) venuekey.Venue {
	t.Helper()
	venue, err := defined.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return venue
}

// The definition of TTP is held to what the venue in Go is held to, against the emulated
// site that was written for that one.
func TestTheDefinitionOfTTPKeepsTheContract(t *testing.T) {
	for name, row := range map[string]struct {
		app   venuekey.App
		apps  []emulator.App
		knobs emu.Knobs
	}{
		"as documented": {app: venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"}},
		"newer": {app: venuekey.App{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
			knobs: emu.Knobs{PKCE: true, RequestToken: true, ExpiryAsText: true, AskConsent: true, EnforceState: true}},
		"an app without a secret": {app: venuekey.App{ClientID: "public-client", RedirectURI: "http://127.0.0.1:0/auth/callback"},
			apps: []emulator.App{{ClientID: "public-client"}}, knobs: emu.Knobs{PKCE: true, PublicNeedsPKCE: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			venuetest.Run(t, func(t testing.TB) venuetest.Subject {
				row.knobs.AnyLoopbackRedirect = true
				server := &emu.Server{Knobs: row.knobs, Apps: row.apps}
				return venuetest.Subject{
					Venue: named(t, "ttp"), App: row.app, Server: server,
					Person:   emulator.Person{Name: "alice", Password: "wonderland"},
					TakeBack: func() { server.RevokeUser("alice") },
					Alive:    func(access venuekey.Secret) bool { return server.Alive(string(access)) },
				}
			})
		})
	}
}

// Both send the same requests.
func TestTheDefinitionOfTTPSendsWhatTheVenueInGoSends(t *testing.T) {
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ := httputil.DumpRequest(r, true)
		sent = append(sent, string(request))
		if r.URL.Path == "/oauth/token" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"a","expires_in":60,"user_login":"alice","ID":"7"}`))
	}))
	defer server.Close()
	app := venuekey.App{ClientID: "id", ClientSecret: "secret", RedirectURI: "https://app.example/cb", URLs: map[string]string{"base": server.URL}}
	token := venuekey.Token{Access: "access", Refresh: "refresh"}
	for name, call := range map[string]func(venuekey.Venue) error{
		"refresh": func(v venuekey.Venue) error { _, err := v.Refresh(t.Context(), app, token); return err },
		"revoke":  func(v venuekey.Venue) error { return v.(venuekey.Revoker).Revoke(t.Context(), app, token) },
		"probe":   func(v venuekey.Venue) error { return v.(venuekey.Prober).Probe(t.Context(), app) },
		"identify": func(v venuekey.Venue) error {
			_, err := v.(venuekey.Identifier).Identify(t.Context(), app, token)
			return err
		},
	} {
		sent = nil
		if err := call(ttp.Venue{}); err != nil {
			t.Errorf("%s in Go: %v", name, err)
		}
		inGo := sent
		sent = nil
		if err := call(named(t, "ttp")); err != nil {
			t.Errorf("%s by definition: %v", name, err)
		}
		if len(sent) != len(inGo) {
			t.Errorf("%s: %d requests, want %d", name, len(sent), len(inGo))
			continue
		}
		for i := range sent {
			if sent[i] != inGo[i] {
				t.Errorf("%s: sent\n%s\nwant\n%s", name, sent[i], inGo[i])
			}
		}
	}
}

// What they say of their tokens is the same.
func TestTheDefinitionOfTTPHasThePolicyOfTheVenueInGo(t *testing.T) {
	got, want := named(t, "ttp").Policy(), ttp.Venue{}.Policy()
	a, _ := got.MarshalJSON()
	b, _ := want.MarshalJSON()
	if string(a) != string(b) {
		t.Errorf("%s\nwant\n%s", a, b)
	}
	request, _ := http.NewRequest("GET", "https://api.example/", nil)
	same := request.Clone(t.Context())
	token := venuekey.Token{Access: "access"}
	named(t, "ttp").(venuekey.Signer).Sign(token, request)
	ttp.Venue{}.Sign(token, same)
	for name := range same.Header {
		if request.Header.Get(name) != same.Header.Get(name) {
			t.Errorf("%s is %q, want %q", name, request.Header.Get(name), same.Header.Get(name))
		}
	}
}
