package tradovate_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/emulator/tradovate"
)

func TestFaultsStrike(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	access, refresh := v.oauth()
	for on, try := range map[emulator.Endpoint]func() apptest.Answer{
		emulator.AtAuthorize:  func() apptest.Answer { return v.Request("GET", v.authorizeURL(), "") },
		emulator.AtToken:      func() apptest.Answer { return v.token(apptest.RefreshForm("x")) },
		emulator.AtExchange:   func() apptest.Answer { return v.token(apptest.ExchangeForm("x")) },
		emulator.AtLogin:      func() apptest.Answer { return v.login() },
		emulator.AtRenew:      func() apptest.Answer { return v.renew(access) },
		emulator.AtMe:         func() apptest.Answer { return v.me(access) },
		tradovate.AccountList: func() apptest.Answer { return v.get("/account/list", access) },
	} {
		v.Inject(emulator.Fault{On: on, Kind: emulator.FaultRedirectBefore, Status: 307, Location: "http://dedicated.invalid/"})
		if a := try(); a.Status != 307 || a.Header.Get("Location") != "http://dedicated.invalid/" {
			t.Errorf("%s: %d", on, a.Status)
		}
	}
	if v.Log().Count(emulator.EventLoginGranted) != 1 { // the one on the page
		t.Error("a fault before does nothing")
	}
	v.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultTruncateAfter})
	res, err := v.HTTP.Post(v.live+"/auth/oauthtoken", apptest.AsForm, strings.NewReader(apptest.RefreshForm(refresh).Encode()))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := new(bytes.Buffer).ReadFrom(res.Body); err == nil || v.RefreshAlive(refresh) {
		t.Errorf("error %v, and the venue did not rotate", err)
	}
}

// Logins in parallel sabotage each other: two are left.
func TestParallelSignIns(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{})
	var mu sync.Mutex
	var tokens []string
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			access := v.session()
			mu.Lock()
			defer mu.Unlock()
			tokens = append(tokens, access)
		})
	}
	wg.Wait()
	tokens = slices.DeleteFunc(tokens, func(access string) bool { return !v.Alive(access) })
	if len(tokens) != 2 || v.Log().Count(emulator.EventSessionClosed) != 10 {
		t.Errorf("%d sessions are left, %d were closed", len(tokens), v.Log().Count(emulator.EventSessionClosed))
	}
}

func TestAdminIsMounted(t *testing.T) {
	t.Parallel()
	v := open(t, tradovate.Knobs{PenaltyAfter: 1})
	a := v.Request("POST", v.demo+"/_emulator/knobs", `{"accessLife":"90m","penaltyOn":"renew","closedStatus":500,"rotation":"grace-new-pair","apiHosts":true}`)
	if k := v.Current(); a.Status != 200 || k.AccessLife != 90*time.Minute || k.PenaltyOn != emulator.AtRenew || k.ClosedStatus != 500 || !k.APIHosts {
		t.Errorf("%d %v, knobs %+v", a.Status, a.Keys, v.Current())
	}
	v.login("password", "wrong")
	if a := v.login(); a.Text("p-ticket") == "" {
		t.Errorf("no penalty: %v", a.Keys)
	}
	if a := v.Request("POST", v.live+"/_emulator/reset", ""); a.Status != 200 || v.Current() != (tradovate.Knobs{PenaltyAfter: 1}) {
		t.Errorf("reset: %d, knobs %+v", a.Status, v.Current())
	}
	if a := v.login(); !v.Alive(a.Text("accessToken")) {
		t.Errorf("a reset forgets penalties: %v", a.Keys)
	}
	if a.Text("venue") != "tradovate" {
		t.Errorf("name %v", a.Keys["venue"])
	}
}

// What is in the log and in the admin's state is nothing secret.
func TestNothingSecretComesOut(t *testing.T) {
	t.Parallel()
	const sentinel = "sentinel"
	v := open(t, tradovate.Knobs{TokenPrefix: sentinel, SessionLimit: 1, PenaltyAfter: 2})
	first := v.session()
	access := v.session()
	v.renew(access)
	v.renew(first)
	v.me(access)
	v.me(sentinel + "-made-up")
	v.get("/account/list", first)
	_, refresh := v.oauth()
	v.token(apptest.RefreshForm(refresh))
	v.token(apptest.RefreshForm(refresh))
	v.token(apptest.ExchangeForm(sentinel+"-made-up", "client_secret", "wrong-sentinel"))
	v.token(apptest.ExchangeForm(sentinel + "-made-up"))
	v.login("password", "wrong-sentinel")
	v.login("name", sentinel, "sec", "wrong-sentinel")
	v.login("p-ticket", sentinel+"-made-up")
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(v.Events()); err != nil {
		t.Fatal(err)
	}
	if v.Log().Count(emulator.EventPenalty) != 1 || v.Log().Count(emulator.EventSessionClosed) != 1 {
		t.Errorf("events: %+v", v.Events())
	}
	for _, path := range []string{"state", "events"} {
		out.WriteString(strings.ReplaceAll(v.Request("GET", v.live+"/_emulator/"+path, "").Body, `"TokenPrefix":"`+sentinel+`"`, ""))
	}
	for _, secret := range []string{sentinel, "demo-secret", "demo-sec", "wonderland"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q comes out", secret)
		}
	}
	if !slices.ContainsFunc(v.Events(), func(e emulator.Event) bool { return e.Successor == emulator.Fingerprint(access) }) {
		t.Error("the access token's fingerprint is not in the log")
	}
}
