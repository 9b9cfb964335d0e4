package tradovate_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// hosts_test.go tests on which hosts a user is served.

// TestAUserOnAnotherHost tells of a user whom Tradovate has moved to a dedicated host: the
// sign-in, its renewals and its refresh token follow there, by either flow.
func TestAUserOnAnotherHost(t *testing.T) {
	for name, app := range map[string]venuekey.App{
		"by password": {Params: map[string]venuekey.Secret{"cid": "42", "sec": "demo-sec", "app_id": "venuekey", "device_id": "d"}},
		"by OAuth":    {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	} {
		t.Run(name, func(t *testing.T) {
			dedicated := &emu.Server{Knobs: emu.Knobs{AnyLoopbackRedirect: true}}
			there := httptest.NewServer(dedicated)
			defer there.Close()
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, there.URL+r.URL.RequestURI(), http.StatusTemporaryRedirect)
			}))
			defer front.Close()
			venue := tradovate.Venue{AuthorizeURL: there.URL + "/oauth", LiveHost: front.URL, DemoHost: there.URL}
			token, err := venue.Login(t.Context(), app, browsing{emulator.Person{Name: "alice", Password: "wonderland"}})
			if err != nil {
				t.Fatal(err)
			}
			if err := venue.Probe(t.Context(), app); err != nil {
				t.Error(err)
			}
			if token.Refresh != "" {
				dead := token
				dead.Expires = dead.Issued
				if token, err = venue.Refresh(t.Context(), app, dead); err != nil {
					t.Fatal(err)
				}
			}
			if token, err = venue.Refresh(t.Context(), app, token); err != nil || !dedicated.Alive(string(token.Access)) {
				t.Fatal(err)
			}
		})
	}
}

// browsing is a UI of alice's: she types her password, or signs in on the page.
type browsing struct{ emulator.Person }

func (b browsing) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return map[string]venuekey.Secret{"name": venuekey.Secret(b.Name), "password": venuekey.Secret(b.Password)}, nil
}

func (b browsing) Visit(ctx context.Context, visit venuekey.Visit) error {
	return b.Person.Visit(ctx, visit.URL)
}

func (browsing) Paste(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }
func (browsing) Tell(string)                               {}

// TestWhereATokenGoes tables the redirects and hosts that are obeyed.
func TestWhereATokenGoes(t *testing.T) {
	for _, row := range []struct {
		to   string
		goes bool
	}{
		{"https://dedicated.tradovateapi.com/v1", true},
		{"https://LIVE7.ninjatrader.com./v1", true},
		{"https://tradovate.com/v1", true},
		{"https://tradovate.com:443/v1", true},
		{"https://tradovate.com:8443/v1", false},
		{"http://dedicated.tradovateapi.com/v1", false},
		{"https://nottradovateapi.com/v1", false},
		{"https://tradovateapi.com.evil.example/v1", false},
		{"https://tradovateapi.com@evil.example/v1", false},
		{"https://user@live.tradovateapi.com/v1", false},
		{"https://127.0.0.1/v1", false},
		{"http://localhost/v1", false},
		{"http://127.0.0.1:9103/v1", true},
		{"http://127.0.0.1:9104/v1", false},
		{"https://127.0.0.1:9102/v1", true},
		{"http://127.0.0.1/v1", false},
	} {
		to, _ := url.Parse(row.to)
		app := venuekey.App{URLs: map[string]string{"api": "http://127.0.0.1:9102/v1"}}
		if (tradovate.Venue{DemoHost: "http://127.0.0.1:9103"}).Owns(app, to) != row.goes {
			t.Errorf("%s: %t", row.to, !row.goes)
		}
	}
}

func TestHostsThatATokenNames(t *testing.T) {
	for _, row := range []struct{ hosts, want string }{
		{`{"live":"dedicated.tradovateapi.com","demo":"d.tradovateapi.com"}`, "https://dedicated.tradovateapi.com/v1"},
		{`{"live":"dedicated.tradovateapi.com","limits":{"a":1}}`, "https://dedicated.tradovateapi.com/v1"},
		{`{"live":"evil.example"}`, tradovate.LiveHost + "/v1"},
		{`{"live":"live.tradovateapi.com@evil.example"}`, tradovate.LiveHost + "/v1"},
		{`{"live":"evil.example/.tradovateapi.com"}`, tradovate.LiveHost + "/v1"},
		{`{"live":"evil.example?.tradovateapi.com"}`, tradovate.LiveHost + "/v1"},
		{`{"live":"evil.example\\.tradovateapi.com"}`, tradovate.LiveHost + "/v1"},
		{`{"live":7}`, tradovate.LiveHost + "/v1"},
		{`{"demo":"d.tradovateapi.com"}`, tradovate.LiveHost + "/v1"},
		{`[]`, tradovate.LiveHost + "/v1"},
		{``, tradovate.LiveHost + "/v1"},
	} {
		token := venuekey.Token{Extras: map[string]venuekey.Secret{"apiHosts": venuekey.Secret(row.hosts)}}
		if got := (tradovate.Venue{}).HostFor(venuekey.App{}, token, "live", tradovate.LiveHost+"/v1"); got != row.want {
			t.Errorf("%s: %s", row.hosts, got)
		}
		if got := (tradovate.Venue{}).APIFor(venuekey.App{}, token).Base; got != row.want {
			t.Errorf("%s: the API is at %s", row.hosts, got)
		}
	}
	obeyed := venuekey.App{URLs: map[string]string{"api": "https://proxy.example/v1"}}
	token := venuekey.Token{Extras: map[string]venuekey.Secret{"apiHosts": `{"live":"dedicated.tradovateapi.com"}`}}
	if got := (tradovate.Venue{}).APIFor(obeyed, token).Base; got != "https://proxy.example/v1" {
		t.Errorf("an app's own address: %s", got)
	}
}

// TestARedirectThatIsNotObeyed sends no secret to a host that is not Tradovate's, and none
// in circles.
func TestARedirectThatIsNotObeyed(t *testing.T) {
	for _, location := range []string{"http://evil.example/v1", "http://127.0.0.1:1/v1", "/v1/again", ""} {
		var asked atomic.Int32
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}))
		_, err := tradovate.API{Base: front.URL}.RenewAccessToken(t.Context(), "SENTINEL")
		front.Close()
		if venuekey.ClassOf(err) != venuekey.ClassMisconfigured || asked.Load() > 1 {
			t.Errorf("%q: %v after %d requests", location, err, asked.Load())
		}
	}
}
