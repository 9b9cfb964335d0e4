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
	"github.com/venuekey/venuekey/emulator/internal/apptest"
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
		{"3.2.87", ttp.Knobs{Rotation: emulator.RotationOldStays}, "refresh_token", true},
		{"issue filter off", ttp.Knobs{Rotation: emulator.RotationNoNewRefresh}, "", true},
		{"issue filter off, unset after use", ttp.Knobs{Rotation: emulator.RotationNoNewRefreshOldDies}, "", false},
		{"the page's typo", ttp.Knobs{RequestToken: true}, "request_token", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, test.knobs)
			_, refresh := s.signIn()
			a := s.refresh(refresh)
			if a.Status != 200 || !s.Alive(a.Text("access_token")) {
				t.Fatalf("refresh: %d %v", a.Status, a.Keys)
			}
			for _, key := range []string{"refresh_token", "request_token"} {
				if _, has := a.Keys[key]; has != (key == test.key) {
					t.Errorf("has %s: %t", key, has)
				}
			}
			if test.key != "" && !s.RefreshAlive(a.Text(test.key)) {
				t.Error("the new refresh token is dead")
			}
			if got := s.RefreshAlive(refresh); got != test.oldStays {
				t.Errorf("the old refresh token lives: %t", got)
			}
			if again := s.refresh(refresh); (again.Status == 200) != test.oldStays {
				t.Errorf("the old one again: %d %v", again.Status, again.Keys)
			}
		})
	}
}

func TestRefreshRefused(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{RefuseRefresh: true})
	_, refresh := s.signIn()
	if a := s.refresh(refresh); a.Status != 400 || a.Text("error") != "unsupported_grant_type" || s.RefreshAlive(refresh) {
		t.Errorf("%d %v", a.Status, a.Keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.RefuseRefresh = false })
	if a := s.refresh(refresh); a.Status != 200 {
		t.Errorf("switched back: %d %v", a.Status, a.Keys)
	}
}

// A refresh token lives from its issue, however often it is used.
func TestUseExtendsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{Rotation: emulator.RotationNoNewRefresh, RefreshLife: 24 * time.Hour})
	_, refresh := s.signIn()
	s.Time().Advance(23 * time.Hour)
	if a := s.refresh(refresh); a.Status != 200 {
		t.Fatalf("after 23 h: %d %v", a.Status, a.Keys)
	}
	s.Time().Advance(time.Hour)
	if a := s.refresh(refresh); a.Text("error_description") != "Refresh token has expired" {
		t.Errorf("after 24 h: %d %v", a.Status, a.Keys)
	}
}

func TestExpiryShapes(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{ExpiryAsText: true})
	if a := s.exchange(s.code()); a.Text("expires_in") != "86400" {
		t.Errorf("as text: %v", a.Keys["expires_in"])
	}
	s.Tune(func(k *ttp.Knobs) { k.OmitExpiry = true })
	if a := s.exchange(s.code()); a.Status != 200 || a.Keys["expires_in"] != nil {
		t.Errorf("omitted: %d %v", a.Status, a.Keys["expires_in"])
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
		{"strange redirect URI", ttp.Knobs{}, []string{"redirect_uri", apptest.Callback + "?x=1"}, true, "redirect_uri_mismatch", ""},
		{"no response type", ttp.Knobs{}, []string{"response_type", ""}, false, "invalid_request", "x y+z"},
		{"strange response type", ttp.Knobs{}, []string{"response_type", "token"}, false, "unsupported_response_type", "x y+z"},
		{"strange scope", ttp.Knobs{}, []string{"scope", "openid"}, false, "invalid_scope", "x y+z"},
		{"state enforced", ttp.Knobs{EnforceState: true}, []string{"state", ""}, false, "invalid_request", ""},
		{"strange challenge method", ttp.Knobs{PKCE: true}, []string{"code_challenge_method", "S512"}, false, "invalid_request", "x y+z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, test.knobs)
			a := s.Request("GET", strings.TrimPrefix(s.authorizeURL(test.change...), s.URL), "")
			got, status := a.Text("error"), 400
			if !test.here {
				to, err := url.Parse(a.Header.Get("Location"))
				if err != nil || !strings.HasPrefix(to.String(), apptest.Callback+"?") {
					t.Fatalf("%d, Location %q", a.Status, to)
				}
				got, status = to.Query().Get("error"), 302
				if to.Query().Get("state") != test.state || to.Query().Has("state") != (test.state != "") || to.Query().Get("error_description") == "" {
					t.Errorf("sent back with %v", to.Query())
				}
			}
			if a.Status != status || got != test.code {
				t.Errorf("%d %s, want %s", a.Status, got, test.code)
			}
			if s.Log().Count(emulator.EventAuthorizeRefused) != 1 {
				t.Error("no event")
			}
		})
	}
}

func TestWaysToConsent(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	deny := apptest.Alice()
	deny.Deny = true
	for _, ask := range []bool{false, true} {
		s.Tune(func(k *ttp.Knobs) { k.AskConsent = ask; k.SignedIn = "" })
		if q := s.Back(apptest.Alice(), s.authorizeURL("scope", "basic", "state", "")); q.Get("code") == "" || q.Has("state") {
			t.Errorf("asked %t, allowed: %v", ask, q)
		}
		if q := s.Back(deny, s.authorizeURL()); q.Get("error") != "access_denied" || q.Get("state") != "x y+z" || q.Has("code") {
			t.Errorf("asked %t, denied: %v", ask, q)
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.AskConsent = false; k.SignedIn = "bob" })
	a := s.exchange(s.code())
	if me := s.me(a.Text("access_token")); me.Text("user_login") != "bob" {
		t.Errorf("signed in before: %d %v", me.Status, me.Keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.SignedIn = ""; k.AnyLoopbackRedirect = true })
	to, err := apptest.Alice().Redirected(t.Context(), s.authorizeURL("redirect_uri", "http://127.0.0.1:1/cb"))
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
	if a := s.exchange(s.code(challenge...), "code_verifier", "wrong"); a.Status != 200 {
		t.Errorf("3.x ignores it: %d %v", a.Status, a.Keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.PKCE = true })
	code := s.code(challenge...)
	for _, wrong := range []string{"", "wrong"} {
		if a := s.exchange(code, "code_verifier", wrong); a.Status != 400 || a.Text("error") != "invalid_grant" {
			t.Errorf("verifier %q: %d %v", wrong, a.Status, a.Keys)
		}
	}
	if a := s.exchange(code, "code_verifier", verifier); a.Status != 200 {
		t.Errorf("the right one: %d %v", a.Status, a.Keys)
	}
	if a := s.exchange(s.code("code_challenge", verifier), "code_verifier", verifier); a.Status != 200 {
		t.Errorf("plain if the method is missing: %d %v", a.Status, a.Keys)
	}
	if a := s.exchange(s.code()); a.Status != 200 {
		t.Errorf("without challenge: %d %v", a.Status, a.Keys)
	}
}

func TestMeRefuses(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, _ := s.signIn()
	const once = "Only one method may be used to authenticate at a time"
	for name, a := range map[string]apptest.Answer{
		"header and query": s.Request("GET", "/oauth/me?access_token="+access, "", "Authorization", "Bearer "+access),
		"query and form":   s.Post("/oauth/me?access_token="+access, url.Values{"access_token": {access}}),
	} {
		if a.Status != 400 || a.Text("error") != "invalid_request" || a.Text("error_description") != once {
			t.Errorf("%s: %d %v", name, a.Status, a.Keys)
		}
	}
	if a := s.Post("/oauth/me", url.Values{"access_token": {access}}); a.Status != 200 {
		t.Errorf("form: %d %v", a.Status, a.Keys)
	}
	if a := s.Request("GET", "/oauth/me", "", "Authorization", "Basic eA=="); a.Status != 400 {
		t.Errorf("Basic: %d %v", a.Status, a.Keys)
	}
	if a := s.Request("GET", "/oauth/me", ""); a.Status != 401 || a.Header.Get("WWW-Authenticate") != `Bearer realm="Service"` || a.Body != "" {
		t.Errorf("no token: %d %q %q", a.Status, a.Header.Get("WWW-Authenticate"), a.Body)
	}
	s.RevokeUser("alice")
	for _, code := range []string{"", "invalid_token", "expired_token", "malformed_token"} {
		s.Tune(func(k *ttp.Knobs) { k.DeadToken = code })
		if code == "" {
			code = "invalid_token"
		}
		a := s.me(access)
		if a.Status != 401 || a.Text("error") != code || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), `Bearer realm="Service", error="`+code+`"`) {
			t.Errorf("%s: %d %v %q", code, a.Status, a.Keys, a.Header.Get("WWW-Authenticate"))
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.DeadToken = "invalid_request" })
	if a := s.me(access); a.Status != 400 || a.Text("error_description") != "Invalid token" || a.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("invalid_request: %d %v", a.Status, a.Keys)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, refresh := s.signIn()
	if a := s.Post("/oauth/revoke", nil); a.Status != 400 || a.Text("error") != "invalid_request" {
		t.Errorf("no token: %d %v", a.Status, a.Keys)
	}
	for _, token := range []string{"nonsense", refresh} {
		if a := s.Post("/oauth/revoke", url.Values{"token": {token}, "token_type_hint": {"refresh_token"}}); a.Status != 200 || a.Keys["revoked"] != true {
			t.Errorf("revoke: %d %v", a.Status, a.Keys)
		}
	}
	if !s.Alive(access) || s.RefreshAlive(refresh) {
		t.Error("a refresh token takes the access token with it, or lives on")
	}
	if s.Post("/oauth/revoke", url.Values{"token": {access}}); s.Alive(access) {
		t.Error("the access token lives on")
	}
	s.Tune(func(k *ttp.Knobs) { k.RevokeEndsAll = true })
	access, refresh = s.signIn()
	if s.Post("/oauth/revoke", url.Values{"token": {refresh}}); s.Alive(access) || s.RefreshAlive(refresh) {
		t.Error("with RevokeEndsAll a token lives on")
	}
	s.Tune(func(k *ttp.Knobs) { k.RevokeAbsent = true })
	if a := s.Post("/oauth/revoke", url.Values{"token": {refresh}}); a.Status != 404 || !isHTML(a) {
		t.Errorf("absent: %d %q", a.Status, a.Body)
	}
}

// What answers in the plugin's place.
func TestTheSiteAnswers(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, refresh := s.signIn()
	for _, status := range []int{200, 403, 404, 503} {
		s.Tune(func(k *ttp.Knobs) { k.HTMLStatus = status })
		for name, a := range map[string]apptest.Answer{"token": s.refresh(refresh), "me": s.me(access), "revoke": s.Post("/oauth/revoke", url.Values{"token": {refresh}})} {
			if a.Status != status || !isHTML(a) {
				t.Errorf("%s: %d %q", name, a.Status, a.Body)
			}
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.HTMLStatus = 0; k.MovedPOST = true })
	if a := s.refresh(refresh); a.Status != 301 || a.Header.Get("Location") != strings.Replace(s.URL, "http:", "https:", 1)+"/oauth/token" {
		t.Errorf("moved: %d %q", a.Status, a.Header.Get("Location"))
	}
	if a := s.Request("GET", "/oauth/token", ""); a.Status != 405 {
		t.Errorf("what a POST becomes that follows: %d", a.Status)
	}
	s.Tune(func(k *ttp.Knobs) { k.MovedPOST = false; k.PluginOff = true; k.WellKnown = true })
	for _, path := range []string{"/oauth/me", "/oauth/authorize", "/.well-known/openid-configuration"} {
		if a := s.Request("GET", path, ""); a.Status != 503 || a.Text("error") != "error" || a.Text("error_description") != "temporarily unavailable" {
			t.Errorf("plugin off, %s: %d %v", path, a.Status, a.Keys)
		}
	}
	s.Tune(func(k *ttp.Knobs) { k.PluginOff = false })
	if !s.RefreshAlive(refresh) || s.me(access).Status != 200 {
		t.Error("none of this touched the tokens")
	}
}

func TestNewerVersions(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{WellKnown: true, PKCE: true, Roles: true})
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		a := s.Request("GET", path, "")
		if a.Status != 200 || a.Text("issuer") != s.URL || a.Text("token_endpoint") != s.URL+"/oauth/token" ||
			a.Text("revocation_endpoint") != s.URL+"/oauth/revoke" || a.Keys["code_challenge_methods_supported"] == nil {
			t.Errorf("%s: %d %v", path, a.Status, a.Keys)
		}
	}
	access, _ := s.signIn()
	if a := s.me(access); a.Keys["user_roles"] == nil || a.Keys["capabilities"] == nil {
		t.Errorf("me: %v", a.Keys)
	}
	s.Tune(func(k *ttp.Knobs) { k.PKCE = false; k.RevokeAbsent = true; k.RefuseRefresh = true })
	a := s.Request("GET", "/.well-known/openid-configuration", "")
	if grants, _ := a.Keys["grant_types_supported"].([]any); len(grants) != 1 || a.Keys["revocation_endpoint"] != nil || a.Keys["code_challenge_methods_supported"] != nil {
		t.Errorf("with less: %v", a.Keys)
	}
}

const apiType = "application/vnd.thetradingparrot+json;version=1.0"

func (s site) ping(access, accept string) apptest.Answer {
	s.T.Helper()
	return s.Request("GET", "/v1/ping", "", "Authorization", "Bearer "+access, "Accept", accept)
}

func TestPing(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, _ := s.signIn()
	for accept, status := range map[string]int{
		apiType: 200, "application/vnd.thetradingparrot+json; version=1.0": 200, "text/html, " + apiType: 200,
		"": 406, "*/*": 406, "application/json": 406, "application/vnd.thetradingparrot+json": 406, strings.Replace(apiType, "1.0", "2.0", 1): 406,
	} {
		if a := s.ping(access, accept); a.Status != status {
			t.Errorf("Accept %q: %d, want %d", accept, a.Status, status)
		}
	}
	if a := s.ping(access, apiType); a.Text("user") != "alice" || a.Keys["pong"] != true {
		t.Errorf("answer: %v", a.Keys)
	}
	if a := s.ping("dead", apiType); a.Status != 401 || s.Log().Count(ttp.PingRefused) != 6 || s.Log().Count(ttp.PingAnswered) != 4 {
		t.Errorf("dead token: %d, events %+v", a.Status, s.Events())
	}
	if a := s.Request("GET", "/v1/ping", "", "Accept", apiType, "Authorization", "Basic "+access); a.Status != 401 {
		t.Errorf("a good token as something else than a bearer's: %d", a.Status)
	}
	s.Inject(emulator.Fault{On: ttp.Ping, Kind: emulator.FaultStatusBefore, Status: 502})
	if a := s.ping(access, apiType); a.Status != 502 {
		t.Errorf("fault: %d", a.Status)
	}
	s.Tune(func(k *ttp.Knobs) { k.StripAuthorization, k.HTMLStatus = true, 503 })
	if a := s.ping(access, apiType); a.Status != 200 {
		t.Errorf("the API is another host: %d", a.Status)
	}
}

// The case that the emulator is for: the venue rotated and the client never learns.
func TestFaultsStrike(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	access, refresh := s.signIn()
	for on, try := range map[emulator.Endpoint]func() apptest.Answer{
		emulator.AtAuthorize: func() apptest.Answer { return s.Request("GET", "/oauth/authorize", "") },
		emulator.AtToken:     func() apptest.Answer { return s.refresh("x") },
		emulator.AtExchange:  func() apptest.Answer { return s.exchange("x") },
		emulator.AtMe:        func() apptest.Answer { return s.me(access) },
		emulator.AtRevoke:    func() apptest.Answer { return s.Post("/?oauth=revoke", url.Values{"token": {refresh}}) },
	} {
		s.Inject(emulator.Fault{On: on, Kind: emulator.FaultStatusBefore, Status: 502})
		if a := try(); a.Status != 502 {
			t.Errorf("%s: %d", on, a.Status)
		}
	}
	s.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultStatusAfter})
	if a := s.refresh(refresh); a.Status != 503 || s.RefreshAlive(refresh) {
		t.Errorf("%d, and the venue did not rotate", a.Status)
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
			if s.refresh(refresh).Status == 200 {
				won.Add(1)
			}
			s.Tune(func(k *ttp.Knobs) { k.Roles = !k.Roles })
		})
	}
	wg.Wait()
	if won.Load() != 1 || s.Log().Count(emulator.EventRefreshPresented) != 16 {
		t.Errorf("%d refreshes won, %d were presented", won.Load(), s.Log().Count(emulator.EventRefreshPresented))
	}
}

func TestAdminIsMounted(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{})
	a := s.Request("POST", "/_emulator/knobs", `{"rotation":"rotate-old-stays","refreshLife":"24h","deadToken":"expired_token","pkce":true}`)
	if k := s.Current(); a.Status != 200 || !k.PKCE || k.Rotation != emulator.RotationOldStays || k.RefreshLife != 24*time.Hour || k.DeadToken != "expired_token" {
		t.Errorf("%d %v, knobs %+v", a.Status, a.Keys, s.Current())
	}
	if a.Text("venue") != "ttp" {
		t.Errorf("name %v", a.Keys["venue"])
	}
}

// The words of the plugin's PHP library, at the site and at the stand-in for the API.
func TestATokenThatMayDoTooLittle(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{NeedsScope: "profile", Scopes: "profile trade"})
	access, _ := s.signIn()
	ping := func(access string) apptest.Answer {
		return s.Request("GET", "/v1/ping", "", "Authorization", "Bearer "+access, "Accept", "application/vnd.thetradingparrot+json;version=1.0")
	}
	for name, a := range map[string]apptest.Answer{"me": s.me(access), "ping": ping(access)} {
		const want = `Bearer realm="Service", scope="profile", error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token"`
		if a.Status != 403 || a.Header.Get("WWW-Authenticate") != want || a.Text("error") != "insufficient_scope" {
			t.Errorf("%s: %d %v", name, a.Status, a.Header)
		}
	}
	more := s.exchange(s.code("scope", "profile basic"))
	if access := more.Text("access_token"); more.Text("scope") != "profile basic" || s.me(access).Status != 200 || ping(access).Status != 200 {
		t.Errorf("with the scope: %v", more.Keys)
	}
	if back := s.Back(apptest.Alice(), s.authorizeURL("scope", "basic sudo")); back.Get("error") != "invalid_scope" {
		t.Error(back)
	}
	s.Tune(func(k *ttp.Knobs) { k.GrantOnly = "basic" })
	less := s.exchange(s.code("scope", "profile basic"))
	if access := less.Text("access_token"); less.Text("scope") != "basic" || s.me(access).Status != 403 {
		t.Errorf("granted less: %v", less.Keys)
	}
}

func TestARevocationOfOneKind(t *testing.T) {
	t.Parallel()
	s := open(t, ttp.Knobs{RevokeOnly: "refresh_token"})
	access, refresh := s.signIn()
	for token, status := range map[string]int{access: 400, "unknown": 200, refresh: 200} {
		a := s.Post("/oauth/revoke", url.Values{"token": {token}, "token_type_hint": {"refresh_token"}})
		if a.Status != status || (a.Text("error") == "unsupported_token_type") != (status == 400) {
			t.Errorf("%q: %d %v", token, a.Status, a.Keys)
		}
	}
	if !s.Alive(access) || s.RefreshAlive(refresh) {
		t.Error("the wrong one was ended")
	}
}
