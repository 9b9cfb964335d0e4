// Package apptest has a test app that signs in made-up users at an emulated venue,
// exchanges codes, refreshes tokens and reads the answers. It is for the tests of the
// venues.
package apptest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/emulator"
)

// Callback is the redirect URI of [emulator.DefaultApp].
const Callback = "http://localhost:8080/auth/callback"

// AsForm is the content type of a form.
const AsForm = "application/x-www-form-urlencoded"

// Alice returns the first of [emulator.DefaultUsers] as a person with a browser.
func Alice() emulator.Person { return emulator.Person{Name: "alice", Password: "wonderland"} }

// Client is [emulator.DefaultApp] at a venue. It follows no redirects.
type Client struct {
	T    *testing.T
	URL  string // of the venue
	HTTP *http.Client
}

// Open starts the venue, and stops it when the test ends.
func Open(t *testing.T, venue http.Handler) Client {
	t.Helper()
	web := httptest.NewServer(venue)
	t.Cleanup(web.Close)
	return Client{T: t, URL: web.URL, HTTP: &http.Client{
		// No connection is reused: those of the default transport are closed whenever a
		// test's server closes, even as a form is about to be sent on one.
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Back returns the query with which the person's browser is redirected to the callback.
func (c Client) Back(p emulator.Person, authorizeURL string) url.Values {
	c.T.Helper()
	to, err := p.Redirected(c.T.Context(), authorizeURL)
	if err != nil {
		c.T.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, Callback+"?") {
		c.T.Fatalf("sent back to %q", to)
	}
	return u.Query()
}

// Answer is an HTTP response.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	Keys   map[string]any // of a JSON object; pages have none
}

// Text returns the value of a key if it is a string, and "" otherwise.
func (a Answer) Text(key string) string { v, _ := a.Keys[key].(string); return v }

// Request makes a request with headers, given as pairs. An address that is only a path is
// relative to the venue.
func (c Client) Request(method, address, body string, header ...string) Answer {
	c.T.Helper()
	if strings.HasPrefix(address, "/") {
		address = c.URL + address
	}
	req, err := http.NewRequestWithContext(c.T.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.T.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		c.T.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.T.Fatal(err)
	}
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: string(raw)}
	_ = json.Unmarshal(raw, &a.Keys)
	return a
}

// Post sends a form.
func (c Client) Post(address string, form url.Values, header ...string) Answer {
	c.T.Helper()
	return c.Request("POST", address, form.Encode(), append([]string{"Content-Type", AsForm}, header...)...)
}

// With changes values, given as pairs; an empty value removes the key.
func With(q url.Values, change []string) url.Values {
	for i := 0; i < len(change); i += 2 {
		q.Set(change[i], change[i+1])
		if change[i+1] == "" {
			q.Del(change[i])
		}
	}
	return q
}

// AuthorizeQuery returns the query of a valid authorize request, with changes.
func AuthorizeQuery(change ...string) string {
	return With(url.Values{
		"response_type": {"code"}, "client_id": {"demo-client"}, "redirect_uri": {Callback}, "state": {"x y+z"},
	}, change).Encode()
}

// ExchangeForm returns the form of a valid code exchange, with changes.
func ExchangeForm(code string, change ...string) url.Values {
	return With(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {Callback},
		"client_id": {"demo-client"}, "client_secret": {"demo-secret"},
	}, change)
}

// RefreshForm returns the form of a valid refresh, with changes.
func RefreshForm(token string, change ...string) url.Values {
	return With(url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {token},
		"client_id": {"demo-client"}, "client_secret": {"demo-secret"},
	}, change)
}
