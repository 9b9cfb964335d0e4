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
	"github.com/venuekey/venuekey/emulator/ttp"
)

// The life of one sign-in, as TTP facts §2 and §3 tell it.
func TestStory(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	q := s.back(alice(), s.authorizeURL())
	if len(q) != 2 || q.Get("state") != "x y+z" {
		t.Errorf("sent back with %v, want code and state", q)
	}
	a := s.exchange(q.Get("code"))
	looks := regexp.MustCompile(`^[a-z0-9]{40}$`)
	if a.status != 200 || len(a.keys) != 5 || a.keys["expires_in"] != 86400.0 || a.text("token_type") != "Bearer" || a.text("scope") != "basic" ||
		!looks.MatchString(a.text("access_token")) || !looks.MatchString(a.text("refresh_token")) {
		t.Fatalf("exchange: %d, %d keys, expires_in %v", a.status, len(a.keys), a.keys["expires_in"])
	}
	if me := s.me(a.text("access_token")); me.status != 200 || me.text("ID") != "1001" || me.text("user_login") != "alice" ||
		me.text("user_email") != "alice@example.com" || me.text("user_status") != "0" || len(me.keys) != 7 {
		t.Errorf("me: %d %v", me.status, me.keys)
	}

	b := s.refresh(a.text("refresh_token"))
	if b.status != 200 || b.text("refresh_token") == "" || b.text("refresh_token") == a.text("refresh_token") {
		t.Fatalf("refresh: %d %v", b.status, b.keys)
	}
	if !s.Alive(a.text("access_token")) || s.RefreshAlive(a.text("refresh_token")) {
		t.Error("a refresh uses the refresh token up and leaves the access token alone")
	}
	if c := s.refresh(a.text("refresh_token")); c.status != 400 || c.text("error") != "invalid_grant" || c.text("error_description") != "Invalid refresh token" {
		t.Errorf("used refresh token: %d %v", c.status, c.keys)
	}
	s.Time().Advance(24 * time.Hour)
	if s.me(b.text("access_token")).status != 401 || !s.RefreshAlive(b.text("refresh_token")) {
		t.Error("after a day the access token is dead and the refresh token not")
	}
	s.Time().Advance(9 * 24 * time.Hour)
	if c := s.refresh(b.text("refresh_token")); c.status != 400 || c.text("error_description") != "Refresh token has expired" {
		t.Errorf("after ten days: %d %v", c.status, c.keys)
	}
	for kind, want := range map[emulator.Kind]int{
		emulator.ConsentGiven: 1, emulator.CodeIssued: 1, emulator.CodeExchanged: 1, emulator.RefreshPresented: 3,
		emulator.RefreshGranted: 1, emulator.RefreshRefused: 2, emulator.MeAnswered: 1, emulator.MeRefused: 1,
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
			a := s.post(form+"token", exchangeForm(s.back(alice(), authorize).Get("code")))
			access := a.text("access_token")
			if access == "" || !s.Alive(access) {
				t.Fatalf("%stoken: %d %v", form, a.status, a.keys)
			}
			if me := s.request("GET", form+"me", "", "Authorization", "bearer "+access); me.text("user_login") != "alice" {
				t.Errorf("%sme: %d %v", form, me.status, me.keys)
			}
			if a := s.post(form+"revoke", url.Values{"token": {access}}); a.body != "{\"revoked\":true}\n" || s.Alive(access) {
				t.Errorf("%srevoke: %d %q", form, a.status, a.body)
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
		if a := s.request("GET", path, ""); a.status != status || !a.isHTML() {
			t.Errorf("GET %s: %d %s, want a page with %d", path, a.status, a.header.Get("Content-Type"), status)
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
			a := s.request(method, path+separator+refreshForm(refresh).Encode(), "")
			if a.status != 405 || a.header.Get("Allow") != "POST" || a.text("error") != "invalid_request" {
				t.Errorf("%s %s: %d, Allow %q, %v", method, path, a.status, a.header.Get("Allow"), a.keys)
			}
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.AllowOptions = true })
	if a := s.request("GET", "/oauth/token", ""); a.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("Allow: %q", a.header.Get("Allow"))
	}
	// Nor do parameters count anywhere but in a form body.
	if a := s.post("/oauth/token?"+refreshForm(refresh).Encode(), nil); a.status != 400 || a.text("error") != "invalid_request" {
		t.Errorf("parameters in the query: %d %v", a.status, a.keys)
	}
	if a := s.request("POST", "/oauth/token", `{"grant_type":"refresh_token"}`, "Content-Type", "application/json"); a.text("error") != "invalid_request" {
		t.Errorf("JSON: %d %v", a.status, a.keys)
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
		{"no grant type", exchangeForm("x", "grant_type", ""), "invalid_request", ""},
		{"strange grant type", exchangeForm("x", "grant_type", "password"), "unsupported_grant_type", ""},
		{"no client", exchangeForm("x", "client_id", ""), "invalid_client", ""},
		{"strange client", exchangeForm("x", "client_id", "nobody"), "invalid_client", ""},
		{"wrong secret", exchangeForm("x", "client_secret", "wrong"), "invalid_client", ""},
		{"refresh without secret", refreshForm(refresh, "client_secret", ""), "invalid_client", ""},
		{"no code", exchangeForm(""), "invalid_request", ""},
		{"strange code", exchangeForm("x"), "invalid_grant", ""},
		{"redirect URI not repeated", exchangeForm(s.code(), "redirect_uri", ""), "redirect_uri_mismatch", ""},
		{"other redirect URI", exchangeForm(s.code(), "redirect_uri", callback+"/"), "redirect_uri_mismatch", ""},
		{"no refresh token", refreshForm(""), "invalid_request", ""},
		{"access token as refresh token", refreshForm(access), "invalid_grant", "Invalid refresh token"},
	} {
		a := s.post("/oauth/token", test.form)
		if a.status != 400 || a.text("error") != test.code || a.text("error_description") == "" || test.text != "" && a.text("error_description") != test.text {
			t.Errorf("%s: %d %v, want %s", test.name, a.status, a.keys, test.code)
		}
	}
	if !s.RefreshAlive(refresh) {
		t.Error("refusals leave the refresh token alone")
	}
	s.Tune(func(k *ttp.Knobs) { k.ClientStatus = 401 })
	if a := s.refresh(refresh, "client_secret", "wrong"); a.status != 401 || a.text("error") != "invalid_client" {
		t.Errorf("switched: %d %v", a.status, a.keys)
	}
}

func TestCodesAreShortLived(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	code := s.code()
	s.Time().Advance(29 * time.Second)
	if a := s.exchange(code); a.status != 200 {
		t.Errorf("after 29 s: %d %v", a.status, a.keys)
	}
	if a := s.exchange(code); a.status != 400 || a.text("error") != "invalid_grant" {
		t.Errorf("twice: %d %v", a.status, a.keys)
	}
	code = s.code()
	s.Time().Advance(30 * time.Second)
	if a := s.exchange(code); a.status != 400 || a.text("error_description") != "The authorization code has expired" {
		t.Errorf("after 30 s: %d %v", a.status, a.keys)
	}
}

// Basic credentials go first and are taken as they are; some hosts swallow them.
func TestBasic(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	s.Server.Apps = []emulator.App{{ClientID: "demo-client", ClientSecret: "50% off+&", RedirectURIs: []string{callback}}}
	basic := func(secret string) []string {
		req := &http.Request{Header: http.Header{}}
		req.SetBasicAuth("demo-client", secret)
		return []string{"Authorization", req.Header.Get("Authorization")}
	}
	bare := []string{"client_id", "", "client_secret", ""}
	if a := s.post("/oauth/token", exchangeForm(s.code(), bare...), basic("50% off+&")...); a.status != 200 {
		t.Errorf("as it is: %d %v", a.status, a.keys)
	}
	if a := s.post("/oauth/token", exchangeForm(s.code(), bare...), basic(url.QueryEscape("50% off+&"))...); a.text("error") != "invalid_client" {
		t.Errorf("percent-encoded: %d %v", a.status, a.keys)
	}
	right := []string{"client_secret", "50% off+&"}
	if a := s.post("/oauth/token", exchangeForm(s.code(), right...), basic("wrong")...); a.text("error") != "invalid_client" {
		t.Errorf("wrong header, right body: %d %v", a.status, a.keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.StripAuthorization = true })
	a := s.post("/oauth/token", exchangeForm(s.code(), right...), basic("wrong")...)
	if a.status != 200 {
		t.Errorf("stripped: %d %v", a.status, a.keys)
	}
	if me := s.me(a.text("access_token")); me.status != 401 || me.header.Get("WWW-Authenticate") != `Bearer realm="Service"` {
		t.Errorf("me without header: %d %q", me.status, me.header.Get("WWW-Authenticate"))
	}
	if me := s.request("GET", "/oauth/me?access_token="+a.text("access_token"), "", "Authorization", "Bearer x"); me.status != 200 {
		t.Errorf("me by query: %d %v", me.status, me.keys)
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
	s.post("/oauth/revoke", url.Values{"token": {access}})
	s.exchange(sentinel+"-made-up", "client_secret", "demo-sentinel")
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(s.Events()); err != nil {
		t.Fatal(err)
	}
	if len(s.Events()) < 10 {
		t.Errorf("only %d events", len(s.Events()))
	}
	for _, path := range []string{"state", "events"} {
		out.WriteString(strings.ReplaceAll(s.request("GET", "/_emulator/"+path, "").body, `"TokenPrefix":"`+sentinel+`"`, ""))
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
