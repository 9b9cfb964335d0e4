package tradovate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// hosts starts an emulated Tradovate with its live and its demo host.
func hosts(t *testing.T, knobs emu.Knobs) (venue *emu.Server, live, demo tradovate.API) {
	t.Helper()
	venue = &emu.Server{Knobs: knobs}
	liveHost, demoHost := httptest.NewServer(venue), httptest.NewServer(venue.Demo())
	t.Cleanup(liveHost.Close)
	t.Cleanup(demoHost.Close)
	return venue, tradovate.API{Base: liveHost.URL + "/v1"}, tradovate.API{Base: demoHost.URL + "/v1", MeBase: liveHost.URL + "/v1"}
}

var alice = tradovate.AccessTokenRequest{Name: "alice", Password: "wonderland", AppID: "test", AppVersion: "1", DeviceID: "d", CID: "42", Sec: "demo-sec"}

func TestTheFourOperations(t *testing.T) {
	venue, live, demo := hosts(t, emu.Knobs{APIHosts: true})
	for name, api := range map[string]tradovate.API{"live": live, "demo": demo} {
		got, err := api.AccessTokenRequest(t.Context(), alice)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.AccessToken == "" || got.MDAccessToken == "" || got.Name != "alice" || got.UserID == 0 || got.UserStatus == "" || len(got.APIHosts) == 0 {
			t.Fatalf("%s: %+v", name, got)
		}
		token := got.Token()
		if life := token.Life().Round(time.Minute); life != tradovate.AccessLife || token.Extra("mdAccessToken") != got.MDAccessToken {
			t.Fatalf("%s: lives %s", name, life)
		}
		renewed, err := api.RenewAccessToken(t.Context(), got.AccessToken)
		if err != nil || renewed.AccessToken == got.AccessToken || !venue.Alive(string(renewed.AccessToken)) {
			t.Fatalf("%s: %v", name, err)
		}
		me, err := api.Me(t.Context(), renewed.AccessToken)
		if err != nil || me.Name != "alice" || me.UserID != got.UserID {
			t.Fatalf("%s: %+v %v", name, me, err)
		}
	}
	if _, err := (tradovate.API{Base: demo.Base}).Me(t.Context(), "any"); err == nil {
		t.Fatal("the demo host answered who that is")
	}
}

func TestOAuthTokenByHand(t *testing.T) {
	_, live, _ := hosts(t, emu.Knobs{})
	site := strings.TrimSuffix(live.Base, "/v1")
	redirected, err := emulator.Person{Name: "alice", Password: "wonderland"}.Redirected(t.Context(),
		site+"/oauth?response_type=code&client_id=demo-client&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fauth%2Fcallback")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(redirected, "code=")
	exchange := tradovate.OAuthToken{GrantType: "authorization_code", Code: venuekey.Secret(code), RedirectURI: "http://localhost:8080/auth/callback", ClientID: "demo-client", ClientSecret: "demo-secret"}
	got, err := live.OAuthToken(t.Context(), exchange)
	if err != nil || got.AccessToken == "" || got.RefreshToken == "" || got.ExpiresIn != 4800 || got.RefreshTokenExpiresIn == 0 {
		t.Fatalf("%+v %v", got, err)
	}
	next, err := live.OAuthToken(t.Context(), tradovate.OAuthToken{GrantType: "refresh_token", RefreshToken: got.RefreshToken, ClientID: "demo-client", ClientSecret: "demo-secret"})
	if err != nil || next.RefreshToken == got.RefreshToken {
		t.Fatal(err)
	}
	if _, err := live.OAuthToken(t.Context(), exchange); !venuekey.NeedsSignIn(err) {
		t.Fatalf("a code was exchanged twice: %v", err)
	}
}

// The ways in which a 200, or what is none, says no.
func TestHowTradovateSaysNo(t *testing.T) {
	for _, row := range []struct {
		name, body string
		status     int
		class      venuekey.Class
		reason     string
		wait       time.Duration
	}{
		{"errorText", `{"errorText":"Incorrect username or password. Please try again.","accessToken":"a"}`, 200, venuekey.ClassRefused, "user name and password", 0},
		{"an errorText of its own", `{"errorText":"The moon is full"}`, 200, venuekey.ClassLater, "The moon is full", 0},
		{"an app that is not registered", `{"errorText":"The app is not registered"}`, 200, venuekey.ClassMisconfigured, "API key", 0},
		{"the other host", `{"errorText":"This endpoint should be called on live.tradovateapi.com"}`, 200, venuekey.ClassMisconfigured, "live host", 0},
		{"a penalty", `{"p-ticket":"t","p-time":15,"p-captcha":false}`, 200, venuekey.ClassLater, "15s", 15 * time.Second},
		{"a penalty in words", `{"p-ticket":"t","p-time":"15"}`, 200, venuekey.ClassLater, "15s", 15 * time.Second},
		{"a penalty without end", `{"p-ticket":"t","p-time":1e300}`, 200, venuekey.ClassLater, "1h", time.Hour},
		{"a captcha", `{"p-ticket":"t","p-time":15,"p-captcha":true}`, 200, venuekey.ClassLater, "hour", time.Hour},
		{"an OAuth error", `{"error":"invalid_client","error_description":"no"}`, 200, venuekey.ClassMisconfigured, "client id", 0},
		{"violations", `{"violations":[{"constraint":"maxLength","value":"SENTINEL","description":"name is too long"}]}`, 200, venuekey.ClassMisconfigured, "maxLength name is too long", 0},
		{"401 without a body", ``, 401, venuekey.ClassRefused, "access token", 0},
		{"401 in words", `Access is denied`, 401, venuekey.ClassRefused, "access token", 0},
		{"401 in a stranger's JSON", `{"message":"Forbidden"}`, 401, venuekey.ClassUnknown, "neither a token nor an OAuth error", 0},
		{"401 on a stranger's page", `<html>`, 401, venuekey.ClassUnknown, "HTML", 0},
		{"a byte-order mark", "\xef\xbb\xbf" + `{"errorText":"The app is not registered"}`, 200, venuekey.ClassMisconfigured, "API key", 0},
		{"429", ``, 429, venuekey.ClassLater, "too many requests", time.Hour},
		{"before a lockout", ``, 423, venuekey.ClassLater, "about to lock", time.Hour},
		{"a locked user", `{"userStatus":"TemporaryLocked"}`, 200, venuekey.ClassLater, "locked this user", time.Hour},
		{"a closed account", `{"userStatus":"Closed"}`, 200, venuekey.ClassRefused, "closed this user's account", 0},
		{"an unconfirmed address", `{"userStatus":"UnconfirmedEmail"}`, 200, venuekey.ClassRefused, "e-mail", 0},
		{"an unknown status", `{"userStatus":"Asleep"}`, 200, venuekey.ClassUnknown, "neither", 0},
		{"a blank errorText", `{"errorText":"","userId":1}`, 200, venuekey.ClassUnknown, "neither", 0},
		{"half an answer", `{"accessToken":"a`, 200, venuekey.ClassUnknown, "broken JSON", 0},
		{"a closed session", ``, 408, venuekey.ClassLater, "408", 0},
		{"500", `Internal Server Error, error id: 1`, 500, venuekey.ClassLater, "500", 0},
		{"the wrong infrastructure", ``, 307, venuekey.ClassMisconfigured, "another host", 0},
		{"HTML", `<html>`, 200, venuekey.ClassUnknown, "HTML", 0},
		{"fields of other types", `{"accessToken":7}`, 200, venuekey.ClassUnknown, "types", 0},
		{"no token", `{"userId":1}`, 200, venuekey.ClassUnknown, "neither", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(row.status)
				fmt.Fprint(w, row.body)
			}))
			defer server.Close()
			_, err := tradovate.API{Base: server.URL}.RenewAccessToken(t.Context(), "SENTINEL-access")
			var failure *venuekey.Error
			if !errors.As(err, &failure) || failure.Class != row.class || !strings.Contains(failure.Error(), row.reason) || failure.RetryAfter != row.wait {
				t.Fatalf("%s %s %v", failure.Class, failure.RetryAfter, err)
			}
			if strings.Contains(err.Error(), "SENTINEL") {
				t.Fatal(err)
			}
		})
	}
}

// What a sign-in by password is told, which is never about an access token.
func TestHowTradovateRefusesASignIn(t *testing.T) {
	for _, row := range []struct {
		name, body string
		status     int
		class      venuekey.Class
		reason     string
	}{
		{"401", ``, 401, venuekey.ClassRefused, "user name and password"},
		{"401 in words", `Access is denied`, 401, venuekey.ClassRefused, "user name and password"},
		{"a wrong password", `{"errorText":"Incorrect username or password. Please try again."}`, 200, venuekey.ClassRefused, "user name and password"},
		{"about to be locked", ``, 423, venuekey.ClassLater, "lock"},
		{"locked", `{"userStatus":"TemporaryLocked"}`, 200, venuekey.ClassLater, "locked"},
		{"a captcha", `{"p-ticket":"t","p-captcha":true}`, 200, venuekey.ClassLater, "captcha"},
		{"a penalty", `{"p-ticket":"t","p-time":9}`, 200, venuekey.ClassLater, "9s"},
		{"the wrong environment", `{"errorText":"This endpoint should be called on live.tradovateapi.com"}`, 200, venuekey.ClassMisconfigured, "live host"},
		{"no API key", `{"errorText":"The app is not registered"}`, 200, venuekey.ClassMisconfigured, "API key"},
		{"too many", ``, 429, venuekey.ClassLater, "too many"},
		{"a page", `<html>`, 503, venuekey.ClassLater, "503"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(row.status)
				fmt.Fprint(w, row.body)
			}))
			defer server.Close()
			_, err := tradovate.API{Base: server.URL}.AccessTokenRequest(t.Context(), alice)
			if venuekey.ClassOf(err) != row.class || !strings.Contains(err.Error(), row.reason) || strings.Contains(err.Error(), "access token") {
				t.Error(err)
			}
		})
	}
}

func TestAPenaltyNamesTheWaitAndCarriesTheTicket(t *testing.T) {
	venue, live, _ := hosts(t, emu.Knobs{Penalties: 1, PenaltyWait: 7 * time.Second})
	_, err := live.AccessTokenRequest(t.Context(), alice)
	var penalty *tradovate.Penalty
	if !errors.As(err, &penalty) || penalty.Wait != 7*time.Second || penalty.Captcha || penalty.Ticket == "" || !venuekey.Temporary(err) {
		t.Fatal(err)
	}
	again := alice
	again.Ticket = penalty.Ticket
	venue.Time().Advance(8 * time.Second)
	if _, err := live.AccessTokenRequest(t.Context(), again); err != nil {
		t.Fatal(err)
	}
}

func TestALocalClockThatIsWrongDoesNotBendALife(t *testing.T) {
	venue, live, _ := hosts(t, emu.Knobs{})
	for _, wrong := range []time.Duration{time.Hour, -24 * time.Hour} {
		venue.Time().Advance(wrong)
		got, err := live.AccessTokenRequest(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		if life := got.Token().Life().Round(time.Minute); life != tradovate.AccessLife {
			t.Fatalf("%s off: lives %s", wrong, life)
		}
	}
}

func TestRequestsThatAreNotWorthSending(t *testing.T) {
	for name, request := range map[string]tradovate.AccessTokenRequest{
		"no name":          {Password: "p"},
		"no password":      {Name: "n"},
		"a long name":      {Name: strings.Repeat("n", 65), Password: "p"},
		"a long device id": {Name: "n", Password: "p", DeviceID: strings.Repeat("d", 65)},
	} {
		if _, err := (tradovate.API{Base: "https://live.example"}).AccessTokenRequest(t.Context(), request); !venuekey.Misconfigured(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAppsThatCannotWork(t *testing.T) {
	key := map[string]venuekey.Secret{"cid": "1", "sec": "s"}
	for name, row := range map[string]struct {
		app  venuekey.App
		good bool
	}{
		"an API key":          {venuekey.App{Params: key}, true},
		"an OAuth client":     {venuekey.App{ClientID: "c", ClientSecret: "s", RedirectURI: "http://localhost:1/"}, true},
		"nothing":             {venuekey.App{}, false},
		"half an API key":     {venuekey.App{Params: map[string]venuekey.Secret{"cid": "1"}}, false},
		"no redirect":         {venuekey.App{ClientID: "c", ClientSecret: "s"}, false},
		"unknown environment": {venuekey.App{Params: key, Environment: "paper"}, false},
		"unknown flow":        {venuekey.App{Params: map[string]venuekey.Secret{"flow": "magic"}}, false},
	} {
		if err := (tradovate.Venue{}).CheckApp(row.app); (err == nil) != row.good || err != nil && !venuekey.Misconfigured(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAccessTokenResponse(f *testing.F) {
	f.Add([]byte(`{"accessToken":"a","expirationTime":"2026-01-02T03:04:05.678Z","userId":1,"mdAccessToken":"m","new":{"x":1}}`))
	f.Add([]byte(`{"accessToken":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got tradovate.AccessTokenResponse
		if json.Unmarshal(body, &got) != nil {
			return
		}
		token := got.Token()
		for _, secret := range []venuekey.Secret{got.AccessToken, got.MDAccessToken} {
			if text := fmt.Sprintf("%+v %+v", got, token); len(secret) > 12 && strings.Contains(text, string(secret)) {
				t.Fatal("a token prints")
			}
		}
	})
}

// What Tradovate says in words of its own about a refresh token: the demand to
// wait means that nothing was done.
func TestTradovatesOwnWordsAboutARefreshToken(t *testing.T) {
	for _, row := range []struct {
		body  string
		class venuekey.Class
	}{
		{`{"p-ticket":"t","p-time":15,"p-captcha":false}`, venuekey.ClassLater},
		{`{"errorText":"This endpoint should be called on live.tradovateapi.com"}`, venuekey.ClassMisconfigured},
		{`{"errorText":"The moon is full"}`, venuekey.ClassLater},
		{`{"violations":[{"constraint":"required","description":"x"}]}`, venuekey.ClassMisconfigured},
		{`{"message":"Forbidden"}`, venuekey.ClassUnknown},
		{`{"error":"Forbidden","error_description":"Access is denied due to invalid subscription key"}`, venuekey.ClassUnknown},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, row.body) }))
		app := venuekey.App{ClientID: "c", ClientSecret: "s"}
		_, err := tradovate.Venue{LiveHost: server.URL}.Refresh(t.Context(), app, venuekey.Token{Refresh: "r"})
		if venuekey.ClassOf(err) != row.class || err == nil {
			t.Errorf("%s: %s: %v", row.body, venuekey.ClassOf(err), err)
		}
		server.Close()
	}
}

// Nobody knows which of the two token addresses is there. A refresh token is shown
// to one only, and to the one that a sign-in found.
func TestARefreshTokenIsShownToOneAddress(t *testing.T) {
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.Path)
		if r.URL.Path == "/auth/oauthtoken" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"access_token":"a"}`)
	}))
	defer server.Close()
	venue, app := tradovate.Venue{LiveHost: server.URL}, venuekey.App{ClientID: "c", ClientSecret: "s"}
	if _, err := venue.Refresh(t.Context(), app, venuekey.Token{Refresh: "r"}); venuekey.ClassOf(err) != venuekey.ClassUnknown || len(seen) != 1 {
		t.Fatal(seen, err)
	}
	seen, app.Params = nil, map[string]venuekey.Secret{"token_path": "v1"}
	if _, err := venue.Refresh(t.Context(), app, venuekey.Token{Refresh: "r"}); err != nil || len(seen) != 1 || seen[0] != "/v1/auth/oauthtoken" {
		t.Fatal(seen, err)
	}
}

// An end that cannot be meant is taken as unstated.
func TestAnEndThatCannotBeMeant(t *testing.T) {
	for written, want := range map[string]time.Duration{
		"2020-01-01T00:00:00Z": tradovate.AccessLife, "2099-01-01T00:00:00Z": tradovate.AccessLife, "2026-11-25T13:00:00Z": time.Hour, "2026-11-25T12:00:01Z": tradovate.AccessLife,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Wed, 25 Nov 2026 12:00:00 GMT")
			fmt.Fprintf(w, `{"accessToken":"a","expirationTime":%q}`, written)
		}))
		got, err := tradovate.API{Base: server.URL}.RenewAccessToken(t.Context(), "a")
		token := got.Token()
		if odd := want != time.Hour; err != nil || (len(token.Notes) > 0) != odd || token.Life() != want {
			t.Errorf("%s: %s, %q, %v", written, token.Life(), token.Notes, err)
		}
		server.Close()
	}
}

// What an API call may not do says nothing against the token (RFC 6750 §3.1): a
// renewal that hears it uses nothing up, and asks no human for a sign-in that would
// bring the same token.
func TestAttackTooFewScopesTakenForADeadToken(t *testing.T) {
	for _, row := range []struct {
		status          int
		challenge, body string
		me, renew       venuekey.Class
	}{
		{403, `Bearer error="insufficient_scope", scope="Users:Read"`, `{"error":"insufficient_scope"}`, venuekey.ClassMisconfigured, venuekey.ClassMisconfigured},
		{401, `Bearer error="insufficient_scope"`, ``, venuekey.ClassMisconfigured, venuekey.ClassMisconfigured},
		{403, ``, `{"error":"insufficient_scope","scope":"Users:Read"}`, venuekey.ClassMisconfigured, venuekey.ClassMisconfigured},
		{401, `Bearer error="invalid_token"`, `{"message":"no"}`, venuekey.ClassRefused, venuekey.ClassUnknown}, // a gateway may say so too
		{401, ``, `Access is denied`, venuekey.ClassRefused, venuekey.ClassRefused},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if row.challenge != "" {
				w.Header().Set("WWW-Authenticate", row.challenge)
			}
			w.WriteHeader(row.status)
			fmt.Fprint(w, row.body)
		}))
		api := tradovate.API{Base: server.URL}
		if _, err := api.Me(t.Context(), "alive"); venuekey.ClassOf(err) != row.me {
			t.Errorf("%v: me: %v", row, err)
		}
		if _, err := api.RenewAccessToken(t.Context(), "alive"); venuekey.ClassOf(err) != row.renew {
			t.Errorf("%v: renew: %v", row, err)
		}
		server.Close()
	}
}
