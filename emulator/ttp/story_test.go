package ttp_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/emulator/ttp"
)

// The life of one sign-in, as TTP facts §2 and §3 describe it.
func TestStory(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	q := s.Back(apptest.Alice(), s.authorizeURL())
	if len(q) != 2 || q.Get("state") != "x y+z" {
		t.Errorf("sent back with %v, want code and state", q)
	}
	a := s.exchange(q.Get("code"))
	looks := regexp.MustCompile(`^[a-z0-9]{40}$`)
	if a.Status != 200 || len(a.Keys) != 5 || a.Keys["expires_in"] != 86400.0 || a.Text("token_type") != "Bearer" || a.Text("scope") != "basic" ||
		!looks.MatchString(a.Text("access_token")) || !looks.MatchString(a.Text("refresh_token")) {
		t.Fatalf("exchange: %d, %d keys, expires_in %v", a.Status, len(a.Keys), a.Keys["expires_in"])
	}
	if me := s.me(a.Text("access_token")); me.Status != 200 || me.Text("ID") != "1001" || me.Text("user_login") != "alice" ||
		me.Text("user_email") != "alice@example.com" || me.Text("user_status") != "0" || len(me.Keys) != 7 {
		t.Errorf("me: %d %v", me.Status, me.Keys)
	}

	b := s.refresh(a.Text("refresh_token"))
	if b.Status != 200 || b.Text("refresh_token") == "" || b.Text("refresh_token") == a.Text("refresh_token") {
		t.Fatalf("refresh: %d %v", b.Status, b.Keys)
	}
	if !s.Alive(a.Text("access_token")) || s.RefreshAlive(a.Text("refresh_token")) {
		t.Error("a refresh uses the refresh token up and leaves the access token alone")
	}
	if c := s.refresh(a.Text("refresh_token")); c.Status != 400 || c.Text("error") != "invalid_grant" || c.Text("error_description") != "Invalid refresh token" {
		t.Errorf("used refresh token: %d %v", c.Status, c.Keys)
	}
	s.Time().Advance(24 * time.Hour)
	if s.me(b.Text("access_token")).Status != 401 || !s.RefreshAlive(b.Text("refresh_token")) {
		t.Error("after a day the access token is dead and the refresh token not")
	}
	s.Time().Advance(9 * 24 * time.Hour)
	if c := s.refresh(b.Text("refresh_token")); c.Status != 400 || c.Text("error_description") != "Refresh token has expired" {
		t.Errorf("after ten days: %d %v", c.Status, c.Keys)
	}
	for kind, want := range map[emulator.EventKind]int{
		emulator.EventConsentGiven: 1, emulator.EventCodeIssued: 1, emulator.EventCodeExchanged: 1, emulator.EventRefreshPresented: 3,
		emulator.EventRefreshGranted: 1, emulator.EventRefreshRefused: 2, emulator.EventMeAnswered: 1, emulator.EventMeRefused: 1,
	} {
		if n := s.Log().Count(kind); n != want {
			t.Errorf("%d events %s, want %d", n, kind, want)
		}
	}
	s.Reset()
	if len(s.Events()) != 0 || s.Time().Offset() != 0 {
		t.Error("a reset forgets everything")
	}
}

// Every endpoint lies under both of the plugin's addresses.
func TestBothAddresses(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	pretty, query := s.authorizeURL(), strings.Replace(s.authorizeURL(), "/oauth/authorize?", "/?oauth=authorize&", 1)
	for _, authorize := range []string{pretty, query} {
		for _, form := range []string{"/oauth/", "/?oauth="} {
			a := s.Post(form+"token", apptest.ExchangeForm(s.Back(apptest.Alice(), authorize).Get("code")))
			access := a.Text("access_token")
			if access == "" || !s.Alive(access) {
				t.Fatalf("%stoken: %d %v", form, a.Status, a.Keys)
			}
			if me := s.Request("GET", form+"me", "", "Authorization", "bearer "+access); me.Text("user_login") != "alice" {
				t.Errorf("%sme: %d %v", form, me.Status, me.Keys)
			}
			if a := s.Post(form+"revoke", url.Values{"token": {access}}); a.Body != "{\"revoked\":true}\n" || s.Alive(access) {
				t.Errorf("%srevoke: %d %q", form, a.Status, a.Body)
			}
		}
	}
}

// What TTP's own page prints, and whatever else is not there, are pages.
func TestPagesOfWordPress(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	for path, status := range map[string]int{
		"/oauth?=token&grant_type=refresh_token&refresh_token=x": 404, "/oauth?me": 404, "/oauth/": 404, "/oauth/introspection": 404,
		"/?oauth=nothing": 404, "/wp-login.php": 404, "/.well-known/openid-configuration": 404, "/?=token": 200, "/": 200,
	} {
		if a := s.Request("GET", path, ""); a.Status != status || !isHTML(a) {
			t.Errorf("GET %s: %d %s, want a page with %d", path, a.Status, a.Header.Get("Content-Type"), status)
		}
	}
}

func TestTokenIsPostOnly(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	_, refresh := s.signIn()
	for _, path := range []string{"/oauth/token", "/?oauth=token", "/oauth/revoke"} {
		for _, method := range []string{"GET", "PUT", "DELETE", "OPTIONS"} {
			separator := "?"
			if strings.Contains(path, "?") {
				separator = "&"
			}
			a := s.Request(method, path+separator+apptest.RefreshForm(refresh).Encode(), "")
			if a.Status != 405 || a.Header.Get("Allow") != "POST" || a.Text("error") != "invalid_request" {
				t.Errorf("%s %s: %d, Allow %q, %v", method, path, a.Status, a.Header.Get("Allow"), a.Keys)
			}
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.AllowOptions = true })
	if a := s.Request("GET", "/oauth/token", ""); a.Header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("Allow: %q", a.Header.Get("Allow"))
	}
	// Nor do parameters count anywhere but in a form body.
	if a := s.Post("/oauth/token?"+apptest.RefreshForm(refresh).Encode(), nil); a.Status != 400 || a.Text("error") != "invalid_request" {
		t.Errorf("parameters in the query: %d %v", a.Status, a.Keys)
	}
	if a := s.Request("POST", "/oauth/token", `{"grant_type":"refresh_token"}`, "Content-Type", "application/json"); a.Text("error") != "invalid_request" {
		t.Errorf("JSON: %d %v", a.Status, a.Keys)
	}
	if !s.RefreshAlive(refresh) {
		t.Error("none of this uses the refresh token up")
	}
}

func TestTokenErrors(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, refresh := s.signIn()
	for _, test := range []struct {
		name string
		form url.Values
		code string
		text string
	}{
		{"no grant type", apptest.ExchangeForm("x", "grant_type", ""), "invalid_request", ""},
		{"strange grant type", apptest.ExchangeForm("x", "grant_type", "password"), "unsupported_grant_type", ""},
		{"no client", apptest.ExchangeForm("x", "client_id", ""), "invalid_client", ""},
		{"strange client", apptest.ExchangeForm("x", "client_id", "nobody"), "invalid_client", ""},
		{"wrong secret", apptest.ExchangeForm("x", "client_secret", "wrong"), "invalid_client", ""},
		{"refresh without secret", apptest.RefreshForm(refresh, "client_secret", ""), "invalid_client", ""},
		{"no code", apptest.ExchangeForm(""), "invalid_request", ""},
		{"strange code", apptest.ExchangeForm("x"), "invalid_grant", ""},
		{"redirect URI not repeated", apptest.ExchangeForm(s.code(), "redirect_uri", ""), "redirect_uri_mismatch", ""},
		{"other redirect URI", apptest.ExchangeForm(s.code(), "redirect_uri", apptest.Callback+"/"), "redirect_uri_mismatch", ""},
		{"no refresh token", apptest.RefreshForm(""), "invalid_request", ""},
		{"access token as refresh token", apptest.RefreshForm(access), "invalid_grant", "Invalid refresh token"},
	} {
		a := s.Post("/oauth/token", test.form)
		if a.Status != 400 || a.Text("error") != test.code || a.Text("error_description") == "" || test.text != "" && a.Text("error_description") != test.text {
			t.Errorf("%s: %d %v, want %s", test.name, a.Status, a.Keys, test.code)
		}
	}
	if !s.RefreshAlive(refresh) {
		t.Error("refusals leave the refresh token alone")
	}
	s.Tune(func(k *ttp.Knobs) { k.ClientStatus = 401 })
	if a := s.refresh(refresh, "client_secret", "wrong"); a.Status != 401 || a.Text("error") != "invalid_client" {
		t.Errorf("switched: %d %v", a.Status, a.Keys)
	}
}

func TestCodesAreShortLived(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	code := s.code()
	s.Time().Advance(29 * time.Second)
	if a := s.exchange(code); a.Status != 200 {
		t.Errorf("after 29 s: %d %v", a.Status, a.Keys)
	}
	if a := s.exchange(code); a.Status != 400 || a.Text("error") != "invalid_grant" {
		t.Errorf("twice: %d %v", a.Status, a.Keys)
	}
	code = s.code()
	s.Time().Advance(30 * time.Second)
	if a := s.exchange(code); a.Status != 400 || a.Text("error_description") != "The authorization code has expired" {
		t.Errorf("after 30 s: %d %v", a.Status, a.Keys)
	}
}

// Basic credentials go first and are taken as they are; some hosts swallow them.
func TestBasic(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	s.Server.Apps = []emulator.App{{ClientID: "demo-client", ClientSecret: "50% off+&", RedirectURIs: []string{apptest.Callback}}}
	basic := func(secret string) []string {
		req := &http.Request{Header: http.Header{}}
		req.SetBasicAuth("demo-client", secret)
		return []string{"Authorization", req.Header.Get("Authorization")}
	}
	bare := []string{"client_id", "", "client_secret", ""}
	if a := s.Post("/oauth/token", apptest.ExchangeForm(s.code(), bare...), basic("50% off+&")...); a.Status != 200 {
		t.Errorf("as it is: %d %v", a.Status, a.Keys)
	}
	if a := s.Post("/oauth/token", apptest.ExchangeForm(s.code(), bare...), basic(url.QueryEscape("50% off+&"))...); a.Text("error") != "invalid_client" {
		t.Errorf("percent-encoded: %d %v", a.Status, a.Keys)
	}
	right := []string{"client_secret", "50% off+&"}
	if a := s.Post("/oauth/token", apptest.ExchangeForm(s.code(), right...), basic("wrong")...); a.Text("error") != "invalid_client" {
		t.Errorf("wrong header, right body: %d %v", a.Status, a.Keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.StripAuthorization = true })
	a := s.Post("/oauth/token", apptest.ExchangeForm(s.code(), right...), basic("wrong")...)
	if a.Status != 200 {
		t.Errorf("stripped: %d %v", a.Status, a.Keys)
	}
	if me := s.me(a.Text("access_token")); me.Status != 401 || me.Header.Get("WWW-Authenticate") != `Bearer realm="Service"` {
		t.Errorf("me without header: %d %q", me.Status, me.Header.Get("WWW-Authenticate"))
	}
	if me := s.Request("GET", "/oauth/me?access_token="+a.Text("access_token"), "", "Authorization", "Bearer x"); me.Status != 200 {
		t.Errorf("me by query: %d %v", me.Status, me.Keys)
	}
}

// What is in the log and in the admin's state is nothing secret.
func TestNothingSecretComesOut(t *testing.T) {
	t.Parallel()
	const sentinel = "sentinel"
	s := open(t, ttp.Knobs{TokenPrefix: sentinel})
	access, refresh := s.signIn()
	s.refresh(refresh)
	s.refresh(refresh)
	s.me(access)
	s.me(sentinel + "-made-up")
	s.ping(access, "")
	s.Post("/oauth/revoke", url.Values{"token": {access}})
	s.exchange(sentinel+"-made-up", "client_secret", "demo-sentinel")
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(s.Events()); err != nil {
		t.Fatal(err)
	}
	if len(s.Events()) < 10 {
		t.Errorf("only %d events", len(s.Events()))
	}
	for _, path := range []string{"state", "events"} {
		out.WriteString(strings.ReplaceAll(s.Request("GET", "/_emulator/"+path, "").Body, `"TokenPrefix":"`+sentinel+`"`, ""))
	}
	for _, secret := range []string{sentinel, "demo-secret", "wonderland"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q comes out", secret)
		}
	}
	if !slices.ContainsFunc(s.Events(), func(e emulator.Event) bool { return e.Fingerprint == emulator.Fingerprint(access) }) {
		t.Error("the access token's fingerprint is not in the log")
	}
}
