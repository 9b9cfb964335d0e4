package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/proxy"
)

// proxy_test.go owns the stories of calls.

func TestACallGetsTheToken(t *testing.T) {
	t.Parallel()
	s := play(t, nil, nil)
	status, body, _ := s.call("GET", "/proxy/stage/alice/read/orders?from=1&to=2", "", "Accept", "text/x", "X-Mine", "yes")
	if status != 200 || body != "/read/orders?from=1&to=2" {
		t.Error(status, body)
	}
	got := s.requests()[0]
	if got.header.Get("Authorization") != "Bearer access-1" || got.header.Get("Accept") != "text/x" || got.header.Get("X-Mine") != "yes" {
		t.Error("the venue got", got.header)
	}
}

// What a program must not decide does not reach the venue, however it is sent.
func TestAttackAProxyIsNotToldWhoAsks(t *testing.T) {
	t.Parallel()
	s := play(t, nil, nil)
	_, body, _ := s.call("POST", "/proxy/stage/alice/order", "x",
		"Authorization", "Bearer mine", "Authorization", "Bearer other", "Connection", "Authorization, X-Gone", "X-Gone", "1",
		"Proxy-Authorization", "Basic x", "Cookie", "session=1", "X-Http-Method-Override", "DELETE", "X-Original-Url", "/admin",
		"X-Forwarded-Host", "evil", "Forwarded", "host=evil", "Venuekey-Vault", "", "Te", "gzip", "Upgrade", "h2c", "Via", "1.1 x", "Referer", "http://x/")
	got := s.requests()[0]
	if body != "/order" || len(got.header.Values("Authorization")) != 1 || got.header.Get("Authorization") != "Bearer access-1" {
		t.Error(body, got.header)
	}
	for name := range got.header {
		switch name {
		case "Authorization", "Accept-Encoding", "User-Agent", "Content-Length":
		default:
			t.Errorf("the venue got %s: %q", name, got.header.Values(name))
		}
	}
	if !strings.HasPrefix(got.address, s.api.Listener.Addr().String()+"/") {
		t.Error("the venue was asked as", got.address)
	}
}

// A request that two programs could read in two ways reaches nobody.
func TestAttackAProxyPathsAndTargets(t *testing.T) {
	t.Parallel()
	s := play(t, nil, nil)
	host := s.api.Listener.Addr().String()
	for name, line := range map[string]string{
		"absolute form, another host":  "GET http://evil.example/proxy/stage/alice/read HTTP/1.1\r\nHost: evil.example\r\n\r\n",
		"absolute form, the venue":     "GET http://" + host + "/proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"user info":                    "GET http://a:b@agent/proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"connect":                      "CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
		"trace":                        "TRACE /proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"dots":                         "GET /proxy/stage/alice/read/../order HTTP/1.1\r\nHost: agent\r\n\r\n",
		"dots to another sign-in":      "GET /proxy/stage/alice/../bob/read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"encoded dots":                 "GET /proxy/stage/alice/read/%2e%2e/order HTTP/1.1\r\nHost: agent\r\n\r\n",
		"an encoded slash":             "GET /proxy/stage/alice/read%2f..%2forder HTTP/1.1\r\nHost: agent\r\n\r\n",
		"twice encoded":                "GET /proxy/stage/alice/read%252f..%252forder HTTP/1.1\r\nHost: agent\r\n\r\n",
		"a backslash":                  "GET /proxy/stage/alice/read\\order HTTP/1.1\r\nHost: agent\r\n\r\n",
		"an encoded backslash":         "GET /proxy/stage/alice/read%5corder HTTP/1.1\r\nHost: agent\r\n\r\n",
		"two slashes":                  "GET /proxy/stage/alice//evil.example/read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"a semicolon":                  "GET /proxy/stage/alice/read;x HTTP/1.1\r\nHost: agent\r\n\r\n",
		"a question mark in the path":  "GET /proxy/stage/alice/read%3fx HTTP/1.1\r\nHost: agent\r\n\r\n",
		"a null byte":                  "GET /proxy/stage/alice/order%00/read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"two lengths":                  "POST /proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"a length with a sign":         "POST /proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\nContent-Length: +1\r\n\r\na",
		"an unknown transfer encoding": "POST /proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\nTransfer-Encoding: xchunked\r\n\r\n",
		"another host of nobody's":     "GET /proxy/stage/alice/@evil.example/read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"another port":                 "GET /proxy/stage/alice/@localhost:1/read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"a host with a trailing dot":   "GET /proxy/stage/alice/@" + host + "./read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"no sign-in":                   "GET /proxy/stage HTTP/1.1\r\nHost: agent\r\n\r\n",
		"a name of dots":               "GET /proxy/stage/.../read HTTP/1.1\r\nHost: agent\r\n\r\n",
		"of a web page":                "GET /proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\nOrigin: https://evil.example\r\n\r\n",
		"of a web page without origin": "GET /proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\nSec-Fetch-Mode: no-cors\r\n\r\n",
		"a preflight":                  "OPTIONS /proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			answer := s.raw(line)
			if !strings.HasPrefix(answer, "4") && !strings.HasPrefix(answer, "501") {
				t.Error("answered", answer)
			}
		})
	}
	if got := s.requests(); len(got) > 0 {
		t.Error("the venue got", got)
	}
}

// Chunks beside a length are one request, and only the chunks count (RFC 9112 §6.3).
func TestAttackAProxySmuggles(t *testing.T) {
	t.Parallel()
	s := play(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }, nil)
	answer := s.raw("POST /proxy/stage/alice/read HTTP/1.1\r\nHost: agent\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /proxy/stage/alice/order HTTP/1.1\r\nHost: agent\r\n\r\n")
	for _, got := range s.requests() {
		if got.method != "POST" || strings.Contains(got.address, "order") {
			t.Error("the venue got", got)
		}
	}
	if !strings.HasSuffix(answer, "x") && !strings.HasPrefix(answer, "400") {
		t.Error("answered", answer)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	to := ""
	s := play(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}, nil)
	host := s.api.Listener.Addr().String()
	_, port, _ := strings.Cut(host, ":")
	for location, want := range map[string]string{
		"/read/else?x=1":                       "/proxy/stage/alice/read/else?x=1",
		s.api.URL + "/read/else":               "/proxy/stage/alice/read/else",
		"http://localhost:" + port + "/read/b": "/proxy/stage/alice/@localhost:" + port + "/read/b",
		"https://evil.example/read":            "",
		"//evil.example/read":                  "",
		"https://" + host + "/read":            "", // another scheme
		"http://u@" + host + "/read":           "",
		"http://" + host + "/read/%2e%2e/x":    "",
	} {
		to = location
		status, body, header := s.call("GET", "/proxy/stage/alice/read", "")
		if got := header.Get("Location"); got != want {
			t.Errorf("%s: the program is led to %q, not %q", location, got, want)
		}
		if want == "" && (status != http.StatusBadGateway || !strings.Contains(body, "redirects")) {
			t.Errorf("%s: answered %d %s", location, status, body)
		}
	}
	for _, got := range s.requests() {
		if got.address != host+"/read" {
			t.Error("the venue got", got)
		}
	}
}

// A token that the venue refuses is renewed. What may be done twice by sending it again is not
// sent again (RFC 9110 §9.2.2); the next call has the new token.
func TestARefusedTokenIsRenewed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path, body string
		statuses           int // of the answer
		sent               int
	}{
		{"GET", "read", "", 200, 2},
		{"POST", "read", "", 200, 2},
		{"POST", "read", "a body that is gone", 401, 1},
		{"GET", "order", "", 401, 1},
		{"POST", "order", "", 401, 1},
		{"DELETE", "order", "", 401, 1},
	} {
		t.Run(c.method+" "+c.path+" "+c.body, func(t *testing.T) {
			t.Parallel()
			s := play(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.Header.Get("Authorization") == "Bearer access-1" {
					w.WriteHeader(http.StatusUnauthorized)
				}
			}, nil)
			status, _, _ := s.call(c.method, "/proxy/stage/alice/"+c.path, c.body)
			if got := len(s.requests()); status != c.statuses || got != c.sent {
				t.Errorf("answered %d after %d requests, want %d after %d", status, got, c.statuses, c.sent)
			}
			if status, _, _ = s.call("GET", "/proxy/stage/alice/order", ""); status != 200 {
				t.Error("the next call was answered", status)
			}
			if _, total := s.venue.Shown(); total != 1 {
				t.Error(total, "renewals")
			}
		})
	}
}

func TestATokenWithTooFewScopesIsNotRenewed(t *testing.T) {
	t.Parallel()
	s := play(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
		w.WriteHeader(http.StatusUnauthorized)
	}, nil)
	if status, _, _ := s.call("GET", "/proxy/stage/alice/read", ""); status != 401 || len(s.requests()) != 1 {
		t.Error(status, s.requests())
	}
	if _, total := s.venue.Shown(); total != 0 {
		t.Error(total, "renewals")
	}
}

// Bodies flow both ways while they are made.
func TestBodiesAreStreamed(t *testing.T) {
	t.Parallel()
	s := play(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintf(w, "got %s\n", lines.Text())
			_ = control.Flush()
		}
	}, nil)
	reader, writer := io.Pipe()
	request, _ := http.NewRequestWithContext(t.Context(), "POST", "http://agent/proxy/stage/alice/order", reader)
	go func() { fmt.Fprintln(writer, "one") }()
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answers := bufio.NewScanner(response.Body)
	for _, word := range []string{"one", "two", "three"} {
		if word != "one" {
			fmt.Fprintln(writer, word)
		}
		if !answers.Scan() || answers.Text() != "got "+word {
			t.Fatalf("read %q, want the answer to %s", answers.Text(), word)
		}
	}
	writer.Close()
}

// An answer without end costs a buffer, and ends with its program.
func TestAttackAProxyTargetThatAnswersForEver(t *testing.T) {
	t.Parallel()
	left := make(chan error, 1)
	s := play(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				left <- err
				return
			}
		}
	}, nil)
	ctx, leave := context.WithCancel(t.Context())
	request, _ := http.NewRequestWithContext(ctx, "GET", "http://agent/proxy/stage/alice/read", nil)
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, response.Body, 8<<20); err != nil {
		t.Fatal(err)
	}
	leave()
	response.Body.Close()
	<-left
}

func TestCookiesStayAway(t *testing.T) {
	t.Parallel()
	s := play(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "session=1")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("X-Venue", "yes")
	}, nil)
	_, _, header := s.call("GET", "/proxy/stage/alice/read", "")
	if header.Get("Set-Cookie") != "" || header.Get("Access-Control-Allow-Origin") != "" || header.Get("X-Venue") != "yes" {
		t.Error("the program got", header)
	}
}

func TestAVenueThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := play(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil)
	status, body, _ := s.call("GET", "/proxy/stage/alice/read", "")
	if status != http.StatusBadGateway || !strings.Contains(body, `"class":"later"`) {
		t.Error("a read was answered", status, body)
	}
	status, body, _ = s.call("POST", "/proxy/stage/alice/order", "x")
	if status != http.StatusBadGateway || !strings.Contains(body, `"class":"unknown"`) || !strings.Contains(body, "may have been carried out") {
		t.Error("an order was answered", status, body)
	}
}

// Rights are asked for before anything is sent, and whoever has none for a sign-in does not
// learn that it exists.
func TestAttackAProxyBeyondItsRights(t *testing.T) {
	t.Parallel()
	var written []string
	s := play(t, nil, func(h *proxy.Handler) {
		h.Allow = func(r *http.Request, id venuekey.ID, asked proxy.Asked) error {
			switch {
			case r.Header.Get("X-Who") == "stranger" || id.Name != "alice":
				return proxy.ErrForbidden
			case asked != proxy.Asked{} && asked.Effect != venuekey.EffectNone:
				return errors.New("read-only")
			}
			return nil
		}
		h.Told = func(_ *http.Request, id venuekey.ID, asked proxy.Asked, generation int64, outcome error) error {
			written = append(written, fmt.Sprint(id, " ", asked, " ", generation, " ", outcome))
			return nil
		}
	})
	_, unknown, _ := s.call("GET", "/proxy/stage/bob/read", "")
	status, hidden, _ := s.call("GET", "/proxy/stage/alice/read", "", "X-Who", "stranger")
	if status != http.StatusNotFound || strings.ReplaceAll(unknown, "bob", "alice") != hidden {
		t.Errorf("answered %d %s, which is not %s", status, hidden, unknown)
	}
	if status, body, _ := s.call("GET", "/proxy/stage/alice/order", ""); status != http.StatusForbidden || !strings.Contains(body, "read-only") {
		t.Error("an order was answered", status, body)
	}
	if status, body, _ := s.call("GET", "/proxy/stage/alice/auth/renew", ""); status != http.StatusForbidden {
		t.Error("a renewal was answered", status, body)
	}
	if len(s.requests()) != 0 {
		t.Error("the venue got", s.requests())
	}
	if status, _, _ := s.call("GET", "/proxy/stage/alice/read/x", ""); status != 200 {
		t.Error("a read was answered", status)
	}
	want := "stage/bob GET  0 forbidden\nstage/alice GET  0 forbidden\nstage/alice GET order 0 forbidden\nstage/alice GET auth/renew 0 forbidden\nstage/alice GET read/x 2 <nil>"
	if got := strings.Join(written, "\n"); got != want {
		t.Errorf("written down:\n%s\nwant:\n%s", got, want)
	}
}

func TestACallThatCannotBeWrittenDownIsNotMade(t *testing.T) {
	t.Parallel()
	s := play(t, nil, func(h *proxy.Handler) {
		h.Told = func(*http.Request, venuekey.ID, proxy.Asked, int64, error) error { return errors.New("disk full") }
	})
	if status, body, _ := s.call("GET", "/proxy/stage/alice/read", ""); status != http.StatusInternalServerError || len(s.requests()) > 0 {
		t.Error(status, body, s.requests())
	}
}

// The agent ends while a call is under way: the program gets the answer.
func TestACallUnderWayOutlivesTheAgent(t *testing.T) {
	t.Parallel()
	arrived, ended := make(chan bool), make(chan bool)
	s := play(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- true
		<-ended
		_, _ = io.WriteString(w, "carried out")
	}, nil)
	go func() {
		<-arrived
		go s.stop()
		for s.dials() { // until the agent listens no more
		}
		ended <- true
	}()
	if status, body, _ := s.call("POST", "/proxy/stage/alice/order", "x"); status != 200 || body != "carried out" {
		t.Error(status, body)
	}
}

func (s *stage) dials() bool {
	conn, err := s.dial()
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// No token is in anything that a program gets, even if the venue repeats it in an answer that
// cannot be read.
func TestAttackAProxyThatLeaksTheToken(t *testing.T) {
	t.Parallel()
	s := play(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			fmt.Fprintf(conn, "%s is no answer\r\n\r\n", r.Header.Get("Authorization"))
			conn.Close()
		}
	}, nil)
	status, body, header := s.call("GET", "/proxy/stage/alice/read", "")
	if all := fmt.Sprint(status, body, header); status != http.StatusBadGateway || strings.Contains(all, "access-1") {
		t.Error(all)
	}
}
