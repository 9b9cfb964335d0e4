package tradovate_test

// The stage: both hosts of an emulated Tradovate behind real listeners, and a
// client that uses them.

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/tradovate"
)

const callback = "http://localhost:8080/auth/callback"

// venue is an emulated Tradovate. Its client follows no redirects.
type venue struct {
	*tradovate.Server
	t          *testing.T
	live, demo string
	client     *http.Client
}

func open(t *testing.T, k tradovate.Knobs) venue {
	t.Helper()
	s := &tradovate.Server{Knobs: k}
	live, demo := httptest.NewServer(s), httptest.NewServer(s.Demo())
	t.Cleanup(live.Close)
	t.Cleanup(demo.Close)
	client := &http.Client{
		Transport:     live.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return venue{s, t, live.URL, demo.URL, client}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	keys   map[string]any // of a JSON object
}

func (a answer) text(key string) string { v, _ := a.keys[key].(string); return v }

// request makes a request with headers, which come as pairs.
func (v venue) request(method, to, body string, header ...string) answer {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, to, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(raw)}
	_ = json.Unmarshal(raw, &a.keys) // not all answers are JSON objects
	return a
}

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

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

func (v venue) login(change ...any) answer {
	v.t.Helper()
	body, err := json.Marshal(loginBody(change...))
	if err != nil {
		v.t.Fatal(err)
	}
	return v.request("POST", v.live+"/v1/auth/accesstokenrequest", string(body), "Content-Type", asJSON)
}

// session signs in by password and returns the access token.
func (v venue) session() string {
	v.t.Helper()
	a := v.login()
	if a.text("accessToken") == "" {
		v.t.Fatalf("sign-in: %d %v", a.status, a.keys)
	}
	return a.text("accessToken")
}

func (v venue) get(path, access string) answer {
	v.t.Helper()
	return v.request("GET", v.live+path, "", "Authorization", "Bearer "+access)
}

func (v venue) renew(access string) answer {
	v.t.Helper()
	return v.get("/v1/auth/renewaccesstoken", access)
}

func (v venue) me(access string) answer {
	v.t.Helper()
	return v.get("/v1/auth/me", access)
}

func alice() emulator.Person { return emulator.Person{Name: "alice", Password: "wonderland"} }

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

// authorizeURL is in order but for the changes.
func (v venue) authorizeURL(change ...string) string {
	q := url.Values{"response_type": {"code"}, "client_id": {"demo-client"}, "redirect_uri": {callback}, "state": {"x y+z"}}
	return v.live + "/oauth?" + with(q, change).Encode()
}

// back is the query with which the browser is sent back.
func (v venue) back(p emulator.Person, authorizeURL string) url.Values {
	v.t.Helper()
	to, err := p.Redirected(v.t.Context(), authorizeURL)
	if err != nil {
		v.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, callback+"?") {
		v.t.Fatalf("sent back to %q", to)
	}
	return u.Query()
}

func (v venue) code(change ...string) string {
	v.t.Helper()
	return v.back(alice(), v.authorizeURL(change...)).Get("code")
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

func (v venue) token(form url.Values, header ...string) answer {
	v.t.Helper()
	return v.request("POST", v.live+"/auth/oauthtoken", form.Encode(), append([]string{"Content-Type", asForm}, header...)...)
}

// oauth signs in by OAuth and returns the first pair.
func (v venue) oauth() (access, refresh string) {
	v.t.Helper()
	a := v.token(exchangeForm(v.code()))
	if a.text("access_token") == "" || a.text("refresh_token") == "" {
		v.t.Fatalf("OAuth sign-in: %d %v", a.status, a.keys)
	}
	return a.text("access_token"), a.text("refresh_token")
}

func parseTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	if err != nil {
		t.Errorf("time %q is not RFC 3339 with milliseconds", s)
	}
	return at
}
