package ctrader_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/internal/apptest"
)

// The case that the emulator is for: the venue rotated and the client never learns.
func TestLostRotation(t *testing.T) {
	t.Parallel()
	v := open(t, ctrader.Knobs{})
	pair := v.signIn()
	v.Inject(emulator.Fault{On: emulator.AtExchange, Kind: emulator.FaultStatusBefore})
	v.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultDropAfter})
	if res, err := v.HTTP.PostForm(v.URL+"/apps/token", apptest.RefreshForm(pair.refresh)); err == nil {
		res.Body.Close()
		t.Fatalf("an answer came: %s", res.Status)
	}
	if v.RefreshAlive(pair.refresh) || v.Alive(pair.access) || v.Log().Count(emulator.EventRefreshGranted) != 1 {
		t.Errorf("the venue did not rotate: %+v", v.Events())
	}
	if r := v.refresh(pair.refresh); r.desc != "Invalid refresh token" {
		t.Errorf("once more: %+v", r)
	}
	if r := v.exchange("x"); r.status != 503 {
		t.Errorf("the fault for exchanges: %+v", r)
	}
}

func TestOneOfManyRefreshesWins(t *testing.T) {
	t.Parallel()
	v := open(t, ctrader.Knobs{})
	pair := v.signIn()
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if v.refresh(pair.refresh).access != "" {
				won.Add(1)
			}
			v.Tune(func(k *ctrader.Knobs) { k.EchoState = !k.EchoState })
		})
	}
	wg.Wait()
	if won.Load() != 1 || v.Log().Count(emulator.EventRefreshPresented) != 16 {
		t.Errorf("%d refreshes won, %d were presented", won.Load(), v.Log().Count(emulator.EventRefreshPresented))
	}
}

func TestAdminIsMounted(t *testing.T) {
	t.Parallel()
	v := open(t, ctrader.Knobs{})
	a := v.Request("POST", "/_emulator/knobs", `{"echoState":true,"errorCodes":{"code":"X"},"rotation":"no-new-refresh","codeLife":"5s"}`)
	if k := v.Current(); a.Status != 200 || !k.EchoState || k.ErrorCodes.Code != "X" || k.Rotation != emulator.RotationNoNewRefresh {
		t.Errorf("status %d, knobs %+v", a.Status, k)
	}
	if q := v.Back(apptest.Alice(), v.authorizeURL("/apps/auth")); q.Get("state") != "xyzzy" {
		t.Errorf("the knob has no effect: %v", q)
	}
}

// Everything that a user did is in the log and the admin's state, and nothing
// that is secret.
func TestNothingSecretComesOut(t *testing.T) {
	t.Parallel()
	const sentinel = "SENTINEL"
	v := open(t, ctrader.Knobs{TokenPrefix: sentinel})
	pair := v.signIn()
	if !strings.HasPrefix(pair.access, sentinel) || !strings.HasPrefix(pair.refresh, sentinel) {
		t.Fatal("the tokens lack the prefix")
	}
	v.refresh(pair.refresh)
	v.refresh(pair.refresh)
	v.exchange(pair.access)
	v.refresh(pair.refresh, "client_secret", "wrong-secret")
	if _, err := (emulator.Person{Name: "alice", Password: "wrong-password"}).Redirected(t.Context(), v.authorizeURL("/apps/auth")); err == nil {
		t.Fatal("a wrong password got in")
	}
	v.RevokeUser("alice")
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(v.Events()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"state", "events"} {
		out.WriteString(v.Request("GET", "/_emulator/"+path, "").Body)
	}
	// The state shows the knob itself, which is no secret.
	text := strings.ReplaceAll(out.String(), `"TokenPrefix":"SENTINEL"`, "")
	for _, secret := range []string{sentinel, "demo-secret", "wrong-secret", "wonderland", "wrong-password", "builder"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q comes out", secret)
		}
	}
	if !strings.Contains(text, emulator.Fingerprint(pair.refresh)) {
		t.Error("the fingerprint does not come out")
	}
}

// Whatever arrives, the venue answers, and gives no tokens for it.
func FuzzRequests(f *testing.F) {
	f.Add("POST", "grant_type=refresh_token", "refresh_token=x&client_id=demo-client&client_secret=demo-secret")
	f.Add("GET", "grant_type=authorization_code&code=%zz;", "")
	f.Add("PUT", "client_id=demo-client&redirect_uri=http://localhost:8080/auth/callback&scope=trading", "ticket=x&decision=allow")
	f.Fuzz(func(t *testing.T, method, query, form string) {
		if method != "GET" && method != "PUT" {
			method = "POST"
		}
		s := new(ctrader.Server)
		for _, path := range []string{"/apps/auth", "/apps/token"} {
			r := httptest.NewRequest(method, path, strings.NewReader(form))
			r.URL.RawQuery = query
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code == 0 || strings.Contains(w.Body.String(), "accessToken") || w.Header().Get("Location") != "" {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	})
}
