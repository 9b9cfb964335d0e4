package ttp_test

// The stage: an emulated TTP behind a real listener, and an app that uses it.

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ttp"
)

const callback = "http://localhost:8080/auth/callback"

// site is an emulated TTP. Its client follows no redirects.
type site struct {
	*ttp.Server
	t      *testing.T
	url    string
	client *http.Client
}

func open(t *testing.T, k ttp.Knobs) site {
	t.Helper()
	s := &ttp.Server{Knobs: k}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	client := web.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return site{s, t, web.URL, client}
}

// with changes values, which come as pairs; an empty value takes one out.
func with(q url.Values, change []string) url.Values {
	for i := 0; i < len(change); i += 2 {
		q.Set(change[i], change[i+1])
		if change[i+1] == "" {
			q.Del(change[i])
		}
	}
	return q
}

func alice() emulator.Person { return emulator.Person{Name: "alice", Password: "wonderland"} }

// authorizeURL is in order but for the changes.
func (s site) authorizeURL(change ...string) string {
	q := url.Values{"response_type": {"code"}, "client_id": {"demo-client"}, "redirect_uri": {callback}, "state": {"x y+z"}}
	return s.url + "/oauth/authorize?" + with(q, change).Encode()
}

// back is the query with which the browser is sent back.
func (s site) back(p emulator.Person, authorizeURL string) url.Values {
	s.t.Helper()
	to, err := p.Redirected(s.t.Context(), authorizeURL)
	if err != nil {
		s.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, callback+"?") {
		s.t.Fatalf("sent back to %q", to)
	}
	return u.Query()
}

func (s site) code(change ...string) string {
	s.t.Helper()
	return s.back(alice(), s.authorizeURL(change...)).Get("code")
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	keys   map[string]any // of a JSON object
}

func (a answer) text(key string) string { v, _ := a.keys[key].(string); return v }

func (a answer) isHTML() bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "text/html") && strings.Contains(a.body, "<!DOCTYPE html>")
}

// request makes a request with headers, which come as pairs.
func (s site) request(method, path, body string, header ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(raw)}
	_ = json.Unmarshal(raw, &a.keys) // pages are no JSON
	return a
}

func (s site) post(path string, form url.Values, header ...string) answer {
	s.t.Helper()
	return s.request("POST", path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
}

func exchangeForm(code string, change ...string) url.Values {
	return with(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback},
		"client_id": {"demo-client"}, "client_secret": {"demo-secret"},
	}, change)
}

func refreshForm(token string, change ...string) url.Values {
	return with(url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {token},
		"client_id": {"demo-client"}, "client_secret": {"demo-secret"},
	}, change)
}

func (s site) exchange(code string, change ...string) answer {
	s.t.Helper()
	return s.post("/oauth/token", exchangeForm(code, change...))
}

func (s site) refresh(token string, change ...string) answer {
	s.t.Helper()
	return s.post("/oauth/token", refreshForm(token, change...))
}

// signIn returns the first pair.
func (s site) signIn() (access, refresh string) {
	s.t.Helper()
	a := s.exchange(s.code())
	if a.text("access_token") == "" || a.text("refresh_token") == "" {
		s.t.Fatalf("sign-in: %d %v", a.status, a.keys)
	}
	return a.text("access_token"), a.text("refresh_token")
}

func (s site) me(access string) answer {
	s.t.Helper()
	return s.request("GET", "/oauth/me", "", "Authorization", "Bearer "+access)
}
