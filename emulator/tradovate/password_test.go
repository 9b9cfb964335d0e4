package tradovate_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
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

const sessionKeys = "accessToken expirationTime hasFunded hasLive hasMarketData mdAccessToken name outdatedLiquidationPolicy outdatedTaC passwordExpirationTime userId userStatus"

// The life of one session, as Tradovate facts §1 and §2 tell it.
func TestPasswordStory(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	a := v.login()
	first := a.text("accessToken")
	if a.status != 200 || sortedKeys(a.keys) != sessionKeys || a.keys["userId"] != 1001.0 || a.text("name") != "alice" ||
		a.text("userStatus") != "Active" || a.keys["hasLive"] != true || !v.Alive(first) {
		t.Fatalf("sign-in: %d, %s", a.status, sortedKeys(a.keys))
	}
	if life := parseTime(t, a.text("expirationTime")).Sub(v.Time().Now()); life > 80*time.Minute || life < 79*time.Minute {
		t.Errorf("life %s", life)
	}
	if me := v.me(first); me.status != 200 || sortedKeys(me.keys) != "email emailVerified fullName isTrial name userId" || me.keys["userId"] != 1001.0 {
		t.Errorf("me: %d %v", me.status, me.keys)
	}
	v.Time().Advance(65 * time.Minute)
	b := v.renew(first)
	second := b.text("accessToken")
	if b.status != 200 || second == first || sortedKeys(b.keys) != sessionKeys || !v.Alive(second) || !v.Alive(first) {
		t.Fatalf("renewal: %d, %s; the old token lives on: %t", b.status, sortedKeys(b.keys), v.Alive(first))
	}
	v.Time().Advance(20 * time.Minute)
	if c := v.renew(first); c.status != 401 || c.body != "Access is denied" {
		t.Errorf("renewing an expired token: %d %q", c.status, c.body)
	}
	if c := v.me(second); c.status != 200 {
		t.Errorf("me with the new token: %d", c.status)
	}
	if v.RevokeUser("alice") != 1 || v.me(second).status != 401 {
		t.Error("revoking ends the session")
	}
	for kind, want := range map[emulator.Kind]int{
		emulator.LoginGranted: 1, emulator.RenewGranted: 1, emulator.RenewRefused: 1,
		emulator.MeAnswered: 2, emulator.MeRefused: 1, emulator.Revoked: 1,
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
		for name, a := range map[string]answer{
			"JSON":            v.request("POST", v.live+path, json, "Content-Type", "application/json; charset=utf-8"),
			"cid as a string": v.request("POST", v.live+path, strings.Replace(json, "42", `"42"`, 1), "Content-Type", asJSON),
			"untyped JSON":    v.request("POST", v.live+path, json),
			"PUT":             v.request("PUT", v.live+path, json, "Content-Type", asJSON),
			"GET with a body": v.request("GET", v.live+path, json, "Content-Type", asJSON),
			"form":            v.request("POST", v.live+path, form.Encode(), "Content-Type", asForm),
			"form by PUT":     v.request("PUT", v.demo+path, form.Encode(), "Content-Type", asForm),
		} {
			if a.status != 200 || !v.Alive(a.text("accessToken")) {
				t.Errorf("%s %s: %d %v", path, name, a.status, a.keys)
			}
		}
	}
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{"/v1/auth/renewaccesstoken", "/auth/renewAccessToken"} {
			for _, host := range []string{v.live, v.demo} {
				if a := v.request(method, host+path, "{}", "Authorization", "bearer "+v.session()); a.status != 200 {
					t.Errorf("%s %s: %d %v", method, path, a.status, a.keys)
				}
			}
		}
	}
	if a := v.get("/v1/auth/nothing", ""); a.status != 404 {
		t.Errorf("no such path: %d", a.status)
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
		if a := v.login(test.change...); a.status != 200 || a.text("errorText") != test.text || len(a.keys) != 1 {
			t.Errorf("%s: %d %v", name, a.status, a.keys)
		}
	}
	for _, body := range []string{"", "{", "[]", "null", "name=alice"} {
		if a := v.request("POST", v.live+"/v1/auth/accesstokenrequest", body, "Content-Type", asJSON); a.status != 400 {
			t.Errorf("body %q: %d", body, a.status)
		}
	}
	if a := v.request("GET", v.live+"/v1/auth/accesstokenrequest", ""); a.status != 400 {
		t.Errorf("GET without body: %d", a.status)
	}
	v.Tune(func(k *tradovate.Knobs) { k.PasswordStatus = 401 })
	if a := v.login("password", "wrong"); a.status != 401 || a.body != "Access is denied" {
		t.Errorf("switched: %d %q", a.status, a.body)
	}
	if n := v.Log().Count(emulator.LoginRefused); n != 3 {
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
		list, _ := a.keys["violations"].([]any)
		if a.status != 200 || len(list) != 1 {
			t.Errorf("%s: %d %v", name, a.status, a.keys)
			continue
		}
		if one, _ := list[0].(map[string]any); one["constraint"] != test.constraint || one["value"] != test.value || one["description"] == "" {
			t.Errorf("%s: %v", name, one)
		}
	}
	if a := v.login("name", strings.Repeat("é", 64)); a.text("errorText") == "" {
		t.Errorf("64 characters are allowed: %v", a.keys)
	}
	if a := v.token(exchangeForm("x", "grant_type", strings.Repeat("x", 65))); a.keys["violations"] == nil {
		t.Errorf("OAuth: %d %v", a.status, a.keys)
	}
}

func TestThirdSessionClosesTheOldest(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	first, second := v.session(), v.session()
	renewed := v.renew(first).text("accessToken") // the same session, not a third
	if !v.Alive(first) || !v.Alive(second) {
		t.Fatal("two sessions are allowed")
	}
	v.login("name", "bob", "password", "builder")
	access, _ := v.oauth() // no session unless the switch says so
	if !v.Alive(first) {
		t.Fatal("another user's session and OAuth do not count")
	}
	third := v.session()
	if v.Alive(first) || v.Alive(renewed) || !v.Alive(second) || !v.Alive(third) || v.Log().Count(emulator.SessionClosed) != 1 {
		t.Fatalf("events: %+v", v.Events())
	}
	for status, body := range map[int]string{408: "Request Timeout", 429: "", 500: "Internal Server Error, error id: "} {
		v.Tune(func(k *tradovate.Knobs) { k.ClosedStatus = status })
		for _, path := range []string{"/auth/me", "/auth/renewaccesstoken", "/account/list"} {
			if a := v.get(path, renewed); a.status != status || !strings.HasPrefix(a.body, body) || body == "" && a.body != "" {
				t.Errorf("%s: %d %q, want %d", path, a.status, a.body, status)
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
	if !v.Alive(third) || !v.Alive(fourth) || v.Log().Count(emulator.SessionClosed) != 0 {
		t.Errorf("events: %+v", v.Events())
	}
}

func TestRenewalQuota(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{AccessLife: 24 * time.Hour})
	access := v.session()
	for i := range 15 {
		if a := v.renew(access); a.status != 200 {
			t.Fatalf("renewal %d: %d", i+1, a.status)
		}
	}
	bare429 := func(a answer) bool {
		return a.status == 429 && a.body == "" && a.header.Get("Content-Length") == "0" && a.header.Get("Retry-After") == ""
	}
	if a := v.renew(access); !bare429(a) {
		t.Errorf("the sixteenth: %d %q", a.status, a.body)
	}
	v.Time().Advance(59 * time.Minute)
	if a := v.renew(access); !bare429(a) {
		t.Errorf("after 59 min: %d", a.status)
	}
	v.Time().Advance(59 * time.Minute)
	if a := v.renew(access); !bare429(a) {
		t.Errorf("asking began the hour anew: %d", a.status)
	}
	v.Time().Advance(time.Hour)
	if a := v.renew(access); a.status != 200 {
		t.Errorf("after an hour of silence: %d", a.status)
	}
}

func TestRenewalSwitches(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{RenewKillsOld: true, NoMDToken: true, APIHosts: true, LiveHost: "127.0.0.1:1", UserStatus: "TemporaryLocked"})
	a := v.login()
	b := v.renew(a.text("accessToken"))
	if v.Alive(a.text("accessToken")) || !v.Alive(b.text("accessToken")) {
		t.Error("the old token must die")
	}
	for name, a := range map[string]answer{"sign-in": a, "renewal": b} {
		hosts, _ := a.keys["apiHosts"].(map[string]any)
		if a.keys["mdAccessToken"] != nil || a.text("userStatus") != "TemporaryLocked" || hosts["live"] != "127.0.0.1:1" {
			t.Errorf("%s: %v", name, a.keys)
		}
		for key, host := range hosts {
			if text, _ := host.(string); key != "live" && !strings.HasSuffix(text, ".invalid") {
				t.Errorf("%s: host %s is %v, which may exist", name, key, host)
			}
		}
	}
	v.Tune(func(k *tradovate.Knobs) { k.Empty401 = true })
	if c := v.renew(a.text("accessToken")); c.status != 401 || c.body != "" {
		t.Errorf("401: %d %q", c.status, c.body)
	}
}

// The times in answers are absolute, so the Date beside them must be of the same
// clock.
func TestDateIsOfTheVenuesClock(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	v.Time().Set(time.Date(2030, 1, 2, 3, 4, 5, 600e6, time.UTC))
	a := v.login()
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	if life := parseTime(t, a.text("expirationTime")).Sub(date); life < 80*time.Minute || life > 81*time.Minute {
		t.Errorf("Date %s, life %s", date, life)
	}
}

func TestMe(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{UserIDAfter: 5 * time.Minute})
	access := v.session()
	demo := func() answer { return v.request("GET", v.demo+"/v1/auth/me", "", "Authorization", "Bearer "+access) }
	if a := demo(); a.status != 200 || a.text("errorText") != "This endpoint should be called on live.tradovateapi.com" {
		t.Errorf("on demo: %d %v", a.status, a.keys)
	}
	v.Tune(func(k *tradovate.Knobs) { k.MeOnDemo = true })
	if a := demo(); a.text("name") != "alice" || a.keys["userId"] != nil {
		t.Errorf("on demo, allowed, at once: %d %v", a.status, a.keys)
	}
	v.Time().Advance(5 * time.Minute)
	if a := demo(); a.keys["userId"] != 1001.0 {
		t.Errorf("after five minutes: %d %v", a.status, a.keys)
	}
	for range 9 {
		if a := v.me("dead"); a.status != 401 {
			t.Errorf("dead token: %d", a.status)
		}
	}
	if a := v.me(access); a.status != 429 || a.body != "" {
		t.Errorf("after ten failures even a good one is refused: %d %q", a.status, a.body)
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
		if a := v.request("GET", host+"/v1/account/list", "", "Authorization", "Bearer "+access); a.status != 200 || strings.TrimSpace(a.body) != want {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	bob := v.login("name", "bob", "password", "builder").text("accessToken")
	if a := v.get("/account/list", bob); strings.TrimSpace(a.body) != "[]" {
		t.Errorf("bob has no live account: %d %s", a.status, a.body)
	}
	if a := v.get("/account/list", ""); a.status != 401 || v.Log().Count(tradovate.AccountsListed) != 3 || v.Log().Count(tradovate.AccountsRefused) != 1 {
		t.Errorf("without token: %d, %+v", a.status, v.Events())
	}
}

func TestMoved(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{MovedTo: "http://dedicated.invalid/"})
	for _, path := range []string{"/v1/auth/me", "/auth/oauthtoken", "/v1/account/list?a=b"} {
		if a := v.request("POST", v.demo+path, ""); a.status != 307 || a.header.Get("Location") != "http://dedicated.invalid"+path {
			t.Errorf("%s: %d %q", path, a.status, a.header.Get("Location"))
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
	if a := v.login(); a.text("errorText") == "" {
		t.Errorf("the default key is gone: %v", a.keys)
	}
	if a := v.login("cid", 7, "sec", "seven"); !v.Alive(a.text("accessToken")) {
		t.Errorf("own key: %v", a.keys)
	}
}
