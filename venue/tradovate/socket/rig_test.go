package socket_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/pipetest"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// rig_test.go owns the stage of the stories: an emulated venue behind TLS, on a network
// in memory and in virtual time.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// identity is a certificate for the venue's hosts, and who vouches for it. Virtual time
// begins in 2000, so it is valid long before.
var identity = sync.OnceValue(func() (id struct {
	server tls.Certificate
	roots  *x509.CertPool
}) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "emulated"},
		DNSNames:  []string{socket.LiveHost, socket.DemoHost, socket.MarketDataHost, socket.DemoMarketDataHost, otherHost},
		NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	parsed, _ := x509.ParseCertificate(raw)
	id.server = tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
	id.roots = x509.NewCertPool()
	id.roots.AddCert(parsed)
	return id
})

// stage is the venue, and a program's end of the lines to it.
type stage struct {
	t *testing.T
	*tradovate.Server
	plain    *pipetest.Listener // for signing in
	hosts    map[string]*pipetest.Listener
	log      *bytes.Buffer
	logger   *slog.Logger // one for all, since a handler locks its own writes only
	mu       sync.Mutex
	dialled  []*pipetest.Conn
	tried    int  // how often a connection was
	refusing bool // no connection comes to be
	scripts  sync.WaitGroup
	script   http.HandlerFunc // serves the live host's connections, if there is one
	moved    bool             // the usual host of demo accounts serves nobody
}

const prefix = "hush-" // of every secret

// otherHost serves demo accounts as well, of users who were moved.
const otherHost = "demo-7.tradovateapi.com"

// play tells a story in virtual time.
func play(t *testing.T, k tradovate.Knobs, story func(t *testing.T, s *stage)) {
	t.Helper()
	id := identity()
	synctest.Test(t, func(t *testing.T) {
		k.TokenPrefix = prefix
		s := &stage{t: t, Server: &tradovate.Server{Knobs: k}, plain: pipetest.New(), hosts: map[string]*pipetest.Listener{}, log: &bytes.Buffer{}}
		s.logger = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		t.Cleanup(s.scripts.Wait) // after all connections were closed
		serve := func(l net.Listener, h http.Handler) {
			server := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
			go server.Serve(l)
			t.Cleanup(func() { server.Close() })
		}
		serve(s.plain, s.Server)
		secure := &tls.Config{Certificates: []tls.Certificate{id.server}, MinVersion: tls.VersionTLS12}
		for host, handler := range map[string]http.Handler{socket.LiveHost: s.unlessScripted(), socket.DemoHost: s.demoUnlessMoved(), socket.MarketDataHost: s.MarketData(), otherHost: s.Demo()} {
			s.hosts[host] = pipetest.New()
			serve(tls.NewListener(s.hosts[host], secure), handler)
		}
		defer s.CloseSockets()
		time.Sleep(12 * time.Hour) // virtual time begins in a maintenance window
		story(t, s)
		if strings.Contains(s.log.String(), prefix) {
			t.Error("a secret is in the log")
		}
	})
}

// unlessScripted is the live host, or what a story has in its place.
func (s *stage) unlessScripted() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		script := s.script
		s.mu.Unlock()
		if script == nil {
			script = s.Server.ServeHTTP
		}
		script(w, r)
	})
}

// demoUnlessMoved answers with 421 while the user is elsewhere.
func (s *stage) demoUnlessMoved() http.Handler {
	demo := s.Demo()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		moved := s.moved
		s.mu.Unlock()
		if moved {
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		demo.ServeHTTP(w, r)
	})
}

// endpoint is one of the venue's hosts.
func (s *stage) endpoint(host string) socket.Endpoint {
	roles := map[string]socket.Role{
		socket.LiveHost: socket.RoleLive, socket.DemoHost: socket.RoleDemo, socket.MarketDataHost: socket.RoleMarketData, otherHost: socket.RoleDemo,
	}
	return socket.Endpoint{
		Address: host, Role: roles[host], TLS: &tls.Config{RootCAs: identity().roots, MinVersion: tls.VersionTLS12},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			s.mu.Lock()
			refusing := s.refusing
			s.tried++
			s.mu.Unlock()
			if refusing {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
			}
			listener := s.hosts[strings.TrimSuffix(address, ":443")]
			if listener == nil {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no such host: " + address)}
			}
			c, err := listener.Dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.dialled = append(s.dialled, c.(*pipetest.Conn))
			return c, nil
		},
	}
}

// tries is how often a connection was tried.
func (s *stage) tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tried
}

// move has the usual host of demo accounts serve nobody.
func (s *stage) move(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved = yes
}

func (s *stage) refuse(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = yes
}

// freeze has the lines that there are carry nothing any more.
func (s *stage) freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.dialled {
		c.Freeze()
	}
}

// tokens are what a sign-in or a renewal gave.
type tokens struct {
	AccessToken   venuekey.Secret
	MDAccessToken venuekey.Secret
}

// ask asks the venue over HTTP.
func (s *stage) ask(method, path, body string, access venuekey.Secret) (tokens, int) {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: s.plain.Dial, DisableKeepAlives: true}}
	req, err := http.NewRequest(method, "http://venue"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+string(access))
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct{ AccessToken, MDAccessToken string }
	_ = json.NewDecoder(resp.Body).Decode(&got)
	return tokens{venuekey.Secret(got.AccessToken), venuekey.Secret(got.MDAccessToken)}, resp.StatusCode
}

func (s *stage) signIn() tokens {
	s.t.Helper()
	got, status := s.ask("POST", "/v1/auth/accesstokenrequest", `{"name":"alice","password":"wonderland","appId":"story","cid":42,"sec":"demo-sec"}`, "")
	if got.AccessToken == "" {
		s.t.Fatal("sign-in:", status)
	}
	return got
}

func (s *stage) renew(access venuekey.Secret) (tokens, int) {
	s.t.Helper()
	return s.ask("GET", "/v1/auth/renewaccesstoken", "", access)
}

func (s *stage) options() socket.Options {
	return socket.Options{Log: s.logger}
}

// conn is an authorised connection.
func (s *stage) conn(host string) *socket.Conn {
	s.t.Helper()
	c, err := socket.Dial(s.t.Context(), s.endpoint(host), s.options())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	if err := c.Authorize(s.t.Context(), s.signIn().AccessToken); err != nil {
		s.t.Fatal(err)
	}
	return c
}
