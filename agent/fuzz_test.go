package agent_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// FuzzFailure reads whatever may stand at the other end of a socket: there is always a class, and
// a reason that can be shown.
func FuzzFailure(f *testing.F) {
	for _, text := range []string{`{"error":{"class":"later","reason":"x","retry_after":1e300}}`, `{"error":{"class":"?"}}`, "<html>", "", `{"error":[]}`} {
		f.Add(503, []byte(text))
	}
	f.Fuzz(func(t *testing.T, status int, text []byte) {
		known := agent.FailureOf(status, text)
		if _, err := known.Class.MarshalText(); err != nil || known.Error() == "" || known.RetryAfter < 0 {
			t.Errorf("%d %q: %+v", status, text, known)
		}
		if venuekey.NeedsSignIn(known) != (known.Class == venuekey.ClassRefused) {
			t.Errorf("%+v", known)
		}
	})
}

// FuzzEvent reads whatever may come in a stream.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"kind":"rotated","id":"stage/alice","at":"2026-01-02T03:04:05Z","generation":3}`))
	f.Add([]byte(`{"kind":"reset"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if event, ok := agent.EventOf(data); ok && event.Kind == "" {
			t.Errorf("%q: %+v", data, event)
		}
	})
}

// FuzzHost compares whatever may stand in the field Host with a certificate: what is taken is a name or an
// address of it, and written as it is there.
func FuzzHost(f *testing.F) {
	certificate := emulator.NewAuthority("agent.example", "*.below.example", "0.0.0.0").Config().Certificates[0].Leaf
	for _, host := range []string{"agent.example:443", "localhost.", "[::1]:1", "[::ffff:127.0.0.1]", "127.1", "[::1%lo]", "a.below.example", "0.0.0.0", "localhost:", "[localhost]", "::1"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !agent.IsNamed(certificate, host) {
			return
		}
		name := strings.ToLower(host)
		if before, _, ok := strings.Cut(name, "]:"); ok {
			name = before
		} else if strings.Count(name, ":") == 1 {
			name, _, _ = strings.Cut(name, ":")
		}
		name = strings.Trim(name, "[]")
		below, ok := strings.CutSuffix(name, ".below.example")
		if name != "agent.example" && name != "localhost" && name != "127.0.0.1" && name != "::1" && (!ok || below == "" || strings.Contains(below, ".")) {
			t.Errorf("%q is taken", host)
		}
	})
}

// FuzzRequest sends whatever may stand in the line of a request: no answer leads elsewhere, and the token
// is in that of its own address only.
func FuzzRequest(f *testing.F) {
	for _, target := range []string{"/v1/token/stage/alice", "/v1/token/stage/..", "//v1/token", "/v1/token/stage/%2e%2e?newer_than=1", "http://x/v1/signins", "*", "/v1/events?id=%", "/v1/token/stage%2falice", "/v1/token/stage/alice?newer_than=9&wait=1ns"} {
		f.Add("GET", target)
		f.Add("POST", target)
	}
	keeper, _ := keepertest.SignedIn(f, &keepertest.Venue{})
	server := &agent.Server{Keeper: keeper}
	f.Fuzz(func(t *testing.T, method, target string) {
		request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n")))
		if err != nil || request.Method == http.MethodDelete || strings.HasSuffix(request.URL.Path, "/refresh") || strings.Contains(target, "wait") && !strings.Contains(target, "ns") {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if strings.HasPrefix(request.URL.Path, "/v1/events") {
			cancel() // or it does not end
		}
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, request.WithContext(ctx))
		if answer.Code >= 300 && answer.Code < 400 && answer.Code != http.StatusNotModified || answer.Header().Get("Location") != "" {
			t.Errorf("%s %q leads to %d %q", method, target, answer.Code, answer.Header().Get("Location"))
		}
		if strings.Contains(answer.Body.String(), "access-1") && request.URL.EscapedPath() != "/v1/token/stage/alice" && request.URL.Path != "/v1/token/stage/alice" {
			t.Errorf("%s %q hands out the token", method, target)
		}
	})
}
