package defined_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
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

// In every situation that the emulated site knows, both say the same, word for word.
func TestTheDefinitionOfTTPSaysWhatTheVenueInGoSays(t *testing.T) {
	for name, knobs := range map[string]emu.Knobs{
		"as documented": {}, "a page": {HTMLStatus: 200}, "a page with 403": {HTMLStatus: 403}, "a page with 503": {HTMLStatus: 503}, "no renewals": {RefuseRefresh: true},
		"a redirect": {MovedPOST: true}, "switched off": {PluginOff: true}, "an expired token": {DeadToken: "expired_token"},
		"a status of its own": {ClientStatus: 401}, "too few scopes": {NeedsScope: "profile"}, "no life": {OmitExpiry: true}, "a life in text": {ExpiryAsText: true}, "another name": {RequestToken: true},
		"nothing to revoke with": {RevokeAbsent: true}, "one kind": {RevokeOnly: "refresh_token"}, "the other kind": {RevokeOnly: "access_token"}, "no Authorization": {StripAuthorization: true},
	} {
		for situation, change := range map[string]func(*venuekey.App, *venuekey.Token){
			"a good token": nil, "a wrong secret": func(a *venuekey.App, _ *venuekey.Token) { a.ClientSecret = "wrong-secret" },
			"another app": func(a *venuekey.App, _ *venuekey.Token) { a.ClientID = "another" }, "a dead token": func(_ *venuekey.App, t *venuekey.Token) { t.Access, t.Refresh = "dead-access", "dead-refresh" },
			"no refresh token": func(_ *venuekey.App, t *venuekey.Token) { t.Refresh = "" },
		} {
			said := [2]string{}
			for i, venue := range []venuekey.Venue{ttp.Venue{}, named(t, "ttp")} {
				said[i] = sayings(t, venue, knobs, change)
			}
			if said[0] != said[1] {
				t.Errorf("%s, %s: by definition\n%s\nin Go\n%s", name, situation, said[1], said[0])
			}
		}
	}
}

// sayings is what a venue says of all that can be asked of it, with a token that a user had
// before the site became what the knobs say.
func sayings(t *testing.T, venue venuekey.Venue, knobs emu.Knobs, change func(*venuekey.App, *venuekey.Token)) string {
	server := &emu.Server{Knobs: emu.Knobs{AnyLoopbackRedirect: true}, Users: []emulator.User{{Name: "alice", Password: "wonderland", ID: 7}}}
	web := httptest.NewServer(server)
	defer web.Close()
	app := venuekey.App{Venue: "ttp", ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/cb", URLs: map[string]string{"base": web.URL}}
	token, err := venue.Login(t.Context(), app, &browsing{person: emulator.Person{Name: "alice", Password: "wonderland"}})
	if err != nil {
		t.Fatal(err)
	}
	server.Tune(func(k *emu.Knobs) { *k = knobs })
	if change != nil {
		change(&app, &token)
	}
	var said strings.Builder
	say := func(what string, err error) {
		text := strings.ReplaceAll(fmt.Sprint(err), strings.TrimPrefix(web.URL, "http://"), "HOST")
		known, _ := errors.AsType[*venuekey.Error](err)
		if known == nil {
			known = new(venuekey.Error)
		}
		fmt.Fprintf(&said, "%s: %s %s %s\n", what, known.Class, text, known.Remedy)
	}
	say("probe", venue.(venuekey.Prober).Probe(t.Context(), app))
	_, err = venue.(venuekey.Identifier).Identify(t.Context(), app, token)
	if err != nil { // whose words are the site's in the one and the venue's in the other
		err = &venuekey.Error{Class: venuekey.ClassOf(err)}
	}
	say("identify", err)
	renewed, err := venue.Refresh(t.Context(), app, token)
	say("refresh", err)
	fmt.Fprintf(&said, "%t %t %s %v\n", renewed.Access != "", renewed.Refresh != "", renewed.Life(), renewed.Notes)
	say("revoke", venue.(venuekey.Revoker).Revoke(t.Context(), app, token))
	return said.String()
}

// browsing is a user with a browser.
type browsing struct {
	silent
	person emulator.Person
}

func (b *browsing) Visit(ctx context.Context, visit venuekey.Visit) error {
	return b.person.Visit(ctx, visit.URL)
}
