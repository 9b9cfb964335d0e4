package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/proxy"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// FuzzPath looks for a path that leads to another sign-in, to another host, or to a call that
// was judged by another name.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/proxy/stage/alice/read", "/proxy/stage/alice/@localhost:1/x", "/proxy/stage/alice/read/..%2forder", "/proxy/stage//alice/%2e%2e/x", "/proxy/stage/alice/@evil/x", "/proxy/../v1/token", "/proxy/stage/bob/x;y"} {
		f.Add(seed)
	}
	var sent *http.Request
	keeper := keepertest.New(f, &memory.Store{}, venue{&keepertest.Venue{}, "http://127.0.0.1:9"})
	if _, err := keeper.SignIn(f.Context(), alice, keepertest.NoUI{}); err != nil {
		f.Fatal(err)
	}
	var asked proxy.Asked
	h := &proxy.Handler{Keeper: keeper, Base: trip(func(r *http.Request) (*http.Response, error) {
		sent = r
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}), Told: func(_ *http.Request, _ venuekey.ID, a proxy.Asked, _ int64, _ error) error {
		asked = a
		return nil
	}}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := url.ParseRequestURI(text)
		if err != nil || !strings.HasPrefix(at.Path, "/proxy/") {
			return
		}
		sent = nil
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = at
		h.ServeHTTP(httptest.NewRecorder(), r)
		if sent == nil {
			return
		}
		if sent.URL.Host != "127.0.0.1:9" && sent.URL.Host != "localhost:9" || sent.URL.Scheme != "http" || sent.URL.User != nil || sent.Host != "" && sent.Host != sent.URL.Host {
			t.Errorf("%q was sent to %s as %s", text, sent.URL, sent.Host)
		}
		again, err := url.ParseRequestURI(sent.URL.RequestURI())
		if err != nil || strings.Trim(again.Path, "/") != strings.Trim(asked.Name, "/") || strings.Trim(path.Clean("/"+again.Path), "/") != strings.Trim(asked.Name, "/") {
			t.Errorf("%q was judged as %q and sent as %s", text, asked.Name, sent.URL.RequestURI())
		}
		if !strings.HasPrefix(text, "/proxy/stage/alice/") && !strings.HasPrefix(at.Path, "/proxy/stage/alice") {
			t.Errorf("%q got the token of alice", text)
		}
	})
}

type trip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
