package ttp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ttp"
)

// The rows of the table in TTP facts §3 about refreshing.
func TestRefreshByVersion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		knobs    ttp.Knobs
		key      string // of the new refresh token; empty: there is none
		oldStays bool
	}{
		{"3.1.x", ttp.Knobs{}, "refresh_token", false},
		{"3.2.87", ttp.Knobs{Rotation: emulator.RotateOldStays}, "refresh_token", true},
		{"issue filter off", ttp.Knobs{Rotation: emulator.NoNewRefresh}, "", true},
		{"issue filter off, unset after use", ttp.Knobs{Rotation: emulator.NoNewRefreshOldDies}, "", false},
		{"the page's typo", ttp.Knobs{RequestToken: true}, "request_token", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, test.knobs)
			_, refresh := s.signIn()
			a := s.refresh(refresh)
			if a.status != 200 || !s.Alive(a.text("access_token")) {
				t.Fatalf("refresh: %d %v", a.status, a.keys)
			}
			for _, key := range []string{"refresh_token", "request_token"} {
				if _, has := a.keys[key]; has != (key == test.key) {
					t.Errorf("has %s: %t", key, has)
				}
			}
			if test.key != "" && !s.RefreshAlive(a.text(test.key)) {
				t.Error("the new refresh token is dead")
			}
			if got := s.RefreshAlive(refresh); got != test.oldStays {
				t.Errorf("the old refresh token lives: %t", got)
			}
			if again := s.refresh(refresh); (again.status == 200) != test.oldStays {
				t.Errorf("the old one again: %d %v", again.status, again.keys)
			}
		})
	}
}

func TestRefreshRefused(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{RefuseRefresh: true})
	_, refresh := s.signIn()
	if a := s.refresh(refresh); a.status != 400 || a.text("error") != "unsupported_grant_type" || s.RefreshAlive(refresh) {
		t.Errorf("%d %v", a.status, a.keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.RefuseRefresh = false })
	if a := s.refresh(refresh); a.status != 200 {
		t.Errorf("switched back: %d %v", a.status, a.keys)
	}
}

// A refresh token lives from its issue, however often it is used.
func TestUseExtendsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{Rotation: emulator.NoNewRefresh, RefreshLife: 24 * time.Hour})
	_, refresh := s.signIn()
	s.Time().Advance(23 * time.Hour)
	if a := s.refresh(refresh); a.status != 200 {
		t.Fatalf("after 23 h: %d %v", a.status, a.keys)
	}
	s.Time().Advance(time.Hour)
	if a := s.refresh(refresh); a.text("error_description") != "Refresh token has expired" {
		t.Errorf("after 24 h: %d %v", a.status, a.keys)
	}
}

func TestExpiryShapes(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{ExpiryAsText: true})
	if a := s.exchange(s.code()); a.text("expires_in") != "86400" {
		t.Errorf("as text: %v", a.keys["expires_in"])
	}
	s.Tune(func(k *ttp.Knobs) { k.OmitExpiry = true })
	if a := s.exchange(s.code()); a.status != 200 || a.keys["expires_in"] != nil {
		t.Errorf("omitted: %d %v", a.status, a.keys["expires_in"])
	}
}

// A bad client or redirect URI is JSON in the browser, everything else goes back.
func TestAuthorizeErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		knobs  ttp.Knobs
		change []string
		here   bool // JSON in the browser
		code   string
		state  string
	}{
		{"no client", ttp.Knobs{}, []string{"client_id", ""}, true, "invalid_client", ""},
		{"strange client", ttp.Knobs{}, []string{"client_id", "nobody"}, true, "invalid_client", ""},
		{"no redirect URI", ttp.Knobs{}, []string{"redirect_uri", ""}, true, "invalid_uri", ""},
		{"strange redirect URI", ttp.Knobs{}, []string{"redirect_uri", callback + "?x=1"}, true, "redirect_uri_mismatch", ""},
		{"no response type", ttp.Knobs{}, []string{"response_type", ""}, false, "invalid_request", "x y+z"},
		{"strange response type", ttp.Knobs{}, []string{"response_type", "token"}, false, "unsupported_response_type", "x y+z"},
		{"strange scope", ttp.Knobs{}, []string{"scope", "openid"}, false, "invalid_scope", "x y+z"},
		{"state enforced", ttp.Knobs{EnforceState: true}, []string{"state", ""}, false, "invalid_request", ""},
		{"strange challenge method", ttp.Knobs{PKCE: true}, []string{"code_challenge_method", "S512"}, false, "invalid_request", "x y+z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, test.knobs)
			a := s.request("GET", strings.TrimPrefix(s.authorizeURL(test.change...), s.url), "")
			got, status := a.text("error"), 400
			if !test.here {
				to, err := url.Parse(a.header.Get("Location"))
				if err != nil || !strings.HasPrefix(to.String(), callback+"?") {
					t.Fatalf("%d, Location %q", a.status, to)
				}
				got, status = to.Query().Get("error"), 302
				if to.Query().Get("state") != test.state || to.Query().Has("state") != (test.state != "") || to.Query().Get("error_description") == "" {
					t.Errorf("sent back with %v", to.Query())
				}
			}
			if a.status != status || got != test.code {
				t.Errorf("%d %s, want %s", a.status, got, test.code)
			}
			if s.Log().Count(emulator.AuthorizeRefused) != 1 {
				t.Error("no event")
			}
		})
	}
}

func TestWaysToConsent(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	deny := alice()
	deny.Deny = true
	for _, ask := range []bool{false, true} {
		s.Tune(func(k *ttp.Knobs) { k.AskConsent = ask; k.SignedIn = "" })
		if q := s.back(alice(), s.authorizeURL("scope", "basic", "state", "")); q.Get("code") == "" || q.Has("state") {
			t.Errorf("asked %t, allowed: %v", ask, q)
		}
		if q := s.back(deny, s.authorizeURL()); q.Get("error") != "access_denied" || q.Get("state") != "x y+z" || q.Has("code") {
			t.Errorf("asked %t, denied: %v", ask, q)
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.AskConsent = false; k.SignedIn = "bob" })
	a := s.exchange(s.code())
	if me := s.me(a.text("access_token")); me.text("user_login") != "bob" {
		t.Errorf("signed in before: %d %v", me.status, me.keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.SignedIn = ""; k.AnyLoopbackRedirect = true })
	to, err := alice().Redirected(t.Context(), s.authorizeURL("redirect_uri", "http://127.0.0.1:1/cb"))
	if err != nil || !strings.HasPrefix(to, "http://127.0.0.1:1/cb?") {
		t.Errorf("any loopback: %q, %v", to, err)
	}
}

func TestPKCE(t *testing.T) {
	t.Parallel()
	const verifier = "a-verifier-that-is-long-enough-for-rfc-7636-"
	sum := sha256.Sum256([]byte(verifier))
	challenge := []string{"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256"}
	s := open(t, ttp.Knobs{})
	if a := s.exchange(s.code(challenge...), "code_verifier", "wrong"); a.status != 200 {
		t.Errorf("3.x ignores it: %d %v", a.status, a.keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.PKCE = true })
	code := s.code(challenge...)
	for _, wrong := range []string{"", "wrong"} {
		if a := s.exchange(code, "code_verifier", wrong); a.status != 400 || a.text("error") != "invalid_grant" {
			t.Errorf("verifier %q: %d %v", wrong, a.status, a.keys)
		}
	}
	if a := s.exchange(code, "code_verifier", verifier); a.status != 200 {
		t.Errorf("the right one: %d %v", a.status, a.keys)
	}
	if a := s.exchange(s.code("code_challenge", verifier), "code_verifier", verifier); a.status != 200 {
		t.Errorf("plain if the method is missing: %d %v", a.status, a.keys)
	}
	if a := s.exchange(s.code()); a.status != 200 {
		t.Errorf("without challenge: %d %v", a.status, a.keys)
	}
}

func TestMeRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, _ := s.signIn()
	const once = "Only one method may be used to authenticate at a time"
	for name, a := range map[string]answer{
		"header and query": s.request("GET", "/oauth/me?access_token="+access, "", "Authorization", "Bearer "+access),
		"query and form":   s.post("/oauth/me?access_token="+access, url.Values{"access_token": {access}}),
	} {
		if a.status != 400 || a.text("error") != "invalid_request" || a.text("error_description") != once {
			t.Errorf("%s: %d %v", name, a.status, a.keys)
		}
	}
	if a := s.post("/oauth/me", url.Values{"access_token": {access}}); a.status != 200 {
		t.Errorf("form: %d %v", a.status, a.keys)
	}
	if a := s.request("GET", "/oauth/me", "", "Authorization", "Basic eA=="); a.status != 400 {
		t.Errorf("Basic: %d %v", a.status, a.keys)
	}
	if a := s.request("GET", "/oauth/me", ""); a.status != 401 || a.header.Get("WWW-Authenticate") != `Bearer realm="Service"` || a.body != "" {
		t.Errorf("no token: %d %q %q", a.status, a.header.Get("WWW-Authenticate"), a.body)
	}
	s.RevokeUser("alice")
	for _, code := range []string{"", "invalid_token", "expired_token", "malformed_token"} {
		s.Tune(func(k *ttp.Knobs) { k.DeadToken = code })
		if code == "" {
			code = "invalid_token"
		}
		a := s.me(access)
		if a.status != 401 || a.text("error") != code || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Bearer realm="Service", error="`+code+`"`) {
			t.Errorf("%s: %d %v %q", code, a.status, a.keys, a.header.Get("WWW-Authenticate"))
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.DeadToken = "invalid_request" })
	if a := s.me(access); a.status != 400 || a.text("error_description") != "Invalid token" || a.header.Get("WWW-Authenticate") != "" {
		t.Errorf("invalid_request: %d %v", a.status, a.keys)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, refresh := s.signIn()
	if a := s.post("/oauth/revoke", nil); a.status != 400 || a.text("error") != "invalid_request" {
		t.Errorf("no token: %d %v", a.status, a.keys)
	}
	for _, token := range []string{"nonsense", refresh} {
		if a := s.post("/oauth/revoke", url.Values{"token": {token}, "token_type_hint": {"refresh_token"}}); a.status != 200 || a.keys["revoked"] != true {
			t.Errorf("revoke: %d %v", a.status, a.keys)
		}
	}
	if !s.Alive(access) || s.RefreshAlive(refresh) {
		t.Error("a refresh token takes the access token with it, or lives on")
	}
	if s.post("/oauth/revoke", url.Values{"token": {access}}); s.Alive(access) {
		t.Error("the access token lives on")
	}
	s.Tune(func(k *ttp.Knobs) { k.RevokeEndsAll = true })
	access, refresh = s.signIn()
	if s.post("/oauth/revoke", url.Values{"token": {refresh}}); s.Alive(access) || s.RefreshAlive(refresh) {
		t.Error("with RevokeEndsAll a token lives on")
	}
	s.Tune(func(k *ttp.Knobs) { k.RevokeAbsent = true })
	if a := s.post("/oauth/revoke", url.Values{"token": {refresh}}); a.status != 404 || !a.isHTML() {
		t.Errorf("absent: %d %q", a.status, a.body)
	}
}

// What answers in the plugin's place.
func TestTheSiteAnswers(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, refresh := s.signIn()
	for _, status := range []int{200, 403, 404, 503} {
		s.Tune(func(k *ttp.Knobs) { k.HTMLStatus = status })
		for name, a := range map[string]answer{"token": s.refresh(refresh), "me": s.me(access), "revoke": s.post("/oauth/revoke", url.Values{"token": {refresh}})} {
			if a.status != status || !a.isHTML() {
				t.Errorf("%s: %d %q", name, a.status, a.body)
			}
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.HTMLStatus = 0; k.MovedPOST = true })
	if a := s.refresh(refresh); a.status != 301 || a.header.Get("Location") != strings.Replace(s.url, "http:", "https:", 1)+"/oauth/token" {
		t.Errorf("moved: %d %q", a.status, a.header.Get("Location"))
	}
	if a := s.request("GET", "/oauth/token", ""); a.status != 405 {
		t.Errorf("what a POST becomes that follows: %d", a.status)
	}
	s.Tune(func(k *ttp.Knobs) { k.MovedPOST = false; k.PluginOff = true; k.WellKnown = true })
	for _, path := range []string{"/oauth/me", "/oauth/authorize", "/.well-known/openid-configuration"} {
		if a := s.request("GET", path, ""); a.status != 503 || a.text("error") != "error" || a.text("error_description") != "temporarily unavailable" {
			t.Errorf("plugin off, %s: %d %v", path, a.status, a.keys)
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.PluginOff = false })
	if !s.RefreshAlive(refresh) || s.me(access).status != 200 {
		t.Error("none of this touched the tokens")
	}
}

func TestNewerVersions(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{WellKnown: true, PKCE: true, Roles: true})
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		a := s.request("GET", path, "")
		if a.status != 200 || a.text("issuer") != s.url || a.text("token_endpoint") != s.url+"/oauth/token" ||
			a.text("revocation_endpoint") != s.url+"/oauth/revoke" || a.keys["code_challenge_methods_supported"] == nil {
			t.Errorf("%s: %d %v", path, a.status, a.keys)
		}
	}
	access, _ := s.signIn()
	if a := s.me(access); a.keys["user_roles"] == nil || a.keys["capabilities"] == nil {
		t.Errorf("me: %v", a.keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.PKCE = false; k.RevokeAbsent = true; k.RefuseRefresh = true })
	a := s.request("GET", "/.well-known/openid-configuration", "")
	if grants, _ := a.keys["grant_types_supported"].([]any); len(grants) != 1 || a.keys["revocation_endpoint"] != nil || a.keys["code_challenge_methods_supported"] != nil {
		t.Errorf("with less: %v", a.keys)
	}
}

const apiType = "application/vnd.thetradingparrot+json;version=1.0"

func (s site) ping(access, accept string) answer {
	s.t.Helper()
	return s.request("GET", "/v1/ping", "", "Authorization", "Bearer "+access, "Accept", accept)
}

func TestPing(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, _ := s.signIn()
	for accept, status := range map[string]int{
		apiType: 200, "application/vnd.thetradingparrot+json; version=1.0": 200, "text/html, " + apiType: 200,
		"": 406, "*/*": 406, "application/json": 406, "application/vnd.thetradingparrot+json": 406, strings.Replace(apiType, "1.0", "2.0", 1): 406,
	} {
		if a := s.ping(access, accept); a.status != status {
			t.Errorf("Accept %q: %d, want %d", accept, a.status, status)
		}
	}
	if a := s.ping(access, apiType); a.text("user") != "alice" || a.keys["pong"] != true {
		t.Errorf("answer: %v", a.keys)
	}
	if a := s.ping("dead", apiType); a.status != 401 || s.Log().Count(ttp.PingRefused) != 6 || s.Log().Count(ttp.PingAnswered) != 4 {
		t.Errorf("dead token: %d, events %+v", a.status, s.Events())
	}
	if a := s.request("GET", "/v1/ping", "", "Accept", apiType, "Authorization", "Basic "+access); a.status != 401 {
		t.Errorf("a good token as something else than a bearer's: %d", a.status)
	}
	s.Inject(emulator.Fault{On: ttp.Ping, Kind: emulator.StatusBefore, Status: 502})
	if a := s.ping(access, apiType); a.status != 502 {
		t.Errorf("fault: %d", a.status)
	}
	s.Tune(func(k *ttp.Knobs) { k.StripAuthorization, k.HTMLStatus = true, 503 })
	if a := s.ping(access, apiType); a.status != 200 {
		t.Errorf("the API is another host: %d", a.status)
	}
}

// The case that the emulator is for: the venue rotated and the client never learns.
func TestFaultsStrike(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, refresh := s.signIn()
	for on, try := range map[emulator.Endpoint]func() answer{
		emulator.Authorize: func() answer { return s.request("GET", "/oauth/authorize", "") },
		emulator.Token:     func() answer { return s.refresh("x") },
		emulator.Exchange:  func() answer { return s.exchange("x") },
		emulator.Me:        func() answer { return s.me(access) },
		emulator.Revoke:    func() answer { return s.post("/?oauth=revoke", url.Values{"token": {refresh}}) },
	} {
		s.Inject(emulator.Fault{On: on, Kind: emulator.StatusBefore, Status: 502})
		if a := try(); a.status != 502 {
			t.Errorf("%s: %d", on, a.status)
		}
	}
	s.Inject(emulator.Fault{On: emulator.Refresh, Kind: emulator.StatusAfter})
	if a := s.refresh(refresh); a.status != 503 || s.RefreshAlive(refresh) {
		t.Errorf("%d, and the venue did not rotate", a.status)
	}
}

func TestOneOfManyRefreshesWins(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	_, refresh := s.signIn()
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if s.refresh(refresh).status == 200 {
				won.Add(1)
			}
			s.Tune(func(k *ttp.Knobs) { k.Roles = !k.Roles })
		})
	}
	wg.Wait()
	if won.Load() != 1 || s.Log().Count(emulator.RefreshPresented) != 16 {
		t.Errorf("%d refreshes won, %d were presented", won.Load(), s.Log().Count(emulator.RefreshPresented))
	}
}

func TestAdminIsMounted(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	a := s.request("POST", "/_emulator/knobs", `{"rotation":"rotate-old-stays","refreshLife":"24h","deadToken":"expired_token","pkce":true}`)
	if k := s.Current(); a.status != 200 || !k.PKCE || k.Rotation != emulator.RotateOldStays || k.RefreshLife != 24*time.Hour || k.DeadToken != "expired_token" {
		t.Errorf("%d %v, knobs %+v", a.status, a.keys, s.Current())
	}
	if a.text("venue") != "ttp" {
		t.Errorf("name %v", a.keys["venue"])
	}
}

// The words of the plugin's PHP library, at the site and at the stand-in for the API.
func TestATokenThatMayDoTooLittle(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{NeedsScope: "profile", Scopes: "profile trade"})
	access, _ := s.signIn()
	ping := func(access string) answer {
		return s.request("GET", "/v1/ping", "", "Authorization", "Bearer "+access, "Accept", "application/vnd.thetradingparrot+json;version=1.0")
	}
	for name, a := range map[string]answer{"me": s.me(access), "ping": ping(access)} {
		const want = `Bearer realm="Service", scope="profile", error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token"`
		if a.status != 403 || a.header.Get("WWW-Authenticate") != want || a.text("error") != "insufficient_scope" {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
	}
	more := s.exchange(s.code("scope", "profile basic"))
	if access := more.text("access_token"); more.text("scope") != "profile basic" || s.me(access).status != 200 || ping(access).status != 200 {
		t.Errorf("with the scope: %v", more.keys)
	}
	if back := s.back(alice(), s.authorizeURL("scope", "basic sudo")); back.Get("error") != "invalid_scope" {
		t.Error(back)
	}
	s.Tune(func(k *ttp.Knobs) { k.GrantOnly = "basic" })
	less := s.exchange(s.code("scope", "profile basic"))
	if access := less.text("access_token"); less.text("scope") != "basic" || s.me(access).status != 403 {
		t.Errorf("granted less: %v", less.keys)
	}
}

func TestARevocationOfOneKind(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{RevokeOnly: "refresh_token"})
	access, refresh := s.signIn()
	for token, status := range map[string]int{access: 400, "unknown": 200, refresh: 200} {
		a := s.post("/oauth/revoke", url.Values{"token": {token}, "token_type_hint": {"refresh_token"}})
		if a.status != status || (a.text("error") == "unsupported_token_type") != (status == 400) {
			t.Errorf("%q: %d %v", token, a.status, a.keys)
		}
	}
	if !s.Alive(access) || s.RefreshAlive(refresh) {
		t.Error("the wrong one was ended")
	}
}
