package ctrader_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
)

// The case that the emulator is for: the venue rotated and the client never learns.
func TestLostRotation(t *testing.T) {
	t.Parallel()
	d := open(t, ctrader.Knobs{})
	pair := d.signIn()
	d.Inject(emulator.Fault{On: emulator.Exchange, Kind: emulator.StatusBefore})
	d.Inject(emulator.Fault{On: emulator.Refresh, Kind: emulator.DropAfter})
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {pair.refresh}, "client_id": {"demo-client"}, "client_secret": {"demo-secret"}}
	if res, err := direct.PostForm(d.url+"/apps/token", form); err == nil {
		res.Body.Close()
		t.Fatalf("an answer came: %s", res.Status)
	}
	if d.RefreshAlive(pair.refresh) || d.Alive(pair.access) || d.Log().Count(emulator.RefreshGranted) != 1 {
		t.Errorf("the venue did not rotate: %+v", d.Events())
	}
	if r := d.refresh(pair.refresh); r.desc != "Invalid refresh token" {
		t.Errorf("once more: %+v", r)
	}
	if r := d.exchange("x"); r.status != 503 {
		t.Errorf("the fault for exchanges: %+v", r)
	}
}

func TestOneOfManyRefreshesWins(t *testing.T) {
	t.Parallel()
	d := open(t, ctrader.Knobs{})
	pair := d.signIn()
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if d.refresh(pair.refresh).access != "" {
				won.Add(1)
			}
			d.Tune(func(k *ctrader.Knobs) { k.EchoState = !k.EchoState })
		})
	}
	wg.Wait()
	if won.Load() != 1 || d.Log().Count(emulator.RefreshPresented) != 16 {
		t.Errorf("%d refreshes won, %d were presented", won.Load(), d.Log().Count(emulator.RefreshPresented))
	}
}

func TestAdminIsMounted(t *testing.T) {
	t.Parallel()
	d := open(t, ctrader.Knobs{})
	res, err := direct.Post(d.url+"/_emulator/knobs", "application/json", strings.NewReader(`{"echoState":true,"errorCodes":{"code":"X"},"rotation":"no-new-refresh","codeLife":"5s"}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if k := d.Current(); res.StatusCode != 200 || !k.EchoState || k.ErrorCodes.Code != "X" || k.Rotation != emulator.NoNewRefresh {
		t.Errorf("status %d, knobs %+v", res.StatusCode, k)
	}
	if q := d.back(alice(), d.authorizeURL("/apps/auth")); q.Get("state") != "xyzzy" {
		t.Errorf("the knob has no effect: %v", q)
	}
}

// Everything that a user did is in the log and the admin's state, and nothing
// that is secret.
func TestNothingSecretComesOut(t *testing.T) {
	t.Parallel()
	const sentinel = "SENTINEL"
	d := open(t, ctrader.Knobs{TokenPrefix: sentinel})
	pair := d.signIn()
	if !strings.HasPrefix(pair.access, sentinel) || !strings.HasPrefix(pair.refresh, sentinel) {
		t.Fatal("the tokens lack the prefix")
	}
	d.refresh(pair.refresh)
	d.refresh(pair.refresh)
	d.exchange(pair.access)
	d.refresh(pair.refresh, "client_secret", "wrong-secret")
	if _, err := (emulator.Person{Name: "alice", Password: "wrong-password"}).Redirected(t.Context(), d.authorizeURL("/apps/auth")); err == nil {
		t.Fatal("a wrong password got in")
	}
	d.RevokeUser("alice")
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(d.Events()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"state", "events"} {
		res, err := direct.Get(d.url + "/_emulator/" + path)
		if err != nil {
			t.Fatal(err)
		}
		out.ReadFrom(res.Body)
		res.Body.Close()
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
