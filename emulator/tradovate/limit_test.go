package tradovate_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/emulator/tradovate"
)

// Every limit of a user and of an address, each alone: one request beyond it is answered 429
// for an hour that every request restarts, and requests that are far enough apart are not.
func TestLimitsPerHourMinuteAndSecond(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		knobs  tradovate.Knobs
		within time.Duration
		token  bool
	}{
		"user, hour":        {tradovate.Knobs{UserLimit: 3}, time.Hour, true},
		"user, minute":      {tradovate.Knobs{UserPerMinute: 3}, time.Minute, true},
		"user, second":      {tradovate.Knobs{UserPerSecond: 3}, time.Second, true},
		"anonymous, hour":   {tradovate.Knobs{AnonymousLimit: 3}, time.Hour, false},
		"anonymous, minute": {tradovate.Knobs{AnonymousPerMinute: 3}, time.Minute, false},
		"anonymous, second": {tradovate.Knobs{AnonymousPerSecond: 3}, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // a second is short on a busy machine
				row.knobs.AccessLife = 24 * time.Hour
				s := &tradovate.Server{Knobs: row.knobs}
				access := ""
				if row.token {
					access = session(t, s)
				}
				wants := func(when string, status int) {
					t.Helper()
					r := httptest.NewRequest(http.MethodGet, "/v1/contract/list", nil)
					r.Header.Set("Authorization", "Bearer "+access)
					w := httptest.NewRecorder()
					s.ServeHTTP(w, r)
					if limited := w.Code == http.StatusTooManyRequests; limited != (status == http.StatusTooManyRequests) || limited && w.Body.Len() > 0 {
						t.Errorf("%s: %d %q", when, w.Code, w.Body)
					}
				}
				for range 5 {
					time.Sleep(row.within)
					wants("far apart", 0)
				}
				time.Sleep(row.within)
				for range 3 {
					wants("within the limit", 0)
				}
				wants("beyond it", http.StatusTooManyRequests)
				time.Sleep(59 * time.Minute)
				wants("59 minutes later", http.StatusTooManyRequests)
				time.Sleep(time.Hour)
				wants("after an hour of silence", 0)
			})
		})
	}
}

// session signs alice in without a network.
func session(t *testing.T, s *tradovate.Server) string {
	t.Helper()
	body, err := json.Marshal(loginBody())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/auth/accesstokenrequest", strings.NewReader(string(body))))
	var answer struct{ AccessToken string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.AccessToken == "" {
		t.Fatal(err, w.Body)
	}
	return answer.AccessToken
}

// A limit is of its user, or of an address without a token; neither strikes the other.
func TestALimitStrikesNobodyElse(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{UserPerSecond: -1, UserLimit: 1, AnonymousLimit: 3})
	access := v.session()
	other := v.login("name", "bob", "password", "builder").Text("accessToken")
	v.get("/v1/account/list", access)
	if a := v.get("/v1/account/list", access); !bare429(a) {
		t.Errorf("%d", a.Status)
	}
	if a := v.get("/v1/account/list", other); a.Status != 200 {
		t.Errorf("another user: %d", a.Status)
	}
	if a := v.login(); a.Status != 200 {
		t.Errorf("a sign-in: %d", a.Status)
	}
	if a := v.login(); !bare429(a) {
		t.Errorf("the address has used its own up: %d", a.Status)
	}
}

// A locked user's answers say so: those to the tokens that he has, and to a sign-in either by
// status or by userStatus alone.
func TestALockedUserIsNamed(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{LockAfter: 2, PenaltyAfter: -1})
	access := v.session()
	for range 2 {
		v.login("password", "wrong")
	}
	a := v.renew(access)
	if a.Text("userStatus") != "TemporaryLocked" || a.Text("accessToken") == "" {
		t.Errorf("a renewal: %d %v", a.Status, a.Keys)
	}
	v.Tune(func(k *tradovate.Knobs) { k.LockedStatus = 200 })
	if b := v.login(); b.Status != 200 || len(b.Keys) != 1 || b.Text("userStatus") != "TemporaryLocked" {
		t.Errorf("a sign-in: %d %v", b.Status, b.Keys)
	}
	if b := v.login("name", "bob", "password", "builder"); b.Text("userStatus") != "Active" {
		t.Errorf("another user: %v", b.Keys)
	}
	v.Time().Advance(time.Hour)
	if b := v.login(); b.Text("userStatus") != "Active" {
		t.Errorf("an hour later: %v", b.Keys)
	}
}

// Fields of the answers that are there by switch or by request.
func TestFieldsOfTheAnswers(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{HIBPHint: "PasswordCompromised", APIHosts: true, LiveHost: "127.0.0.1:1", MDHost: "127.0.0.1:2"})
	if a := v.login("hibpCheck", true); a.Text("hibpHint") != "PasswordCompromised" {
		t.Errorf("%v", a.Keys)
	}
	a := v.login()
	hosts, _ := a.Keys["apiHosts"].(map[string]any)
	if a.Keys["hibpHint"] != nil || len(hosts) != 10 || hosts["live"] != "127.0.0.1:1" || hosts["mdLive"] != "127.0.0.1:2" || hosts["mdDemo"] != "127.0.0.1:2" ||
		hosts["userContext"] != "userContext.tradovate.invalid" {
		t.Errorf("%v", a.Keys)
	}
	parts := strings.Split(v.token(apptest.ExchangeForm(v.code())).Text("id_token"), ".")
	var claims map[string]any
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &claims) != nil || claims["sub"] != "1001" || claims["aud"] != "demo-client" || claims["exp"].(float64)-claims["iat"].(float64) != 4800 {
		t.Errorf("%v %s", err, text)
	}
	v.Tune(func(k *tradovate.Knobs) { k.NoIDToken = true })
	if keys := sortedKeys(v.token(apptest.ExchangeForm(v.code())).Keys); slices.Contains(strings.Fields(keys), "id_token") {
		t.Error(keys)
	}
}
