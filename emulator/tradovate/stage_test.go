package tradovate_test

// The stage: both hosts of an emulated Tradovate behind real listeners, and a
// client that uses them.

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator/internal/apptest"
	"github.com/venuekey/venuekey/emulator/tradovate"
)

// venue is an emulated Tradovate, and its app, which is at the live host.
type venue struct {
	*tradovate.Server
	apptest.Client
	live, demo string
}

func open(t *testing.T, k tradovate.Knobs) venue {
	t.Helper()
	s := &tradovate.Server{Knobs: k}
	live := apptest.Open(t, s)
	return venue{s, live, live.URL, apptest.Open(t, s.Demo()).URL}
}

const asJSON = "application/json"

// loginBody is in order but for the changes, which come as pairs; nil leaves a
// field out.
func loginBody(change ...any) map[string]any {
	body := map[string]any{
		"name": "alice", "password": "wonderland", "appId": "stage", "appVersion": "1.0",
		"deviceId": strings.Repeat("ab", 32), "cid": 42, "sec": "demo-sec",
	}
	for i := 0; i < len(change); i += 2 {
		body[change[i].(string)] = change[i+1]
		if change[i+1] == nil {
			delete(body, change[i].(string))
		}
	}
	return body
}

func (v venue) login(change ...any) apptest.Answer {
	v.T.Helper()
	body, err := json.Marshal(loginBody(change...))
	if err != nil {
		v.T.Fatal(err)
	}
	return v.Request("POST", v.live+"/v1/auth/accesstokenrequest", string(body), "Content-Type", asJSON)
}

// session signs in by password and returns the access token.
func (v venue) session() string {
	v.T.Helper()
	a := v.login()
	if a.Text("accessToken") == "" {
		v.T.Fatalf("sign-in: %d %v", a.Status, a.Keys)
	}
	return a.Text("accessToken")
}

func (v venue) get(path, access string) apptest.Answer {
	v.T.Helper()
	return v.Request("GET", v.live+path, "", "Authorization", "Bearer "+access)
}

func (v venue) renew(access string) apptest.Answer {
	v.T.Helper()
	return v.get("/v1/auth/renewaccesstoken", access)
}

func (v venue) me(access string) apptest.Answer {
	v.T.Helper()
	return v.get("/v1/auth/me", access)
}

// authorizeURL is in order but for the changes.
func (v venue) authorizeURL(change ...string) string {
	return v.live + "/oauth?" + apptest.AuthorizeQuery(change...)
}

func (v venue) code(change ...string) string {
	v.T.Helper()
	return v.Back(apptest.Alice(), v.authorizeURL(change...)).Get("code")
}

func (v venue) token(form url.Values, header ...string) apptest.Answer {
	v.T.Helper()
	return v.Post("/auth/oauthtoken", form, header...)
}

// oauth signs in by OAuth and returns the first pair.
func (v venue) oauth() (access, refresh string) {
	v.T.Helper()
	a := v.token(apptest.ExchangeForm(v.code()))
	if a.Text("access_token") == "" || a.Text("refresh_token") == "" {
		v.T.Fatalf("OAuth sign-in: %d %v", a.Status, a.Keys)
	}
	return a.Text("access_token"), a.Text("refresh_token")
}

func parseTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	if err != nil {
		t.Errorf("time %q is not RFC 3339 with milliseconds", s)
	}
	return at
}
