package proxy_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/agent/proxy"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// stage_test.go owns the stage: a venue whose API answers as a story has it, an agent with a
// proxy on a real socket, and programs that call through it.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var alice = venuekey.ID{Venue: "stage", Name: "alice"}

// venue is a venue whose API is at an address.
type venue struct {
	*keepertest.Venue
	base string
}

// Call implements venuekey.Proxied: what begins with "read" reads, "auth" is the sign-in's own,
// and "other" is the venue's second host.
func (v venue) Call(_ venuekey.App, _ venuekey.Token, call venuekey.Call) (venuekey.Target, error) {
	at, err := url.Parse(v.base)
	if err != nil {
		return venuekey.Target{}, err
	}
	if call.Host != "" {
		if _, port, _ := net.SplitHostPort(at.Host); call.Host != "localhost:"+port {
			return venuekey.Target{}, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "no host of the venue's"}
		}
		at.Host = call.Host
	}
	target := venuekey.Target{URL: at.JoinPath(call.Path), Name: call.Path}
	switch {
	case strings.HasPrefix(call.Path, "read"):
		target.Effect = venuekey.EffectNone
	case strings.HasPrefix(call.Path, "auth"):
		target.Effect = venuekey.EffectCredentials
	}
	return target, nil
}

// seen is a request as the venue got it.
type seen struct {
	method, address, body string
	header                http.Header
}

// stage is a venue, an agent and a program.
type stage struct {
	t      testing.TB
	venue  *keepertest.Venue
	keeper *venuekey.Keeper
	api    *httptest.Server
	proxy  *proxy.Handler
	socket string
	client *http.Client
	stop   func()

	mu   sync.Mutex
	seen []seen
}

// play begins a story. answer is what the venue's API answers; nil echoes the path.
func play(t testing.TB, answer http.HandlerFunc, change func(*proxy.Handler)) *stage {
	t.Helper()
	s := &stage{t: t, venue: &keepertest.Venue{Terms: venuekey.Policy{LeastInterval: 1}}, socket: filepath.Join(t.TempDir(), "a", "agent.sock")}
	if answer == nil {
		answer = func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.RequestURI()) }
	}
	s.api = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, seen{r.Method, r.Host + r.URL.RequestURI(), "", r.Header.Clone()})
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.api.Close)
	s.keeper = keepertest.New(t, &memory.Store{}, venue{s.venue, s.api.URL})
	if _, err := s.keeper.SignIn(t.Context(), alice, keepertest.NoUI{}); err != nil {
		t.Fatal(err)
	}
	s.proxy = &proxy.Handler{Keeper: s.keeper}
	if change != nil {
		change(s.proxy)
	}
	t.Cleanup(s.proxy.CloseIdleConnections)
	listener, err := agent.Listen(s.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&agent.Server{Keeper: s.keeper, Proxy: s.proxy}).Serve(ctx, listener) }()
	s.client = &http.Client{
		Transport:     &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.dial() }},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.stop = sync.OnceFunc(func() {
		s.client.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

func (s *stage) dial() (net.Conn, error) { return net.Dial("unix", s.socket) }

// requests returns what the venue got.
func (s *stage) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.seen...)
}

// call makes a call, and returns the status, the body and the header.
func (s *stage) call(method, path, body string, header ...string) (int, string, http.Header) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://agent"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body == "" {
		request.Body = http.NoBody
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	response, err := s.client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header
}

// raw sends bytes, and returns the status line of the answer and all that follows.
func (s *stage) raw(text string) string {
	s.t.Helper()
	conn, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		s.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.Status + " " + string(body)
}
