package ctrader_test

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/internal/apptest"
)

// The life of one sign-in, as cTrader facts §1.3 to §1.7 describe it.
func TestStory(t *testing.T) {
	t.Parallel()
	v := open(t, ctrader.Knobs{})
	for _, path := range []string{"/apps/auth", "/my/settings/openapi/grantingaccess/"} {
		q := v.Back(apptest.Alice(), v.authorizeURL(path, "product", "web", "response_type", "code"))
		if len(q) != 1 || len(q.Get("code")) != 43 {
			t.Errorf("%s: sent back with %v, want nothing but a code", path, q)
		}
	}
	first := v.signIn()
	if len(first.access) != 43 || len(first.refresh) != 43 || !v.Alive(first.access) || !v.RefreshAlive(first.refresh) {
		t.Errorf("first pair: %+v", first)
	}
	second := v.refresh(first.refresh)
	if second.access == "" || second.refresh == "" || second.refresh == first.refresh {
		t.Fatalf("refresh: %+v", second)
	}
	if v.Alive(first.access) || v.RefreshAlive(first.refresh) || !v.Alive(second.access) {
		t.Error("the old pair must die of the refresh and the new one live")
	}
	if r := v.refresh(first.refresh); r.status != 200 || r.desc != "Invalid refresh token" || r.errCode == "" {
		t.Errorf("used refresh token: %+v", r)
	}
	v.Time().Advance(2628000 * time.Second)
	if v.Alive(second.access) || !v.RefreshAlive(second.refresh) {
		t.Error("after a month the access token is dead, the refresh token never")
	}
	third := v.refresh(second.refresh)
	v.signIn()
	if !v.Alive(third.access) || v.RefreshAlive(third.refresh) {
		t.Error("signing in again kills the earlier refresh token and nothing else")
	}
	if n := v.RevokeUser("alice"); n == 0 || v.Alive(third.access) {
		t.Errorf("revoking: %d", n)
	}
	for kind, want := range map[emulator.EventKind]int{
		emulator.EventCodeIssued: 4, emulator.EventCodeExchanged: 2, emulator.EventRefreshPresented: 3,
		emulator.EventRefreshGranted: 2, emulator.EventRefreshRefused: 1, emulator.EventGrantReplaced: 1,
	} {
		if n := v.Log().Count(kind); n != want {
			t.Errorf("%d events %s, want %d", n, kind, want)
		}
	}
	v.Reset()
	if len(v.Events()) != 0 {
		t.Error("a reset forgets everything")
	}
}

func TestTokenMethods(t *testing.T) {
	t.Parallel()
	v := open(t, ctrader.Knobs{})
	for _, method := range []string{"GET", "POST", "POST query"} {
		r := v.token(method, "grant_type", "authorization_code", "code", v.code(), "redirect_uri", apptest.Callback)
		if r.access == "" {
			t.Errorf("%s: exchange %+v", method, r)
		}
		if r := v.token(method, "grant_type", "refresh_token", "refresh_token", r.refresh); r.access == "" {
			t.Errorf("%s: refresh %+v", method, r)
		}
	}
	v.Tune(func(k *ctrader.Knobs) { k.RefuseGET = true })
	if r := v.token("GET"); r.status != 405 {
		t.Errorf("GET refused: %+v", r)
	}
	v.Tune(func(k *ctrader.Knobs) { k.RefusePOST = true })
	if r := v.token("POST"); r.status != 405 {
		t.Errorf("POST refused: %+v", r)
	}
}

func TestTokenShapes(t *testing.T) {
	t.Parallel()
	v := open(t, ctrader.Knobs{})
	shape := func(r reply) string {
		var keys []string
		for k, v := range r.keys {
			if v == nil {
				k += "=null"
			}
			keys = append(keys, k)
		}
		slices.Sort(keys)
		return strings.Join(keys, " ")
	}
	r := v.signIn()
	// The shape of 2021 (cTrader facts §1.5).
	if got, want := shape(r), "accessToken access_token errorCode=null expiresIn expires_in refreshToken refresh_token tokenType"; got != want {
		t.Errorf("both: %s", got)
	}
	if r.keys["tokenType"] != "bearer" || r.keys["expiresIn"] != 2628000.0 || r.keys["expires_in"] != 2628000.0 ||
		r.keys["access_token"] != r.access || r.keys["refresh_token"] != r.refresh {
		t.Errorf("values: type %v, life %v", r.keys["tokenType"], r.keys["expiresIn"])
	}
	v.Tune(func(k *ctrader.Knobs) { k.CamelCaseOnly = true })
	if got, want := shape(v.signIn()), "accessToken description=null errorCode=null expiresIn refreshToken tokenType"; got != want {
		t.Errorf("camelCase only: %s", got)
	}
	v.Tune(func(k *ctrader.Knobs) { k.OmitExpiry = true; k.Rotation = emulator.RotationNoNewRefresh })
	if got, want := shape(v.refresh(v.signIn().refresh)), "accessToken description=null errorCode=null tokenType"; got != want {
		t.Errorf("without expiry and refresh token: %s", got)
	}
	if got, want := shape(v.refresh("nonsense")), "description errorCode"; got != want {
		t.Errorf("error: %s", got)
	}
	v.Tune(func(k *ctrader.Knobs) { k.NullTokens = true })
	if got, want := shape(v.refresh("nonsense")), "accessToken=null description errorCode expiresIn=null refreshToken=null tokenType=null"; got != want {
		t.Errorf("error with nulls: %s", got)
	}
}

func TestTokenErrors(t *testing.T) {
	t.Parallel()
	v := open(t, ctrader.Knobs{ErrorCodes: ctrader.ErrorCodes{Code: "CODE_X"}})
	pair := v.signIn()
	used := v.code()
	v.exchange(used)
	late := v.code()
	v.Time().Advance(time.Minute)
	for _, tc := range []struct {
		name       string
		got        reply
		code, desc string
	}{
		{"no grant type", v.token("POST"), "INVALID_REQUEST", "Invalid grant type"},
		{"wrong secret", v.refresh(pair.refresh, "client_secret", "x"), "ACCESS_DENIED", "Invalid client credentials"},
		{"no secret", v.refresh(pair.refresh, "client_secret", ""), "ACCESS_DENIED", "Invalid client credentials"},
		{"unknown client", v.refresh(pair.refresh, "client_id", "x"), "ACCESS_DENIED", "Invalid client credentials"},
		{"unknown refresh token", v.refresh("x"), "INVALID_GRANT", "Invalid refresh token"},
		{"access as refresh token", v.refresh(pair.access), "INVALID_GRANT", "Invalid refresh token"},
		{"unknown code", v.exchange("x"), "CODE_X", "Invalid authorization code"},
		{"used code", v.exchange(used), "CODE_X", "Invalid authorization code"},
		{"late code", v.exchange(late), "CODE_X", "Invalid authorization code"},
		{"other redirect", v.exchange(v.code(), "redirect_uri", apptest.Callback+"/"), "INVALID_REQUEST", "Invalid redirect URI"},
		{"no redirect", v.exchange(v.code(), "redirect_uri", ""), "INVALID_REQUEST", "Invalid redirect URI"},
	} {
		if tc.got.status != 200 || tc.got.errCode != tc.code || tc.got.desc != tc.desc || tc.got.access != "" {
			t.Errorf("%s: %+v", tc.name, tc.got)
		}
	}
	v.Tune(func(k *ctrader.Knobs) { k.ErrorStatus = 400 })
	if r := v.refresh("x"); r.status != 400 || r.errCode != "INVALID_GRANT" {
		t.Errorf("with a status: %+v", r)
	}
}

func TestTokensBelongToTheirApp(t *testing.T) {
	t.Parallel()
	other := emulator.App{ClientID: "other", ClientSecret: "o", RedirectURIs: []string{apptest.Callback}}
	s := &ctrader.Server{Apps: []emulator.App{emulator.DefaultApp(), other}, Knobs: ctrader.Knobs{Descriptions: true}}
	v := venue{s, apptest.Open(t, s)}
	asOther := []string{"client_id", "other", "client_secret", "o"}
	pair, code := v.signIn(), v.code()
	if r := v.exchange(code, asOther...); r.desc != "Invalid authorization code" {
		t.Errorf("foreign code: %+v", r)
	}
	if r := v.exchange(code); r.access == "" {
		t.Errorf("the code is used up by a foreign app: %+v", r)
	}
	if r := v.refresh(pair.refresh, asOther...); r.desc != "Invalid refresh token" {
		t.Errorf("foreign refresh token: %+v", r)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		knobs  ctrader.Knobs
		change []string
		want   string
	}{
		{name: "unknown client", change: []string{"client_id", "x"}, want: "Invalid client credentials"},
		{name: "unregistered redirect", change: []string{"redirect_uri", "http://localhost:8081/auth/callback"}, want: "Invalid redirect URI"},
		{name: "no redirect", change: []string{"redirect_uri", ""}, want: "Invalid redirect URI"},
		{name: "the Playground's redirect", knobs: ctrader.Knobs{PlaygroundFirst: true}, want: "Invalid redirect URI"},
		{name: "unknown scope", change: []string{"scope", "openid"}, want: "Invalid scope"},
		{name: "no scope", change: []string{"scope", ""}, want: "Invalid scope"},
		{name: "PKCE refused", knobs: ctrader.Knobs{RejectPKCE: true}, change: []string{"code_challenge", "x"}, want: "Invalid request"},
		{name: "denied without redirect", knobs: ctrader.Knobs{DenyWithoutRedirect: true}, want: "Access denied"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v := open(t, tc.knobs)
			p := apptest.Alice()
			p.Deny = true
			_, err := p.Redirected(t.Context(), v.authorizeURL("/apps/auth", tc.change...))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if v.Log().Count(emulator.EventAuthorizeRefused) != 1 || v.Log().Count(emulator.EventCodeIssued) != 0 {
				t.Errorf("events %+v", v.Events())
			}
		})
	}
}

// position is a position of the switches and what must be true of it.
type position struct {
	name  string
	knobs ctrader.Knobs
	check func(v venue) bool
}

func try(t *testing.T, positions []position) {
	t.Parallel()
	for _, tc := range positions {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if v := open(t, tc.knobs); !tc.check(v) {
				t.Errorf("not as expected; events %+v", v.Events())
			}
		})
	}
}

func TestAuthorizeSwitches(t *testing.T) {
	deny := apptest.Alice()
	deny.Deny = true
	try(t, []position{
		{"denied", ctrader.Knobs{}, func(v venue) bool {
			return v.Back(deny, v.authorizeURL("/apps/auth")).Encode() == "error=access_denied"
		}},
		{"denied with state", ctrader.Knobs{EchoState: true}, func(v venue) bool {
			return v.Back(deny, v.authorizeURL("/apps/auth")).Encode() == "error=access_denied&state=xyzzy"
		}},
		{"state", ctrader.Knobs{EchoState: true}, func(v venue) bool {
			return v.Back(apptest.Alice(), v.authorizeURL("/apps/auth")).Get("state") == "xyzzy"
		}},
		{"no state to echo", ctrader.Knobs{EchoState: true}, func(v venue) bool {
			return !v.Back(apptest.Alice(), v.authorizeURL("/apps/auth", "state", "")).Has("state")
		}},
		{"any loopback", ctrader.Knobs{AnyLoopbackRedirect: true}, func(v venue) bool {
			to, err := apptest.Alice().Redirected(t.Context(), v.authorizeURL("/apps/auth", "redirect_uri", "http://127.0.0.1:5/x"))
			return err == nil && strings.HasPrefix(to, "http://127.0.0.1:5/x?code=")
		}},
		{"PKCE is ignored", ctrader.Knobs{}, func(v venue) bool {
			q := v.Back(apptest.Alice(), v.authorizeURL("/apps/auth", "code_challenge", "x", "code_challenge_method", "S256"))
			return v.exchange(q.Get("code")).access != ""
		}},
	})
}

func TestTokenSwitches(t *testing.T) {
	try(t, []position{
		{"code life", ctrader.Knobs{CodeLife: time.Hour}, func(v venue) bool {
			code := v.code()
			v.Time().Advance(59 * time.Minute)
			return v.exchange(code).access != ""
		}},
		{"lives", ctrader.Knobs{AccessLife: time.Hour, RefreshLife: 2 * time.Hour}, func(v venue) bool {
			r := v.signIn()
			v.Time().Advance(time.Hour)
			dead, kept := !v.Alive(r.access), v.RefreshAlive(r.refresh)
			v.Time().Advance(time.Hour)
			return r.keys["expiresIn"] == 3600.0 && dead && kept && v.refresh(r.refresh).access == ""
		}},
		{"old access stays", ctrader.Knobs{OldAccessStays: true}, func(v venue) bool {
			r := v.signIn()
			return v.refresh(r.refresh).access != "" && v.Alive(r.access)
		}},
		{"old refresh stays", ctrader.Knobs{OldRefreshStays: true}, func(v venue) bool {
			r := v.signIn()
			v.signIn()
			return v.RefreshAlive(r.refresh)
		}},
		{"rotation", ctrader.Knobs{Rotation: emulator.RotationGraceSamePair, Grace: time.Minute}, func(v venue) bool {
			r := v.signIn()
			second := v.refresh(r.refresh)
			return second.access != "" && v.refresh(r.refresh).refresh == second.refresh
		}},
	})
}

// What the real service says besides a code is not known, so the description is null.
func TestNothingIsSaidBesideACode(t *testing.T) {
	t.Parallel()
	v := open(t, ctrader.Knobs{})
	v.Tune(func(k *ctrader.Knobs) { k.Descriptions = false })
	for code, r := range map[string]reply{"ACCESS_DENIED": v.refresh("x", "client_secret", "x"), "INVALID_GRANT": v.refresh("x"), "INVALID_REQUEST": v.token("POST")} {
		if description, there := r.keys["description"]; r.errCode != code || !there || description != nil {
			t.Errorf("%s: %+v", code, r)
		}
	}
}

func TestBasicHeader(t *testing.T) {
	t.Parallel()
	v := open(t, ctrader.Knobs{})
	ask := func(form url.Values) reply {
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("demo-client:demo-secret"))
		return read(v.Post("/apps/token", form, "Authorization", basic))
	}
	full := url.Values{"client_id": {"demo-client"}, "client_secret": {"demo-secret"}}
	if r := ask(url.Values{}); r.desc != "Invalid client credentials" {
		t.Errorf("the header counts: %+v", r)
	}
	if r := ask(full); r.desc != "Invalid grant type" {
		t.Errorf("the header harms: %+v", r)
	}
	v.Tune(func(k *ctrader.Knobs) { k.RejectBasic = true })
	if r := ask(full); r.desc != "Invalid client credentials" {
		t.Errorf("the header is not refused: %+v", r)
	}
}
