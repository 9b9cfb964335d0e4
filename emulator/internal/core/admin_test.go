package core

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

type adminVenue struct {
	core     *Core
	settings *Settings[someKnobs]
	http.Handler
}

func newAdmin() adminVenue {
	settings := NewSettings(someKnobs{})
	core := Start(new(Base), Setup{Branding: Branding{Name: "v"}, Knobs: settings})
	return adminVenue{core, settings, core.Admin()}
}

func (a adminVenue) do(method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:9100"+emulator.AdminPath+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:5555"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func TestAdminStory(t *testing.T) {
	t.Parallel()
	a := newAdmin()
	before := a.core.Clock.Now()
	for _, s := range []struct{ method, path, body, want string }{
		{"GET", "state", "", `"apps":["demo-client"]`},
		{"GET", "events", "", `[]`},
		{"POST", "knobs", `{"codeLife":"5s"}`, `"CodeLife":"5s"`},
		{"POST", "faults", `{"on":"refresh","kind":"status-after","status":500,"retryAfter":"3s"}`, `"RetryAfter":"3s"`},
		{"POST", "clock", `{"advance":"2h"}`, `"offset":"2h0m0s"`},
		{"POST", "users", `{"name":"carol","password":"x","accounts":[{"id":7,"live":true}]}`, `"carol"`},
		{"POST", "apps", `{"clientID":"mine","clientSecret":"s","redirectURIs":["http://localhost/"]}`, `"mine"`},
		{"POST", "revoke", `{"user":"carol"}`, `{"revoked":0}`},
	} {
		w := a.do(s.method, s.path, s.body)
		if w.Code != 200 || !strings.Contains(w.Body.String(), s.want) {
			t.Errorf("%s %s: %d %s", s.method, s.path, w.Code, w.Body)
		}
	}
	if a.settings.Current().CodeLife != 5*time.Second || a.core.Clock.Now().Sub(before) < 2*time.Hour {
		t.Error("knob or clock did not move")
	}
	if u, ok := a.core.Registry.SignIn("carol", "x"); !ok || !u.Accounts[0].Live || u.Accounts[0].ID != 7 {
		t.Errorf("carol: %+v", u)
	}
	if f, ok := a.core.Faults.Take(emulator.AtRefresh); !ok || f.Status != 500 {
		t.Errorf("fault: %+v", f)
	}
	a.do("POST", "faults", `{"kind":"drop-after"}`)
	if w := a.do("DELETE", "faults", ""); !strings.Contains(w.Body.String(), `"faults":[]`) {
		t.Errorf("faults stay: %s", w.Body)
	}
	if w := a.do("POST", "clock", `{"set":"2031-01-02T03:04:05Z"}`); !strings.Contains(w.Body.String(), `"now":"2031-01-02T0`) {
		t.Errorf("clock: %s", w.Body)
	}
	w := a.do("POST", "reset", "")
	if strings.Contains(w.Body.String(), "carol") || !strings.Contains(w.Body.String(), `"offset":"0s"`) || a.settings.Current() != (someKnobs{}) {
		t.Errorf("after the reset: %s", w.Body)
	}
}

func TestAdminEventsAndRevoke(t *testing.T) {
	t.Parallel()
	a := newAdmin()
	pair := a.core.Tokens.Issue(a.core.Clock.Now(), emulator.Grant{User: "alice", Client: "demo-client"}, Policy{AccessLife: day})
	if w := a.do("GET", "state", ""); !strings.Contains(w.Body.String(), `"signedIn":[{"app":"demo-client"`) {
		t.Errorf("state: %s", w.Body)
	}
	if w := a.do("POST", "revoke", `{"user":"alice"}`); strings.TrimSpace(w.Body.String()) != `{"revoked":1}` {
		t.Errorf("revoke: %s", w.Body)
	}
	if a.core.Tokens.Alive(a.core.Clock.Now(), pair.Access) {
		t.Error("the token lives")
	}
	var events []emulator.Event
	if err := json.Unmarshal(a.do("GET", "events?since=0", "").Body.Bytes(), &events); err != nil || len(events) != 1 || events[0].Kind != emulator.EventRevoked {
		t.Errorf("events %+v, %v", events, err)
	}
	if w := a.do("GET", "events?since=1", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("since 1: %s", w.Body)
	}
}

func TestAdminRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		method, path, body string
		status             int
		change             func(*http.Request)
	}{
		{"GET", "state", "", 403, func(r *http.Request) { r.RemoteAddr = "192.0.2.1:80" }},
		{"GET", "state", "", 403, func(r *http.Request) { r.Host = "evil.example" }},
		{"GET", "state", "", 403, func(r *http.Request) { r.Host = "localhost.evil.example:9100" }},
		{"POST", "reset", "", 403, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }},
		{"POST", "reset", "", 403, func(r *http.Request) { r.Header.Set("Origin", "null") }},
		{"POST", "reset", "", 403, func(r *http.Request) { r.Header.Set("Origin", "http://localhost:1") }},
		{"POST", "reset", "", 200, func(r *http.Request) { r.Header.Set("Origin", "http://localhost:9100") }},
		{"GET", "state", "", 200, func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:5", "[::1]:9100" }},
		{"GET", "reset", "", 405, nil},
		{"GET", "nothing", "", 404, nil},
		{"GET", "events?since=x", "", 400, nil},
		{"POST", "clock", `{"advance":"soon"}`, 400, nil},
		{"POST", "clock", `{"set":"noon"}`, 400, nil},
		{"POST", "clock", `{`, 400, nil},
		{"POST", "faults", `{"kind":"gremlin"}`, 400, nil},
		{"POST", "knobs", `{"gremlin":1}`, 400, nil},
		{"POST", "users", `{"name":"x"}`, 400, nil},
		{"POST", "apps", `{}`, 400, nil},
		{"POST", "revoke", `{"user":"nobody"}`, 400, nil},
		{"POST", "knobs", `{"Echo":` + strings.Repeat(" ", MaxBody) + `true}`, 400, nil},
	} {
		a := newAdmin()
		if s.change == nil {
			s.change = func(*http.Request) {}
		}
		if w := a.do(s.method, s.path, s.body, s.change); w.Code != s.status {
			t.Errorf("%s %s %.40s: %d %s", s.method, s.path, s.body, w.Code, w.Body)
		}
	}
}

func FuzzAdminKnobs(f *testing.F) {
	f.Add([]byte(`{"codeLife":"90s","codes":{"client":"x"},"rotation":"strict"}`))
	f.Add([]byte(`{"":null}`))
	f.Add([]byte(`{"codes":null,"echo":null,"codeLife":null}`))
	f.Fuzz(func(t *testing.T, object []byte) {
		b := NewSettings(someKnobs{})
		if b.Merge(object) == nil {
			if _, err := json.Marshal(b); err != nil {
				t.Error(err)
			}
		} else if b.Current() != (someKnobs{}) {
			t.Error("turned although refused")
		}
	})
}
