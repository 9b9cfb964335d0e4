package tradovate_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/emulator/tradovate"
)

// The life of one OAuth sign-in, as Tradovate facts §3 describe it.
func TestOAuthStory(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	q := v.Back(apptest.Alice(), v.authorizeURL("scope", "read write"))
	if len(q) != 2 || q.Get("state") != "x y+z" {
		t.Errorf("sent back with %v, want code and state", q)
	}
	a := v.token(apptest.ExchangeForm(q.Get("code")))
	if a.Status != 200 || sortedKeys(a.Keys) != "access_token expires_in id_token refresh_token refresh_token_expires_in token_type" ||
		a.Keys["expires_in"] != 4800.0 || a.Keys["refresh_token_expires_in"] != 93600.0 || a.Text("token_type") != "Bearer" {
		t.Fatalf("exchange: %d, %s", a.Status, sortedKeys(a.Keys))
	}
	if b := v.token(apptest.ExchangeForm(q.Get("code"))); b.Status != 200 || b.Text("error") != "invalid_grant" {
		t.Errorf("the code twice: %d %v", b.Status, b.Keys)
	}
	if b := v.renew(a.Text("access_token")); !v.Alive(b.Text("accessToken")) {
		t.Errorf("renewal of an OAuth token: %d %v", b.Status, b.Keys)
	}
	v.Time().Advance(25 * time.Hour)
	b := v.token(apptest.RefreshForm(a.Text("refresh_token")))
	if b.Status != 200 || b.Text("refresh_token") == a.Text("refresh_token") || !v.RefreshAlive(b.Text("refresh_token")) {
		t.Fatalf("refresh: %d %v", b.Status, b.Keys)
	}
	if c := v.token(apptest.RefreshForm(a.Text("refresh_token"))); c.Status != 200 || c.Text("error") != "invalid_token" || c.Text("error_description") == "" {
		t.Errorf("the old refresh token: %d %v", c.Status, c.Keys)
	}
	v.Time().Advance(26 * time.Hour)
	if c := v.token(apptest.RefreshForm(b.Text("refresh_token"))); c.Text("error") != "invalid_token" {
		t.Errorf("after 26 h: %d %v", c.Status, c.Keys)
	}
}

// Form and JSON, body and Basic, with and without /v1, on both hosts.
func TestTokenRequestForms(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	basic := &http.Request{Header: http.Header{}}
	basic.SetBasicAuth("demo-client", "demo-secret")
	header := []string{"Authorization", basic.Header.Get("Authorization")}
	for _, base := range []string{v.live, v.demo + "/v1"} {
		for name, change := range map[string][]string{
			"body": nil, "Basic": {"client_id", "", "client_secret", ""}, "Basic and id": {"client_secret", ""},
		} {
			with := header
			if change == nil {
				with = nil
			}
			form := apptest.ExchangeForm(v.code(), change...)
			if a := v.Request("POST", base+"/auth/oauthtoken", form.Encode(), append([]string{"Content-Type", apptest.AsForm}, with...)...); a.Text("access_token") == "" {
				t.Errorf("form, %s: %d %v", name, a.Status, a.Keys)
			}
			object := map[string]string{}
			for key := range form {
				object[key] = form.Get(key)
			}
			object["code"] = v.code()
			body, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			if a := v.Request("POST", base+"/auth/OAuthToken", string(body), append([]string{"Content-Type", asJSON}, with...)...); a.Text("access_token") == "" {
				t.Errorf("JSON, %s: %d %v", name, a.Status, a.Keys)
			}
		}
	}
}

func TestOAuthRefusals(t *testing.T) {
	t.Parallel()
	const mismatch = "client_id, redirect_uri and client_secret do not match existing setup"
	v := open(t, tradovate.Knobs{})
	access, refresh := v.oauth()
	late := v.code()
	v.Time().Advance(time.Minute)
	tests := []struct {
		name string
		form url.Values
		code string
		text string
	}{
		{"strange client", apptest.ExchangeForm("x", "client_id", "nobody"), "invalid_client", mismatch},
		{"wrong secret", apptest.ExchangeForm("x", "client_secret", "wrong"), "invalid_client", mismatch},
		{"refresh without secret", apptest.RefreshForm(refresh, "client_secret", ""), "invalid_client", mismatch},
		{"other redirect URI", apptest.ExchangeForm(v.code(), "redirect_uri", apptest.Callback+"/"), "invalid_client", mismatch},
		{"strange code", apptest.ExchangeForm("x"), "invalid_grant", ""},
		{"late code", apptest.ExchangeForm(late), "invalid_grant", ""},
		{"strange grant type", apptest.ExchangeForm("x", "grant_type", "password"), "unsupported_grant_type", ""},
		{"access token as refresh token", apptest.RefreshForm(access), "invalid_token", ""},
		{"no refresh token", apptest.RefreshForm(""), "invalid_token", ""},
	}
	for _, status := range []int{200, 400} {
		v.Tune(func(k *tradovate.Knobs) { k.OAuthErrorStatus = status })
		for _, test := range tests {
			a := v.token(test.form)
			if a.Status != status || a.Text("error") != test.code || a.Text("error_description") == "" || test.text != "" && a.Text("error_description") != test.text {
				t.Errorf("%s: %d %v, want %s", test.name, a.Status, a.Keys, test.code)
			}
		}
	}
	if a := v.token(apptest.ExchangeForm("x", "grant_type", "")); a.Keys["violations"] == nil {
		t.Errorf("no grant type: %d %v", a.Status, a.Keys)
	}
	if a := v.Request("POST", v.live+"/auth/oauthtoken", ""); a.Status != 400 {
		t.Errorf("no body: %d", a.Status)
	}
	if !v.RefreshAlive(refresh) {
		t.Error("refusals leave the refresh token alone")
	}
}

// A refusal may pass: the same token is good afterwards.
func TestTransientRefusals(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	_, refresh := v.oauth()
	v.Tune(func(k *tradovate.Knobs) { k.TransientRefusals = 2 })
	for range 2 {
		if a := v.token(apptest.RefreshForm(refresh)); a.Status != 200 || a.Text("error") != "invalid_token" || !v.RefreshAlive(refresh) {
			t.Errorf("%d %v", a.Status, a.Keys)
		}
	}
	if a := v.token(apptest.RefreshForm(refresh)); !v.Alive(a.Text("access_token")) {
		t.Errorf("the third time: %d %v", a.Status, a.Keys)
	}
}

func TestOAuthSwitches(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{OAuthMDToken: true, APIHosts: true, Rotation: emulator.RotationNoNewRefresh})
	a := v.token(apptest.ExchangeForm(v.code()))
	if a.Keys["mdAccessToken"] == nil || a.Keys["apiHosts"] == nil {
		t.Errorf("exchange: %s", sortedKeys(a.Keys))
	}
	b := v.token(apptest.RefreshForm(a.Text("refresh_token")))
	if _, has := b.Keys["refresh_token"]; has || !v.Alive(b.Text("access_token")) || !v.RefreshAlive(a.Text("refresh_token")) {
		t.Errorf("refresh: %s", sortedKeys(b.Keys))
	}
}

func TestAuthorizePage(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	deny := apptest.Alice()
	deny.Deny = true
	if q := v.Back(deny, v.authorizeURL()); q.Get("error") != "access_denied" || q.Get("state") != "x y+z" || len(q) != 2 {
		t.Errorf("denied: %v", q)
	}
	other := strings.Replace(v.authorizeURL("state", ""), v.live+"/oauth?", v.demo+"/oauth/authorize?", 1)
	if q := v.Back(apptest.Alice(), other); q.Get("code") == "" || len(q) != 1 {
		t.Errorf("the other address, without state: %v", q)
	}
	for name, change := range map[string][]string{
		"Wrong client_id": {"client_id", "nobody"}, "Wrong redirect_uri": {"redirect_uri", "http://localhost:8080/auth/apptest.Callback/"},
	} {
		if _, err := apptest.Alice().Redirected(t.Context(), v.authorizeURL(change...)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for code, change := range map[string][]string{
		"unsupported_response_type": {"response_type", "token"},
		"invalid_request":           {"code_challenge", "x", "code_challenge_method", "S512"},
	} {
		if q := v.Back(apptest.Alice(), v.authorizeURL(change...)); q.Get("error") != code || q.Get("state") != "x y+z" {
			t.Errorf("%s: %v", code, q)
		}
	}
	if q := v.Back(apptest.Alice(), v.authorizeURL("response_type", "")); q.Get("error") != "invalid_request" {
		t.Errorf("no response type: %v", q)
	}
	v.Tune(func(k *tradovate.Knobs) { k.AnyLoopbackRedirect = true })
	if to, err := apptest.Alice().Redirected(t.Context(), v.authorizeURL("redirect_uri", "http://127.0.0.1:1/cb")); err != nil || !strings.HasPrefix(to, "http://127.0.0.1:1/cb?") {
		t.Errorf("any loopback: %q, %v", to, err)
	}
}

func TestPKCE(t *testing.T) {
	t.Parallel()
	const verifier = "a-verifier-that-is-long-enough-for-rfc-7636-"
	sum := sha256.Sum256([]byte(verifier))
	v := open(t, tradovate.Knobs{})
	code := v.code("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256")
	for _, wrong := range []string{"", "wrong"} {
		if a := v.token(apptest.ExchangeForm(code, "code_verifier", wrong)); a.Text("error") != "invalid_grant" {
			t.Errorf("verifier %q: %d %v", wrong, a.Status, a.Keys)
		}
	}
	if a := v.token(apptest.ExchangeForm(code, "code_verifier", verifier)); a.Text("access_token") == "" {
		t.Errorf("the right one: %d %v", a.Status, a.Keys)
	}
	if a := v.token(apptest.ExchangeForm(v.code(), "code_verifier", verifier)); a.Text("access_token") == "" {
		t.Errorf("without challenge: %d %v", a.Status, a.Keys)
	}
}

func TestOneOfManyRefreshesWins(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	_, refresh := v.oauth()
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if v.token(apptest.RefreshForm(refresh)).Text("access_token") != "" {
				won.Add(1)
			}
			v.Tune(func(k *tradovate.Knobs) { k.Empty401 = !k.Empty401 })
		})
	}
	wg.Wait()
	if won.Load() != 1 || v.Log().Count(emulator.EventRefreshPresented) != 16 {
		t.Errorf("%d refreshes won, %d were presented", won.Load(), v.Log().Count(emulator.EventRefreshPresented))
	}
}
