package ctrader_test

// The stage: an emulated cTrader behind a real listener, and an app that uses it.

import (
	"net/url"
	"testing"

	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/internal/apptest"
)

// venue is an emulated cTrader, and its app.
type venue struct {
	*ctrader.Server
	apptest.Client
}

// open makes the emulator describe why it refuses, so that a test can tell.
func open(t *testing.T, k ctrader.Knobs) venue {
	t.Helper()
	k.Descriptions = true
	s := &ctrader.Server{Knobs: k}
	return venue{s, apptest.Open(t, s)}
}

// authorizeURL is in order but for the changes, which come as pairs; an empty
// value leaves a parameter out.
func (v venue) authorizeURL(path string, change ...string) string {
	q := url.Values{"client_id": {"demo-client"}, "redirect_uri": {apptest.Callback}, "scope": {"trading"}, "state": {"xyzzy"}}
	return v.URL + path + "?" + apptest.With(q, change).Encode()
}

func (v venue) code() string {
	v.T.Helper()
	return v.Back(apptest.Alice(), v.authorizeURL("/apps/auth")).Get("code")
}

// reply is a token answer.
type reply struct {
	status  int
	keys    map[string]any
	access  string
	refresh string
	errCode string
	desc    string
}

func read(a apptest.Answer) reply {
	return reply{a.Status, a.Keys, a.Text("accessToken"), a.Text("refreshToken"), a.Text("errorCode"), a.Text("description")}
}

func (v venue) token(method string, change ...string) reply {
	v.T.Helper()
	q := apptest.With(url.Values{"client_id": {"demo-client"}, "client_secret": {"demo-secret"}}, change)
	switch method {
	case "GET":
		return read(v.Request("GET", "/apps/token?"+q.Encode(), ""))
	case "POST query":
		return read(v.Request("POST", "/apps/token?"+q.Encode(), "", "Content-Type", "application/json"))
	}
	return read(v.Post("/apps/token", q))
}

func (v venue) exchange(code string, change ...string) reply {
	v.T.Helper()
	return v.token("POST", append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", apptest.Callback}, change...)...)
}

func (v venue) refresh(token string, change ...string) reply {
	v.T.Helper()
	return v.token("POST", append([]string{"grant_type", "refresh_token", "refresh_token", token}, change...)...)
}

func (v venue) signIn() reply {
	v.T.Helper()
	r := v.exchange(v.code())
	if r.access == "" || r.refresh == "" {
		v.T.Fatalf("sign-in: %+v", r)
	}
	return r
}
