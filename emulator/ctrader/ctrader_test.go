package ctrader_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
)

const callback = "http://localhost:8080/auth/callback"

// desk is an emulated cTrader behind a real listener, and an app that uses it.
type desk struct {
	*ctrader.Server
	t   *testing.T
	url string
}

// open has the emulator say in words why it refuses, so that a test can tell.
func open(t *testing.T, k ctrader.Knobs) desk {
	k.Descriptions = true
	s := &ctrader.Server{Knobs: k}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return desk{s, t, web.URL}
}

func alice() emulator.Person { return emulator.Person{Name: "alice", Password: "wonderland"} }

// authorizeURL is in order but for the changes, which come as pairs; an empty
// value leaves a parameter out.
func (d desk) authorizeURL(path string, change ...string) string {
	q := url.Values{"client_id": {"demo-client"}, "redirect_uri": {callback}, "scope": {"trading"}, "state": {"xyzzy"}}
	return d.url + path + "?" + with(q, change).Encode()
}

func with(q url.Values, change []string) url.Values {
	for i := 0; i < len(change); i += 2 {
		q.Set(change[i], change[i+1])
		if change[i+1] == "" {
			q.Del(change[i])
		}
	}
	return q
}

// back is the query with which the browser is sent back.
func (d desk) back(p emulator.Person, authorizeURL string) url.Values {
	d.t.Helper()
	to, err := p.Redirected(d.t.Context(), authorizeURL)
	if err != nil {
		d.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, callback+"?") {
		d.t.Fatalf("sent back to %q", to)
	}
	return u.Query()
}

func (d desk) code() string {
	d.t.Helper()
	return d.back(alice(), d.authorizeURL("/apps/auth")).Get("code")
}

// reply is a token answer.
type reply struct {
	status  int
	keys    map[string]any
	access  string
	refresh string
	errCode string
	desc    string
}

func (d desk) token(method string, change ...string) reply {
	d.t.Helper()
	q := with(url.Values{"client_id": {"demo-client"}, "client_secret": {"demo-secret"}}, change)
	var res *http.Response
	var err error
	switch method {
	case "GET":
		res, err = direct.Get(d.url + "/apps/token?" + q.Encode())
	case "POST query":
		res, err = direct.Post(d.url+"/apps/token?"+q.Encode(), "application/json", nil)
	default:
		res, err = direct.PostForm(d.url+"/apps/token", q)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return read(d.t, res)
}

func read(t *testing.T, res *http.Response) reply {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: res.StatusCode}
	if json.Unmarshal(body, &r.keys) == nil {
		r.access, _ = r.keys["accessToken"].(string)
		r.refresh, _ = r.keys["refreshToken"].(string)
		r.errCode, _ = r.keys["errorCode"].(string)
		r.desc, _ = r.keys["description"].(string)
	}
	return r
}

func (d desk) exchange(code string, change ...string) reply {
	d.t.Helper()
	return d.token("POST", append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback}, change...)...)
}

func (d desk) refresh(token string, change ...string) reply {
	d.t.Helper()
	return d.token("POST", append([]string{"grant_type", "refresh_token", "refresh_token", token}, change...)...)
}

func (d desk) signIn() reply {
	d.t.Helper()
	r := d.exchange(d.code())
	if r.access == "" || r.refresh == "" {
		d.t.Fatalf("sign-in: %+v", r)
	}
	return r
}

// The life of one sign-in, as cTrader facts §1.3 to §1.7 tell it.
func TestStory(t *testing.T) {
	t.Parallel()
	d := open(t, ctrader.Knobs{})
	for _, path := range []string{"/apps/auth", "/my/settings/openapi/grantingaccess/"} {
		q := d.back(alice(), d.authorizeURL(path, "product", "web", "response_type", "code"))
		if len(q) != 1 || len(q.Get("code")) != 43 {
			t.Errorf("%s: sent back with %v, want nothing but a code", path, q)
		}
	}
	first := d.signIn()
	if len(first.access) != 43 || len(first.refresh) != 43 || !d.Alive(first.access) || !d.RefreshAlive(first.refresh) {
		t.Errorf("first pair: %+v", first)
	}
	second := d.refresh(first.refresh)
	if second.access == "" || second.refresh == "" || second.refresh == first.refresh {
		t.Fatalf("refresh: %+v", second)
	}
	if d.Alive(first.access) || d.RefreshAlive(first.refresh) || !d.Alive(second.access) {
		t.Error("the old pair must die of the refresh and the new one live")
	}
	if r := d.refresh(first.refresh); r.status != 200 || r.desc != "Invalid refresh token" || r.errCode == "" {
		t.Errorf("used refresh token: %+v", r)
	}
	d.Time().Advance(2628000 * time.Second)
	if d.Alive(second.access) || !d.RefreshAlive(second.refresh) {
		t.Error("after a month the access token is dead, the refresh token never")
	}
	third := d.refresh(second.refresh)
	d.signIn()
	if !d.Alive(third.access) || d.RefreshAlive(third.refresh) {
		t.Error("signing in again kills the earlier refresh token and nothing else")
	}
	if n := d.RevokeUser("alice"); n == 0 || d.Alive(third.access) {
		t.Errorf("revoking: %d", n)
	}
	for kind, want := range map[emulator.Kind]int{
		emulator.CodeIssued: 4, emulator.CodeExchanged: 2, emulator.RefreshPresented: 3,
		emulator.RefreshGranted: 2, emulator.RefreshRefused: 1, emulator.GrantReplaced: 1,
	} {
		if n := d.Log().Count(kind); n != want {
			t.Errorf("%d events %s, want %d", n, kind, want)
		}
	}
	d.Reset()
	if len(d.Events()) != 0 {
		t.Error("a reset forgets everything")
	}
}

func TestTokenMethods(t *testing.T) {
	t.Parallel()
	d := open(t, ctrader.Knobs{})
	for _, method := range []string{"GET", "POST", "POST query"} {
		r := d.token(method, "grant_type", "authorization_code", "code", d.code(), "redirect_uri", callback)
		if r.access == "" {
			t.Errorf("%s: exchange %+v", method, r)
		}
		if r := d.token(method, "grant_type", "refresh_token", "refresh_token", r.refresh); r.access == "" {
			t.Errorf("%s: refresh %+v", method, r)
		}
	}
	d.Tune(func(k *ctrader.Knobs) { k.RefuseGET = true })
	if r := d.token("GET"); r.status != 405 {
		t.Errorf("GET refused: %+v", r)
	}
	d.Tune(func(k *ctrader.Knobs) { k.RefusePOST = true })
	if r := d.token("POST"); r.status != 405 {
		t.Errorf("POST refused: %+v", r)
	}
}

func TestTokenShapes(t *testing.T) {
	t.Parallel()
	d := open(t, ctrader.Knobs{})
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
	r := d.signIn()
	// The shape of 2021 (cTrader facts §1.5).
	if got, want := shape(r), "accessToken access_token errorCode=null expiresIn expires_in refreshToken refresh_token tokenType"; got != want {
		t.Errorf("both: %s", got)
	}
	if r.keys["tokenType"] != "bearer" || r.keys["expiresIn"] != 2628000.0 || r.keys["expires_in"] != 2628000.0 ||
		r.keys["access_token"] != r.access || r.keys["refresh_token"] != r.refresh {
		t.Errorf("values: type %v, life %v", r.keys["tokenType"], r.keys["expiresIn"])
	}
	d.Tune(func(k *ctrader.Knobs) { k.CamelCaseOnly = true })
	if got, want := shape(d.signIn()), "accessToken description=null errorCode=null expiresIn refreshToken tokenType"; got != want {
		t.Errorf("camelCase only: %s", got)
	}
	d.Tune(func(k *ctrader.Knobs) { k.OmitExpiry = true; k.Rotation = emulator.NoNewRefresh })
	if got, want := shape(d.refresh(d.signIn().refresh)), "accessToken description=null errorCode=null tokenType"; got != want {
		t.Errorf("without expiry and refresh token: %s", got)
	}
	if got, want := shape(d.refresh("nonsense")), "description errorCode"; got != want {
		t.Errorf("error: %s", got)
	}
	d.Tune(func(k *ctrader.Knobs) { k.NullTokens = true })
	if got, want := shape(d.refresh("nonsense")), "accessToken=null description errorCode expiresIn=null refreshToken=null tokenType=null"; got != want {
		t.Errorf("error with nulls: %s", got)
	}
}

func TestTokenErrors(t *testing.T) {
	t.Parallel()
	d := open(t, ctrader.Knobs{ErrorCodes: ctrader.ErrorCodes{Code: "CODE_X"}})
	pair := d.signIn()
	used := d.code()
	d.exchange(used)
	late := d.code()
	d.Time().Advance(time.Minute)
	for _, tc := range []struct {
		name       string
		got        reply
		code, desc string
	}{
		{"no grant type", d.token("POST"), "INVALID_REQUEST", "Invalid grant type"},
		{"wrong secret", d.refresh(pair.refresh, "client_secret", "x"), "ACCESS_DENIED", "Invalid client credentials"},
		{"no secret", d.refresh(pair.refresh, "client_secret", ""), "ACCESS_DENIED", "Invalid client credentials"},
		{"unknown client", d.refresh(pair.refresh, "client_id", "x"), "ACCESS_DENIED", "Invalid client credentials"},
		{"unknown refresh token", d.refresh("x"), "INVALID_GRANT", "Invalid refresh token"},
		{"access as refresh token", d.refresh(pair.access), "INVALID_GRANT", "Invalid refresh token"},
		{"unknown code", d.exchange("x"), "CODE_X", "Invalid authorization code"},
		{"used code", d.exchange(used), "CODE_X", "Invalid authorization code"},
		{"late code", d.exchange(late), "CODE_X", "Invalid authorization code"},
		{"other redirect", d.exchange(d.code(), "redirect_uri", callback+"/"), "INVALID_REQUEST", "Invalid redirect URI"},
		{"no redirect", d.exchange(d.code(), "redirect_uri", ""), "INVALID_REQUEST", "Invalid redirect URI"},
	} {
		if tc.got.status != 200 || tc.got.errCode != tc.code || tc.got.desc != tc.desc || tc.got.access != "" {
			t.Errorf("%s: %+v", tc.name, tc.got)
		}
	}
	d.Tune(func(k *ctrader.Knobs) { k.ErrorStatus = 400 })
	if r := d.refresh("x"); r.status != 400 || r.errCode != "INVALID_GRANT" {
		t.Errorf("with a status: %+v", r)
	}
}

func TestTokensBelongToTheirApp(t *testing.T) {
	t.Parallel()
	other := emulator.App{ClientID: "other", ClientSecret: "o", RedirectURIs: []string{callback}}
	s := &ctrader.Server{Apps: []emulator.App{emulator.DefaultApp(), other}, Knobs: ctrader.Knobs{Descriptions: true}}
	web := httptest.NewServer(s)
	defer web.Close()
	d := desk{s, t, web.URL}
	asOther := []string{"client_id", "other", "client_secret", "o"}
	pair, code := d.signIn(), d.code()
	if r := d.exchange(code, asOther...); r.desc != "Invalid authorization code" {
		t.Errorf("foreign code: %+v", r)
	}
	if r := d.exchange(code); r.access == "" {
		t.Errorf("the code is used up by a foreign app: %+v", r)
	}
	if r := d.refresh(pair.refresh, asOther...); r.desc != "Invalid refresh token" {
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
			d := open(t, tc.knobs)
			p := alice()
			p.Deny = true
			_, err := p.Redirected(t.Context(), d.authorizeURL("/apps/auth", tc.change...))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if d.Log().Count(emulator.AuthorizeRefused) != 1 || d.Log().Count(emulator.CodeIssued) != 0 {
				t.Errorf("events %+v", d.Events())
			}
		})
	}
}

// position is a position of the switches and what must be true of it.
type position struct {
	name  string
	knobs ctrader.Knobs
	check func(d desk) bool
}

func try(t *testing.T, positions []position) {
	t.Parallel()
	for _, tc := range positions {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if d := open(t, tc.knobs); !tc.check(d) {
				t.Errorf("not as expected; events %+v", d.Events())
			}
		})
	}
}

func TestAuthorizeSwitches(t *testing.T) {
	deny := alice()
	deny.Deny = true
	try(t, []position{
		{"denied", ctrader.Knobs{}, func(d desk) bool {
			return d.back(deny, d.authorizeURL("/apps/auth")).Encode() == "error=access_denied"
		}},
		{"denied with state", ctrader.Knobs{EchoState: true}, func(d desk) bool {
			return d.back(deny, d.authorizeURL("/apps/auth")).Encode() == "error=access_denied&state=xyzzy"
		}},
		{"state", ctrader.Knobs{EchoState: true}, func(d desk) bool {
			return d.back(alice(), d.authorizeURL("/apps/auth")).Get("state") == "xyzzy"
		}},
		{"no state to echo", ctrader.Knobs{EchoState: true}, func(d desk) bool {
			return !d.back(alice(), d.authorizeURL("/apps/auth", "state", "")).Has("state")
		}},
		{"any loopback", ctrader.Knobs{AnyLoopbackRedirect: true}, func(d desk) bool {
			to, err := alice().Redirected(t.Context(), d.authorizeURL("/apps/auth", "redirect_uri", "http://127.0.0.1:5/x"))
			return err == nil && strings.HasPrefix(to, "http://127.0.0.1:5/x?code=")
		}},
		{"PKCE is ignored", ctrader.Knobs{}, func(d desk) bool {
			q := d.back(alice(), d.authorizeURL("/apps/auth", "code_challenge", "x", "code_challenge_method", "S256"))
			return d.exchange(q.Get("code")).access != ""
		}},
	})
}

func TestTokenSwitches(t *testing.T) {
	try(t, []position{
		{"code life", ctrader.Knobs{CodeLife: time.Hour}, func(d desk) bool {
			code := d.code()
			d.Time().Advance(59 * time.Minute)
			return d.exchange(code).access != ""
		}},
		{"lives", ctrader.Knobs{AccessLife: time.Hour, RefreshLife: 2 * time.Hour}, func(d desk) bool {
			r := d.signIn()
			d.Time().Advance(time.Hour)
			dead, kept := !d.Alive(r.access), d.RefreshAlive(r.refresh)
			d.Time().Advance(time.Hour)
			return r.keys["expiresIn"] == 3600.0 && dead && kept && d.refresh(r.refresh).access == ""
		}},
		{"old access stays", ctrader.Knobs{OldAccessStays: true}, func(d desk) bool {
			r := d.signIn()
			return d.refresh(r.refresh).access != "" && d.Alive(r.access)
		}},
		{"old refresh stays", ctrader.Knobs{OldRefreshStays: true}, func(d desk) bool {
			r := d.signIn()
			d.signIn()
			return d.RefreshAlive(r.refresh)
		}},
		{"rotation", ctrader.Knobs{Rotation: emulator.GraceSamePair, Grace: time.Minute}, func(d desk) bool {
			r := d.signIn()
			second := d.refresh(r.refresh)
			return second.access != "" && d.refresh(r.refresh).refresh == second.refresh
		}},
	})
}

// Nobody knows what the real service says beside a code, so nothing is said.
func TestNothingIsSaidBesideACode(t *testing.T) {
	t.Parallel()
	d := open(t, ctrader.Knobs{})
	d.Tune(func(k *ctrader.Knobs) { k.Descriptions = false })
	for code, r := range map[string]reply{"ACCESS_DENIED": d.refresh("x", "client_secret", "x"), "INVALID_GRANT": d.refresh("x"), "INVALID_REQUEST": d.token("POST")} {
		if description, there := r.keys["description"]; r.errCode != code || !there || description != nil {
			t.Errorf("%s: %+v", code, r)
		}
	}
}

func TestBasicHeader(t *testing.T) {
	t.Parallel()
	d := open(t, ctrader.Knobs{})
	ask := func(form url.Values) reply {
		req, err := http.NewRequest("POST", d.url+"/apps/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth("demo-client", "demo-secret")
		res, err := direct.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return read(t, res)
	}
	full := url.Values{"client_id": {"demo-client"}, "client_secret": {"demo-secret"}}
	if r := ask(url.Values{}); r.desc != "Invalid client credentials" {
		t.Errorf("the header counts: %+v", r)
	}
	if r := ask(full); r.desc != "Invalid grant type" {
		t.Errorf("the header harms: %+v", r)
	}
	d.Tune(func(k *ctrader.Knobs) { k.RejectBasic = true })
	if r := ask(full); r.desc != "Invalid client credentials" {
		t.Errorf("the header is not refused: %+v", r)
	}
}

// direct keeps no connections. The default client's end when any test's server
// closes, and with them a form that is about to be sent.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
