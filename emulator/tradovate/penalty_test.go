package tradovate_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/emulator/tradovate"
)

// The protocol of Tradovate facts §1.4, step by step.
func TestPenaltyAfterFailures(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	for range 5 {
		if a := v.login("password", "wrong"); a.Text("errorText") == "" {
			t.Fatalf("%d %v", a.Status, a.Keys)
		}
	}
	a := v.login()
	ticket := a.Text("p-ticket")
	if a.Status != 200 || len(a.Keys) != 3 || ticket == "" || a.Keys["p-time"] != 15.0 || a.Keys["p-captcha"] != false {
		t.Fatalf("the sixth: %d %v", a.Status, a.Keys)
	}
	v.Time().Advance(15 * time.Second)
	if a := v.login("p-ticket", ticket); !v.Alive(a.Text("accessToken")) {
		t.Errorf("in time, with the ticket and the same body: %v", a.Keys)
	}
	if a := v.login(); a.Text("p-ticket") == "" || a.Keys["p-time"] != 15.0 {
		t.Errorf("failures count for an hour, whatever follows: %v", a.Keys)
	}
	if n := v.Log().Count(emulator.EventPenalty); n != 2 {
		t.Errorf("%d penalties in the log", n)
	}
	v.Time().Advance(time.Hour)
	if a := v.login("deviceId", "another"); !v.Alive(a.Text("accessToken")) {
		t.Errorf("an hour later: %v", a.Keys)
	}
}

func TestASuccessMayForgive(t *testing.T) {
	t.Parallel()
	for forgives, want := range map[bool]string{false: "p-ticket", true: "errorText"} {
		v := open(t, tradovate.Knobs{PenaltyAfter: 2, SuccessForgives: forgives})
		for range 3 {
			v.login("password", "wrong")
			v.login()
		}
		if a := v.login("password", "wrong", "deviceId", "another"); a.Text(want) == "" {
			t.Errorf("forgives %t: %v", forgives, a.Keys)
		}
	}
}

// A penalty is of the network: whatever else comes from there before it is over breaks it, and
// has to wait twice as long itself. Afterwards it is served.
func TestAnotherRequestDuringAPenalty(t *testing.T) {
	t.Parallel()
	for captcha, over := range map[bool]time.Duration{false: 15 * time.Second, true: time.Hour} {
		v := open(t, tradovate.Knobs{Penalties: 1, PenaltyCaptcha: captcha})
		if a := v.login(); a.Keys["p-time"] != 15.0 {
			t.Fatal(a.Keys)
		}
		v.Time().Advance(over / 2)
		if a := v.login("name", "bob", "password", "builder"); a.Keys["p-time"] != 30.0 {
			t.Errorf("captcha %t, during it: %v", captcha, a.Keys)
		}
		v.Time().Advance(max(over, 30*time.Second))
		if a := v.login("deviceId", "another"); !v.Alive(a.Text("accessToken")) {
			t.Errorf("captcha %t, afterwards: %v", captcha, a.Keys)
		}
	}
}

// Every breach doubles the wait: too early, without the ticket, or with another body; a ticket
// is good for the body that it was given for, right or wrong.
func TestABreachDoublesTheWait(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	for range 5 {
		v.login("password", "wrong")
	}
	ticket := v.login().Text("p-ticket")
	wants := func(name string, a apptest.Answer, wait float64) {
		t.Helper()
		if a.Text("p-ticket") == "" || a.Text("p-ticket") == ticket || a.Keys["p-time"] != wait {
			t.Errorf("%s: %v", name, a.Keys)
		}
		ticket = a.Text("p-ticket")
	}
	v.Time().Advance(5 * time.Second)
	wants("too early", v.login("p-ticket", ticket), 30)
	v.Time().Advance(30 * time.Second)
	wants("another ticket", v.login("p-ticket", "made up"), 60)
	v.Time().Advance(60 * time.Second)
	wants("another body", v.login("p-ticket", ticket, "password", "wrong"), 120)
	v.Time().Advance(120 * time.Second)
	if a := v.login("p-ticket", ticket, "password", "wrong"); a.Text("errorText") == "" {
		t.Errorf("the body that the ticket is for is executed: %v", a.Keys)
	}
	wants("the sixth failure", v.login(), 15)
	wants("without the ticket, at once", v.login(), 30)
}

func TestCaptchaLastsAnHour(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{PenaltyAfter: 1, PenaltyCaptcha: true})
	v.login("password", "wrong")
	a := v.login()
	if a.Keys["p-captcha"] != true {
		t.Fatalf("%v", a.Keys)
	}
	v.Time().Advance(59 * time.Minute)
	if b := v.login("p-ticket", a.Text("p-ticket")); b.Text("p-ticket") != a.Text("p-ticket") {
		t.Errorf("no ticket helps: %v", b.Keys)
	}
	v.Time().Advance(time.Minute)
	if b := v.login(); !v.Alive(b.Text("accessToken")) {
		t.Errorf("after an hour: %v", b.Keys)
	}
}

// A GET has no place for a ticket: the wait is enough.
func TestPenaltyAnywhere(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{PenaltyWait: 1500 * time.Millisecond})
	access := v.session()
	for on, path := range map[emulator.Endpoint]string{
		emulator.AtRenew: "/auth/renewaccesstoken", emulator.AtMe: "/auth/me", tradovate.AccountList: "/account/list",
	} {
		v.Tune(func(k *tradovate.Knobs) { k.Penalties, k.PenaltyOn = 1, on })
		if a := v.get(path, access); a.Status != 200 || a.Text("p-ticket") == "" || a.Keys["p-time"] != 2.0 {
			t.Errorf("%s: %d %v", on, a.Status, a.Keys)
		}
		if a := v.get(path, access); a.Text("p-ticket") == "" || a.Keys["p-time"] != 3.0 {
			t.Errorf("%s, at once: %d %v", on, a.Status, a.Keys)
		}
		v.Time().Advance(3 * time.Second)
		if a := v.get(path, access); a.Status != 200 || a.Text("p-ticket") != "" {
			t.Errorf("%s, after the wait: %d %v", on, a.Status, a.Keys)
		}
	}
	code := v.code()
	v.Tune(func(k *tradovate.Knobs) { k.Penalties, k.PenaltyOn = 1, emulator.AtToken })
	ticket := v.token(apptest.ExchangeForm(code)).Text("p-ticket")
	v.Time().Advance(2 * time.Second)
	if a := v.token(apptest.ExchangeForm(code, "p-ticket", ticket)); !v.Alive(a.Text("access_token")) {
		t.Errorf("the code was not used by the penalised request: %v", a.Keys)
	}
	if k := v.Current(); k.Penalties != 0 {
		t.Errorf("%d penalties are left", k.Penalties)
	}
}

// Penalties go by /24, quotas by address.
func TestPenaltyIsOfTheNetwork(t *testing.T) {
	t.Parallel()
	s := &tradovate.Server{Knobs: tradovate.Knobs{PenaltyAfter: 1}}
	from := func(address string, change ...any) map[string]any {
		body, err := json.Marshal(loginBody(change...))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/auth/accesstokenrequest", strings.NewReader(string(body)))
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		var keys map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &keys); err != nil {
			t.Fatal(err)
		}
		return keys
	}
	from("198.51.100.7:1000", "password", "wrong")
	from("[2001:db8::1]:1000", "password", "wrong")
	for address, penalised := range map[string]bool{
		"198.51.100.99:2000": true, "198.51.101.7:1000": false, "[2001:db8::2]:1": true, "[2001:db8:0:1::1]:1": false, "pipe": false,
	} {
		if _, got := from(address)["p-ticket"]; got != penalised {
			t.Errorf("%s penalised: %t", address, got)
		}
	}
}
