package defined_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/defined"
	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// plain is a venue of OAuth 2 as it is in the standard; changes are JSON that extends it.
const plain = `{"name": "plain", "login": "code", "authorize": {"url": "https://a.example/authorize", "code_life": "30s"},
	"exchange": {"url": "https://a.example/token"}, "life": {"access": "30m"}, "renew": {"with": "refresh"}}`

const key = `{"name": "key", "client": "none", "login": "key", "ask": [{"name": "user", "help": "h", "keep": "app"}, {"name": "key", "help": "h", "keep": "app", "secret": true}],
	"exchange": {"url": "https://a.example/login", "encoding": "json", "params": {"user": "{ask.user}", "key": "{ask.key}"}},
	"answer": {"access": ["data.token", "data.newToken"], "error": "errorCode", "ok": {"path": "success", "equals": "true"}},
	"renew": {"with": "app", "request": {"url": "https://a.example/renew", "auth": "bearer"}}, "errors": [{"code": "3", "class": "refused", "reason": "r"}]}`

// checksum is a venue like those of India.
const checksum = `{"name": "checksum", "login": "code", "authorize": {"url": "https://a.example/connect/login?v=3", "rename": {"client_id": "api_key", "response_type": "", "redirect_uri": "", "scope": ""},
	"state": {"send_as": "redirect_params", "prefix": "state="}, "code_param": "request_token"},
	"exchange": {"url": "https://a.example/session/token", "auth": "none", "headers": {"X-Version": "3"}, "params": {"api_key": "{client_id}", "request_token": "{code}", "checksum": "sha256hex({client_id}{code}{client_secret})"}},
	"answer": {"access": "data.access_token"}, "life": {"cutoff": {"time": "06:00", "zone": "Asia/Kolkata"}}, "renew": {"with": "none"}}`

// venue is an emulated venue and its app.
type venue struct {
	*defined.Server
	apptest.Client
}

func open(t *testing.T, text, change string) venue {
	t.Helper()
	if change == "" {
		change = "{}"
	}
	d, err := definition.ParseWith("my.json", []byte(strings.Replace(change, "{", `{"extends": "base", `, 1)), func(string) (string, []byte, error) { return "base.json", []byte(text), nil })
	if change == "{}" {
		d, err = definition.Parse("base.json", []byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &defined.Server{Definition: d}
	return venue{s, apptest.Open(t, s)}
}

func (v venue) code() string {
	v.T.Helper()
	return v.Back(apptest.Alice(), v.URL+"/authorize?"+apptest.AuthorizeQuery()).Get("code")
}

func (v venue) exchange(code string, change ...string) apptest.Answer {
	v.T.Helper()
	return v.Post("/token", apptest.ExchangeForm(code, change...))
}

func (v venue) refresh(token string, change ...string) apptest.Answer {
	v.T.Helper()
	return v.Post("/token", apptest.RefreshForm(token, change...))
}

func (v venue) signIn() (access, refresh string) {
	v.T.Helper()
	a := v.exchange(v.code())
	if a.Text("access_token") == "" {
		v.T.Fatalf("sign-in: %d %s", a.Status, a.Body)
	}
	return a.Text("access_token"), a.Text("refresh_token")
}

func TestTheStandardsSignIn(t *testing.T) {
	v := open(t, plain, "")
	code := v.code()
	for name, change := range map[string][]string{"another secret": {"client_secret", "x"}, "no secret": {"client_secret", ""}, "another app": {"client_id", "x"}, "another redirect": {"redirect_uri", "http://x"}, "no grant type": {"grant_type", ""}, "another grant": {"grant_type", "password"}} {
		if a := v.exchange(code, change...); a.Status != http.StatusBadRequest || a.Text("error") == "" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	a := v.exchange(code)
	if a.Keys["expires_in"] != 1800.0 || a.Text("token_type") != "Bearer" || !v.Alive(a.Text("access_token")) || !v.RefreshAlive(a.Text("refresh_token")) {
		t.Errorf("%s", a.Body)
	}
	if again := v.exchange(code); again.Text("error") != "invalid_grant" {
		t.Errorf("a used code: %s", again.Body)
	}
	late := v.code()
	v.Time().Advance(30 * time.Second)
	if a := v.exchange(late); a.Text("error") != "invalid_grant" {
		t.Errorf("a late code: %s", a.Body)
	}
	if a := v.Request("GET", "/token", ""); a.Status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", a.Status)
	}
	if a := v.Request("POST", "/token", "{}", "Content-Type", "application/json"); a.Status != http.StatusBadRequest {
		t.Errorf("JSON: %d", a.Status)
	}
	if a := v.Request("GET", "/elsewhere", ""); a.Status != http.StatusNotFound {
		t.Errorf("elsewhere: %d", a.Status)
	}
}

func TestThePageRefuses(t *testing.T) {
	v := open(t, plain, `{"authorize": {"pkce": "S256", "scopes": ["a"]}}`)
	for name, change := range map[string][]string{"an app that it does not know": {"client_id", "x"}, "a redirect that is not registered": {"redirect_uri", "https://evil.example"}} {
		if a := v.Request("GET", "/authorize?"+apptest.AuthorizeQuery(change...), ""); a.Status != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
	for name, change := range map[string][]string{"no challenge": {"scope", "a"}, "plain": {"code_challenge", "x", "code_challenge_method", "plain", "scope", "a"}, "no scope": {"code_challenge", "x", "code_challenge_method", "S256"}, "no type": {"response_type", ""}} {
		a := v.Request("GET", "/authorize?"+apptest.AuthorizeQuery(change...), "")
		if to, err := url.Parse(a.Header.Get("Location")); err != nil || to.Query().Get("error") != "invalid_request" || to.Query().Get("state") != "x y+z" {
			t.Errorf("%s: %s", name, a.Header.Get("Location"))
		}
	}
	deny := apptest.Alice()
	deny.Deny = true
	if back := v.Back(deny, v.URL+"/authorize?"+apptest.AuthorizeQuery("code_challenge", "x", "code_challenge_method", "S256", "scope", "a")); back.Get("error") != "access_denied" {
		t.Errorf("denied: %v", back)
	}
}

// What follows a renewal is what after_lost, rotates and life_from say.
func TestRenewals(t *testing.T) {
	for change, row := range map[string]struct{ repeated, second, newer bool }{
		`{}`:                                {second: false, newer: false}, // never: reuse ends all
		`{"renew": {"after_lost": "once"}}`: {second: true, newer: true},
		`{"renew": {"after_lost": "until_refused"}}`: {second: false, newer: true},
		`{"renew": {"after_lost": "freely"}}`:        {second: true, newer: true},
		`{"renew": {"rotates": false}}`:              {repeated: true, second: true, newer: true},
	} {
		v := open(t, plain, change)
		_, refresh := v.signIn()
		first := v.refresh(refresh)
		if (first.Text("refresh_token") == refresh) != row.repeated {
			t.Errorf("%s: the refresh token is repeated: %t", change, !row.repeated)
		}
		if second := v.refresh(refresh); (second.Text("access_token") != "") != row.second {
			t.Errorf("%s: a second presentation: %s", change, second.Body)
		}
		if v.Alive(first.Text("access_token")) != row.newer {
			t.Errorf("%s: the newer token is alive: %t", change, !row.newer)
		}
	}
}

func TestTheLifeOfARefreshToken(t *testing.T) {
	v := open(t, plain, `{"renew": {"life": "24h", "life_from": "login", "after_lost": "freely"}, "errors": [{"code": "over", "grant": "refresh_token", "class": "refused", "reason": "r", "status": 401}]}`)
	_, refresh := v.signIn()
	v.Time().Advance(20 * time.Hour)
	next := v.refresh(refresh).Text("refresh_token")
	v.Time().Advance(5 * time.Hour)
	if a := v.refresh(next); a.Status != http.StatusUnauthorized || a.Text("error") != "over" {
		t.Errorf("25 hours after the login: %d %s", a.Status, a.Body)
	}
	v = open(t, plain, `{"renew": {"life": "24h", "life_from": "issue"}}`)
	_, refresh = v.signIn()
	v.Time().Advance(20 * time.Hour)
	next = v.refresh(refresh).Text("refresh_token")
	v.Time().Advance(5 * time.Hour)
	if a := v.refresh(next); a.Text("access_token") == "" {
		t.Errorf("5 hours after the issue: %s", a.Body)
	}
}

func TestAnotherSignInEndsOthers(t *testing.T) {
	for change, alive := range map[string][3]bool{`{}`: {true, true, true}, `{"sessions": {"login_ends": "all"}}`: {false, false, true}, `{"sessions": {"login_ends": "oldest", "max": 2}}`: {false, true, true}} {
		v := open(t, plain, change)
		var tokens [3]string
		for i := range tokens {
			tokens[i], _ = v.signIn()
		}
		for i := range tokens {
			if v.Alive(tokens[i]) != alive[i] {
				t.Errorf("%s: sign-in %d is alive: %t", change, i, !alive[i])
			}
		}
	}
}

func TestTheAppInTheHeader(t *testing.T) {
	v := open(t, plain, `{"exchange": {"auth": "basic"}}`)
	form := apptest.ExchangeForm(v.code(), "client_id", "", "client_secret", "")
	if a := v.Post("/token", form); a.Text("error") != "invalid_client" {
		t.Errorf("without a header: %s", a.Body)
	}
	request, _ := http.NewRequest("GET", "http://x", nil)
	request.SetBasicAuth("demo-client", url.QueryEscape("demo-secret"))
	if a := v.Post("/token", form, "Authorization", request.Header.Get("Authorization")); a.Text("access_token") == "" {
		t.Errorf("with it: %s", a.Body)
	}
}

func TestAKeyInJSON(t *testing.T) {
	v := open(t, key, "")
	login := func(body string) apptest.Answer {
		return v.Request("POST", "/login", body, "Content-Type", "application/json")
	}
	if a := login(`{"user": "alice", "key": "wrong"}`); a.Status != http.StatusOK || a.Keys["success"] != false || a.Keys["errorCode"] != 3.0 {
		t.Errorf("a wrong key: %d %s", a.Status, a.Body)
	}
	if a := v.Post("/login", url.Values{"user": {"alice"}, "key": {"wonderland"}}); a.Keys["success"] != false {
		t.Errorf("a form: %s", a.Body)
	}
	token := func(a apptest.Answer, name string) string {
		data, _ := a.Keys["data"].(map[string]any)
		text, _ := data[name].(string)
		return text
	}
	first := token(login(`{"user": "alice", "key": "wonderland"}`), "token")
	renewed := v.Post("/renew", nil, "Authorization", "Bearer "+first)
	if !v.Alive(first) || !v.Alive(token(renewed, "newToken")) {
		t.Errorf("%s", renewed.Body)
	}
	if a := v.Post("/renew", nil, "Authorization", "Bearer nothing"); a.Keys["success"] != false {
		t.Errorf("nothing: %s", a.Body)
	}
}

func TestAChecksum(t *testing.T) {
	v := open(t, checksum, "")
	back := v.Back(apptest.Alice(), v.URL+"/connect/login?v=3&api_key=demo-client&redirect_params="+url.QueryEscape("state=abc"))
	code := back.Get("request_token")
	if back.Get("state") != "abc" || code == "" || back.Has("code") {
		t.Fatalf("%v", back)
	}
	sum := func(text string) string { s := sha256.Sum256([]byte(text)); return hex.EncodeToString(s[:]) }
	form := url.Values{"api_key": {"demo-client"}, "request_token": {code}, "checksum": {sum("demo-client" + code + "another")}}
	if a := v.Post("/session/token", form, "X-Version", "3"); a.Text("error") != "invalid_client" {
		t.Errorf("another secret: %s", a.Body)
	}
	form.Set("checksum", sum("demo-client"+code+"demo-secret"))
	if a := v.Post("/session/token", form); a.Text("error") != "invalid_request" {
		t.Errorf("no version: %s", a.Body)
	}
	v.Time().Set(time.Date(2026, 5, 4, 23, 0, 0, 0, time.UTC)) // 04:30 in India
	back = v.Back(apptest.Alice(), v.URL+"/connect/login?v=3&api_key=demo-client")
	code = back.Get("request_token")
	form.Set("request_token", code)
	form.Set("checksum", sum("demo-client"+code+"demo-secret"))
	a := v.Post("/session/token", form, "X-Version", "3")
	data, _ := a.Keys["data"].(map[string]any)
	access, _ := data["access_token"].(string)
	if !v.Alive(access) || a.Keys["refresh_token"] != nil {
		t.Fatalf("%s", a.Body)
	}
	v.Time().Advance(89 * time.Minute)
	if !v.Alive(access) {
		t.Error("dead before six o'clock")
	}
	v.Time().Advance(time.Minute)
	if v.Alive(access) {
		t.Error("alive after six o'clock")
	}
}

// Values are where the definition says, in its units.
func TestWhereTheValuesAre(t *testing.T) {
	for change, check := range map[string]func(apptest.Answer) bool{
		`{"answer": {"access": "header:X-Token"}}`:                   func(a apptest.Answer) bool { return a.Header.Get("X-Token") != "" },
		`{"answer": {"access": "list.0.token"}}`:                     func(a apptest.Answer) bool { return strings.Contains(a.Body, `"list":[{"token":"`) },
		`{"answer": {"life": {"expires_in": "d.ms", "unit": "ms"}}}`: func(a apptest.Answer) bool { return strings.Contains(a.Body, `"d":{"ms":1800000}`) },
		`{"answer": {"life": {"expires_at": "at"}}}`:                 func(a apptest.Answer) bool { _, err := time.Parse(time.RFC3339, a.Text("at")); return err == nil },
		`{"answer": {"life": {"expires_at": "at", "unit": "ms"}}}`:   func(a apptest.Answer) bool { at, _ := a.Keys["at"].(float64); return at > 1e12 },
		`{"answer": {"life": {"jwt": true}}}`:                        func(a apptest.Answer) bool { return strings.Count(a.Text("access_token"), ".") == 2 },
		`{"answer": {"user": "who.name", "base": "api"}}`: func(a apptest.Answer) bool {
			return strings.Contains(a.Body, `"who":{"name":"alice"}`) && strings.HasPrefix(a.Text("api"), "http://127.0.0.1:")
		},
		`{"renew": {"life": "1h", "life_from": "issue"}, "answer": {"refresh_expires_in": "later"}}`: func(a apptest.Answer) bool { return a.Keys["later"] == 3600.0 },
		`{"answer": {"ok": {"path": "s", "equals": "ok"}}}`:                                          func(a apptest.Answer) bool { return a.Text("s") == "ok" },
	} {
		v := open(t, plain, change)
		if a := v.exchange(v.code()); !check(a) {
			t.Errorf("%s: %s %v", change, a.Body, a.Header)
		}
	}
}

func TestKnobsAndFaults(t *testing.T) {
	v := open(t, plain, "")
	_, refresh := v.signIn()
	v.Tune(func(k *defined.Knobs) { k.HTMLStatus = http.StatusServiceUnavailable })
	if a := v.refresh(refresh); a.Status != http.StatusServiceUnavailable || !strings.Contains(a.Body, "<html>") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	v.Tune(func(k *defined.Knobs) { *k = defined.Knobs{OmitExpiry: true, ErrorStatus: http.StatusForbidden} })
	v.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultStatusBefore, Status: 429})
	if a := v.refresh(refresh); a.Status != 429 {
		t.Errorf("%d", a.Status)
	}
	if a := v.refresh(refresh); a.Keys["expires_in"] != nil || a.Text("access_token") == "" {
		t.Errorf("%s", a.Body)
	}
	if a := v.refresh("nothing"); a.Status != http.StatusForbidden {
		t.Errorf("%d", a.Status)
	}
	if a := v.Request("GET", emulator.AdminPath+"state", ""); a.Text("venue") != "plain" {
		t.Errorf("%s", a.Body)
	}
	v.Reset()
	if v.Current() != (defined.Knobs{}) || v.RefreshAlive(refresh) {
		t.Error("something is left after a reset")
	}
}

func TestWhoseTokenItIsAndItsEnd(t *testing.T) {
	const more = `{"who": {"request": {"url": "https://a.example/who?v=1", "method": "GET", "auth": "bearer"}, "user": "name"}, "revoke": {"request": {"url": "https://a.example/revoke"}}}`
	v := open(t, plain, more)
	access, refresh := v.signIn()
	if a := v.Request("GET", "/who?v=1", "", "Authorization", "Bearer "+access); a.Text("name") != "alice" {
		t.Errorf("%s", a.Body)
	}
	for name, header := range map[string]string{"no token": "", "another": "Bearer x"} {
		if a := v.Request("GET", "/who?v=1", "", "Authorization", header); a.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
	if a := v.Request("GET", "/who", ""); a.Status != http.StatusNotFound {
		t.Errorf("without its query: %d", a.Status)
	}
	form := url.Values{"token": {refresh}, "client_id": {"demo-client"}, "client_secret": {"wrong"}}
	if a := v.Post("/revoke", form); a.Text("error") != "invalid_client" || !v.Alive(access) {
		t.Errorf("%s", a.Body)
	}
	form.Set("client_secret", "demo-secret")
	if a := v.Post("/revoke", form); a.Status != http.StatusOK || v.Alive(access) || v.RefreshAlive(refresh) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	all := open(t, plain, strings.Replace(more, `revoke"}}`, `revoke"}, "reaches": "all"}`, 1))
	one, _ := all.signIn()
	_, refresh = all.signIn()
	all.Post("/revoke", url.Values{"token": {refresh}, "client_id": {"demo-client"}, "client_secret": {"demo-secret"}})
	if all.Alive(one) {
		t.Error("the other sign-in of the app is alive")
	}
}

// The page is for the app whose request came before it, and for no value that nobody got.
func TestARequestBeforeThePage(t *testing.T) {
	v := open(t, plain, `{"before": {"request": {"url": "https://a.example/consent", "auth": "none", "headers": {"X-Id": "{client_id}", "X-Secret": "{client_secret}"}}, "keep": {"consent": "data.id"}},
		"authorize": {"params": {"consent": "{extra.consent}"}, "rename": {"client_id": ""}}}`)
	if a := v.Post("/consent", nil, "X-Id", "demo-client", "X-Secret", "wrong"); a.Text("error") != "invalid_client" {
		t.Errorf("a wrong secret: %s", a.Body)
	}
	a := v.Post("/consent", nil, "X-Id", "demo-client", "X-Secret", "demo-secret")
	data, _ := a.Keys["data"].(map[string]any)
	consent, _ := data["id"].(string)
	if back := v.Back(apptest.Alice(), v.URL+"/authorize?"+apptest.AuthorizeQuery("client_id", "", "consent", consent)); back.Get("code") == "" {
		t.Errorf("%v", back)
	}
	for name, consent := range map[string]string{"none": "", "another": "another"} {
		if a := v.Request("GET", "/authorize?"+apptest.AuthorizeQuery("client_id", "", "consent", consent), ""); a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
}

func TestAPastedToken(t *testing.T) {
	v := open(t, `{"name": "pasted", "login": "paste", "client": "none", "ask": [{"name": "grant", "help": "h", "secret": true, "keep": "never"}],
		"renew": {"with": "refresh", "request": {"url": "https://a.example/token", "auth": "none", "params": {"grant_type": "refresh_token", "refresh_token": "{refresh}"}}}}`, "")
	first := v.Post("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"wonderland"}})
	next := v.Post("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Text("refresh_token")}})
	if !v.Alive(first.Text("access_token")) || !v.Alive(next.Text("access_token")) {
		t.Errorf("%s %s", first.Body, next.Body)
	}
	if a := v.Post("/token", url.Values{"grant_type": {"refresh_token"}}); a.Text("error") != "invalid_request" {
		t.Errorf("nothing: %s", a.Body)
	}
	if a := v.Post("/token", url.Values{"grant_type": {"other"}, "refresh_token": {"wonderland"}}); a.Text("error") != "invalid_request" {
		t.Errorf("another grant type: %s", a.Body)
	}
}
