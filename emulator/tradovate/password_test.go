package tradovate_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/emulator/tradovate"
)

func sortedKeys(m map[string]any) string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

const sessionKeys = "accessToken expirationTime hasFunded hasLive hasMarketData hasSimPlus mdAccessToken name outdatedLiquidationPolicy outdatedTaC passwordExpirationTime showKIDs userId userStatus"

// The life of one session, as Tradovate facts §1 and §2 describe it.
func TestPasswordStory(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	a := v.login()
	first := a.Text("accessToken")
	if a.Status != 200 || sortedKeys(a.Keys) != sessionKeys || a.Keys["userId"] != 1001.0 || a.Text("name") != "alice" ||
		a.Text("userStatus") != "Active" || a.Keys["hasLive"] != true || !v.Alive(first) {
		t.Fatalf("sign-in: %d, %s", a.Status, sortedKeys(a.Keys))
	}
	if life := parseTime(t, a.Text("expirationTime")).Sub(v.Time().Now()); life > 80*time.Minute || life < 79*time.Minute {
		t.Errorf("life %s", life)
	}
	if me := v.me(first); me.Status != 200 || sortedKeys(me.Keys) != "activePlugins currentAccountPlan currentBalance currentMDSubs email emailVerified fullName isTrial name organizationName userId" || me.Keys["userId"] != 1001.0 {
		t.Errorf("me: %d %v", me.Status, me.Keys)
	}
	v.Time().Advance(65 * time.Minute)
	b := v.renew(first)
	second := b.Text("accessToken")
	if b.Status != 200 || second == first || sortedKeys(b.Keys) != sessionKeys || !v.Alive(second) || !v.Alive(first) {
		t.Fatalf("renewal: %d, %s; the old token lives on: %t", b.Status, sortedKeys(b.Keys), v.Alive(first))
	}
	v.Time().Advance(20 * time.Minute)
	if c := v.renew(first); c.Status != 401 || c.Body != "Access is denied" {
		t.Errorf("renewing an expired token: %d %q", c.Status, c.Body)
	}
	if c := v.me(second); c.Status != 200 {
		t.Errorf("me with the new token: %d", c.Status)
	}
	if v.RevokeUser("alice") != 1 || v.me(second).Status != 401 {
		t.Error("revoking ends the session")
	}
	for kind, want := range map[emulator.EventKind]int{
		emulator.EventLoginGranted: 1, emulator.EventRenewGranted: 1, emulator.EventRenewRefused: 1,
		emulator.EventMeAnswered: 2, emulator.EventMeRefused: 1, emulator.EventRevoked: 1,
	} {
		if n := v.Log().Count(kind); n != want {
			t.Errorf("%d events %s, want %d", n, kind, want)
		}
	}
	v.Reset()
	if len(v.Events()) != 0 || v.Time().Offset() != 0 {
		t.Error("a reset forgets everything")
	}
}

// Case, /v1 and method do not matter, JSON and form are the same, cid is a number
// or a string (Tradovate facts §0, §1).
func TestRelaxed(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{SessionLimit: -1, RenewQuota: -1})
	form := url.Values{}
	for name, value := range map[string]string{"name": "alice", "password": "wonderland", "appId": "x", "cid": "42", "sec": "demo-sec"} {
		form.Set(name, value)
	}
	json := `{"name":"alice","password":"wonderland","appId":"x","cid":42,"sec":"demo-sec","hibpCheck":true,"unknown":{"a":[1]},"chl":null}`
	for _, path := range []string{"/v1/auth/accesstokenrequest", "/auth/accessTokenRequest", "/V1/AUTH/ACCESSTOKENREQUEST"} {
		for name, a := range map[string]apptest.Answer{
			"JSON":            v.Request("POST", v.live+path, json, "Content-Type", "application/json; charset=utf-8"),
			"cid as a string": v.Request("POST", v.live+path, strings.Replace(json, "42", `"42"`, 1), "Content-Type", asJSON),
			"untyped JSON":    v.Request("POST", v.live+path, json),
			"PUT":             v.Request("PUT", v.live+path, json, "Content-Type", asJSON),
			"GET with a body": v.Request("GET", v.live+path, json, "Content-Type", asJSON),
			"form":            v.Request("POST", v.live+path, form.Encode(), "Content-Type", apptest.AsForm),
			"form by PUT":     v.Request("PUT", v.demo+path, form.Encode(), "Content-Type", apptest.AsForm),
		} {
			if a.Status != 200 || !v.Alive(a.Text("accessToken")) {
				t.Errorf("%s %s: %d %v", path, name, a.Status, a.Keys)
			}
		}
	}
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{"/v1/auth/renewaccesstoken", "/auth/renewAccessToken"} {
			for _, host := range []string{v.live, v.demo} {
				if a := v.Request(method, host+path, "{}", "Authorization", "bearer "+v.session()); a.Status != 200 {
					t.Errorf("%s %s: %d %v", method, path, a.Status, a.Keys)
				}
			}
		}
	}
	if a := v.get("/v1/auth/nothing", ""); a.Status != 404 {
		t.Errorf("no such path: %d", a.Status)
	}
}

// What fails fails with status 200, but for a body that is none.
func TestSignInRefused(t *testing.T) {
	t.Parallel()
	const unregistered = "The app is not registered"
	v := open(t, tradovate.Knobs{PenaltyAfter: -1})
	for name, test := range map[string]struct {
		change []any
		text   string
	}{
		"no cid":         {[]any{"cid", nil}, unregistered},
		"strange cid":    {[]any{"cid", 43}, unregistered},
		"cid no number":  {[]any{"cid", "forty-two"}, unregistered},
		"wrong sec":      {[]any{"sec", "wrong"}, unregistered},
		"no appId":       {[]any{"appId", nil}, unregistered},
		"wrong password": {[]any{"password", "wrong"}, "Incorrect username or password. Please try again."},
		"mail address":   {[]any{"name", "alice@example.com"}, "Incorrect username or password. Please try again."},
	} {
		if a := v.login(test.change...); a.Status != 200 || a.Text("errorText") != test.text || len(a.Keys) != 1 {
			t.Errorf("%s: %d %v", name, a.Status, a.Keys)
		}
	}
	for _, body := range []string{"", "{", "[]", "null", "alice"} {
		if a := v.Request("POST", v.live+"/v1/auth/accesstokenrequest", body, "Content-Type", asJSON); a.Status != 400 {
			t.Errorf("body %q: %d", body, a.Status)
		}
	}
	if a := v.Request("GET", v.live+"/v1/auth/accesstokenrequest", ""); a.Status != 400 {
		t.Errorf("GET without body: %d", a.Status)
	}
	v.Tune(func(k *tradovate.Knobs) { k.PasswordStatus = 401 })
	if a := v.login("password", "wrong"); a.Status != 401 || a.Body != "Access is denied" {
		t.Errorf("switched: %d %q", a.Status, a.Body)
	}
	if n := v.Log().Count(emulator.EventLoginRefused); n != 3 {
		t.Errorf("%d refusals in the log", n)
	}
}

func TestViolations(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	long := strings.Repeat("é", 65)
	for name, test := range map[string]struct {
		change     []any
		constraint string
		value      string
	}{
		"name":        {[]any{"name", long}, "maxLength", long},
		"password":    {[]any{"password", long}, "maxLength", ""},
		"deviceId":    {[]any{"deviceId", long}, "maxLength", long},
		"sec":         {[]any{"sec", strings.Repeat("x", 8193)}, "maxLength", ""},
		"no name":     {[]any{"name", nil}, "required", ""},
		"no password": {[]any{"password", ""}, "required", ""},
	} {
		a := v.login(test.change...)
		list, _ := a.Keys["violations"].([]any)
		if a.Status != 200 || len(list) != 1 {
			t.Errorf("%s: %d %v", name, a.Status, a.Keys)
			continue
		}
		if one, _ := list[0].(map[string]any); one["constraint"] != test.constraint || one["value"] != test.value || one["description"] == "" {
			t.Errorf("%s: %v", name, one)
		}
	}
	if a := v.login("name", strings.Repeat("é", 64)); a.Text("errorText") == "" {
		t.Errorf("64 characters are allowed: %v", a.Keys)
	}
	if a := v.token(apptest.ExchangeForm("x", "grant_type", strings.Repeat("x", 65))); a.Keys["violations"] == nil {
		t.Errorf("OAuth: %d %v", a.Status, a.Keys)
	}
}

func TestThirdSessionClosesTheOldest(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	first, second := v.session(), v.session()
	renewed := v.renew(first).Text("accessToken") // the same session, not a third
	if !v.Alive(first) || !v.Alive(second) {
		t.Fatal("two sessions are allowed")
	}
	v.login("name", "bob", "password", "builder")
	access, _ := v.oauth() // no session unless the switch says so
	if !v.Alive(first) {
		t.Fatal("another user's session and OAuth do not count")
	}
	third := v.session()
	if v.Alive(first) || v.Alive(renewed) || !v.Alive(second) || !v.Alive(third) || v.Log().Count(emulator.EventSessionClosed) != 1 {
		t.Fatalf("events: %+v", v.Events())
	}
	for status, body := range map[int]string{408: "Request Timeout", 429: "", 500: "Internal Server Error, error id: "} {
		v.Tune(func(k *tradovate.Knobs) { k.ClosedStatus = status })
		for _, path := range []string{"/auth/me", "/auth/renewaccesstoken", "/account/list"} {
			if a := v.get(path, renewed); a.Status != status || !strings.HasPrefix(a.Body, body) || body == "" && a.Body != "" {
				t.Errorf("%s: %d %q, want %d", path, a.Status, a.Body, status)
			}
		}
	}
	v.Tune(func(k *tradovate.Knobs) { k.OAuthSessions = true })
	v.oauth()
	if v.Alive(access) || v.Alive(second) || !v.Alive(third) {
		t.Error("with the switch OAuth counts")
	}
}

func TestExpiredSessionsDoNotCount(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	v.session()
	v.session()
	v.Time().Advance(80 * time.Minute)
	third, fourth := v.session(), v.session()
	if !v.Alive(third) || !v.Alive(fourth) || v.Log().Count(emulator.EventSessionClosed) != 0 {
		t.Errorf("events: %+v", v.Events())
	}
}

// The sixteenth renewal within an hour gets a penalty with the wait of the table; the wait is
// all that it takes, and the next one has to wait too, until the hour has room again.
func TestRenewalQuota(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{AccessLife: 24 * time.Hour})
	access := v.session()
	for i := range 15 {
		if a := v.renew(access); a.Text("accessToken") == "" {
			t.Fatalf("renewal %d: %d", i+1, a.Status)
		}
	}
	for range 2 {
		if a := v.renew(access); a.Status != 200 || a.Text("p-ticket") == "" || a.Keys["p-time"] != 15.0 || a.Keys["p-captcha"] != false {
			t.Errorf("beyond the quota: %d %v", a.Status, a.Keys)
		}
		v.Time().Advance(15 * time.Second)
		if a := v.renew(access); a.Text("accessToken") == "" {
			t.Errorf("after the wait: %d %v", a.Status, a.Keys)
		}
	}
	v.Time().Advance(time.Hour)
	if a := v.renew(access); a.Text("accessToken") == "" {
		t.Errorf("after an hour: %d %v", a.Status, a.Keys)
	}
}

// With the switch it is a bare 429, and an hour that every request begins anew.
func TestRenewalQuotaThatLocksOut(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{AccessLife: 24 * time.Hour, Quota429: true, RenewQuota: 1})
	access := v.session()
	if a := v.renew(access); a.Status != 200 {
		t.Fatal(a.Status)
	}
	for _, wait := range []time.Duration{0, 59 * time.Minute, 59 * time.Minute} {
		v.Time().Advance(wait)
		if a := v.renew(access); !bare429(a) {
			t.Errorf("%d %q", a.Status, a.Body)
		}
	}
	v.Time().Advance(time.Hour)
	if a := v.renew(access); a.Status != 200 {
		t.Errorf("after an hour of silence: %d", a.Status)
	}
}

// bare429 has no body and no advice (Tradovate facts §6).
func bare429(a apptest.Answer) bool {
	return a.Status == 429 && a.Body == "" && a.Header.Get("Content-Length") == "0" && a.Header.Get("Retry-After") == ""
}

func TestRenewalSwitches(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{RenewKillsOld: true, NoMDToken: true, APIHosts: true, LiveHost: "127.0.0.1:1", UserStatus: "TemporaryLocked"})
	a := v.login()
	b := v.renew(a.Text("accessToken"))
	if v.Alive(a.Text("accessToken")) || !v.Alive(b.Text("accessToken")) {
		t.Error("the old token must die")
	}
	for name, a := range map[string]apptest.Answer{"sign-in": a, "renewal": b} {
		hosts, _ := a.Keys["apiHosts"].(map[string]any)
		if a.Keys["mdAccessToken"] != nil || a.Text("userStatus") != "TemporaryLocked" || hosts["live"] != "127.0.0.1:1" {
			t.Errorf("%s: %v", name, a.Keys)
		}
		for key, host := range hosts {
			if text, _ := host.(string); key != "live" && !strings.HasSuffix(text, ".invalid") {
				t.Errorf("%s: host %s is %v, which may exist", name, key, host)
			}
		}
	}
	v.Tune(func(k *tradovate.Knobs) { k.Empty401 = true })
	if c := v.renew(a.Text("accessToken")); c.Status != 401 || c.Body != "" {
		t.Errorf("401: %d %q", c.Status, c.Body)
	}
}

// The times in answers are absolute, so the Date header must be of the same
// clock.
func TestDateIsOfTheVenuesClock(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	v.Time().Set(time.Date(2030, 1, 2, 3, 4, 5, 600e6, time.UTC))
	a := v.login()
	date, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	if life := parseTime(t, a.Text("expirationTime")).Sub(date); life < 80*time.Minute || life > 81*time.Minute {
		t.Errorf("Date %s, life %s", date, life)
	}
}

func TestMe(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{UserIDAfter: 5 * time.Minute})
	access := v.session()
	demo := func() apptest.Answer {
		return v.Request("GET", v.demo+"/v1/auth/me", "", "Authorization", "Bearer "+access)
	}
	if a := demo(); a.Status != 200 || a.Text("errorText") != "This endpoint should be called on live.tradovateapi.com" {
		t.Errorf("on demo: %d %v", a.Status, a.Keys)
	}
	v.Tune(func(k *tradovate.Knobs) { k.MeOnDemo = true })
	if a := demo(); a.Text("name") != "alice" || a.Keys["userId"] != nil {
		t.Errorf("on demo, allowed, at once: %d %v", a.Status, a.Keys)
	}
	v.Time().Advance(5 * time.Minute)
	if a := demo(); a.Keys["userId"] != 1001.0 {
		t.Errorf("after five minutes: %d %v", a.Status, a.Keys)
	}
	for range 9 {
		if a := v.me("dead"); a.Status != 401 {
			t.Errorf("dead token: %d", a.Status)
		}
	}
	if a := v.me(access); a.Text("p-ticket") == "" || a.Keys["p-time"] != 30.0 {
		t.Errorf("after ten failures even a good one has to wait: %d %q", a.Status, a.Body)
	}
	v.Time().Advance(30 * time.Second)
	if a := v.me(access); a.Text("name") != "alice" {
		t.Errorf("after the wait: %d %v", a.Status, a.Keys)
	}
}

func TestAccountsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	access := v.session()
	for host, want := range map[string]string{
		v.live: `[{"accountType":"Customer","active":true,"id":5002,"name":"3100002","userId":1001}]`,
		v.demo: `[{"accountType":"Customer","active":true,"id":5001,"name":"DEMO3100001","userId":1001}]`,
	} {
		if a := v.Request("GET", host+"/v1/account/list", "", "Authorization", "Bearer "+access); a.Status != 200 || strings.TrimSpace(a.Body) != want {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	bob := v.login("name", "bob", "password", "builder").Text("accessToken")
	if a := v.get("/account/list", bob); strings.TrimSpace(a.Body) != "[]" {
		t.Errorf("bob has no live account: %d %s", a.Status, a.Body)
	}
	if a := v.get("/account/list", ""); a.Status != 401 || v.Log().Count(tradovate.AccountsListed) != 3 || v.Log().Count(tradovate.AccountsRefused) != 1 {
		t.Errorf("without token: %d, %+v", a.Status, v.Events())
	}
}

func TestMoved(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{MovedTo: "http://dedicated.invalid/"})
	for _, path := range []string{"/v1/auth/me", "/auth/oauthtoken", "/v1/account/list?a=b"} {
		if a := v.Request("POST", v.demo+path, ""); a.Status != 307 || a.Header.Get("Location") != "http://dedicated.invalid"+path {
			t.Errorf("%s: %d %q", path, a.Status, a.Header.Get("Location"))
		}
	}
	if v.code() == "" {
		t.Error("the page stays")
	}
}

func TestOwnKeys(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	v.Server.Keys = []tradovate.APIKey{{CID: 7, Sec: "seven"}}
	if a := v.login(); a.Text("errorText") == "" {
		t.Errorf("the default key is gone: %v", a.Keys)
	}
	if a := v.login("cid", 7, "sec", "seven"); !v.Alive(a.Text("accessToken")) {
		t.Errorf("own key: %v", a.Keys)
	}
}
