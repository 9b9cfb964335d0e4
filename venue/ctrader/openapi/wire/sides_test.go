package wire_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/wire"
)

// sides_test.go owns both sides of every carrier, on ports of this machine.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long is longer than anything here takes.
const long = 10 * time.Second

// carrier is a way to carry envelopes. meet connects a client and a server.
type carrier struct {
	name string
	json bool
	meet func(t testing.TB, client, server wire.Options) (c, s *wire.Conn)
}

var carriers = []carrier{
	{"frames", false, meetOverTLS},
	{"frames in JSON", true, meetOverTLS},
	{"frames without TLS", false, meetOverUnix},
	{"WebSocket", false, meetOverWebSocket},
	{"WebSocket in JSON", true, meetOverWebSocket},
}

// each runs a story over every carrier. Both sides have the same options.
func each(t *testing.T, o wire.Options, story func(t *testing.T, json bool, c, s *wire.Conn)) {
	t.Helper()
	for _, k := range carriers {
		t.Run(k.name, func(t *testing.T) {
			o.JSON = k.json
			c, s := k.meet(t, o, o)
			story(t, k.json, c, s)
		})
	}
}

// identity is a server's certificate, and its CA.
func identity(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: roots}
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), long)
	t.Cleanup(cancel)
	return ctx
}

func dial(t testing.TB, e wire.Endpoint, o wire.Options) *wire.Conn {
	t.Helper()
	c, err := wire.Dial(within(t), e, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func meetOverTLS(t testing.TB, client, server wire.Options) (c, s *wire.Conn) {
	ours, theirs := identity(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", ours)
	if err != nil {
		t.Fatal(err)
	}
	accepted := accept(t, l, func(nc net.Conn) error { return nc.(*tls.Conn).Handshake() })
	c = dial(t, wire.Endpoint{Address: l.Addr().String(), TLS: theirs}, client)
	return c, wire.New(<-accepted, server)
}

func meetOverUnix(t testing.TB, client, server wire.Options) (c, s *wire.Conn) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Skip(err)
	}
	accepted := accept(t, l, func(net.Conn) error { return nil })
	nc, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return wire.New(nc, client), wire.New(<-accepted, server)
}

// accept takes one connection and prepares it.
func accept(t testing.TB, l net.Listener, prepare func(net.Conn) error) chan net.Conn {
	accepted := make(chan net.Conn, 1)
	go func() {
		nc, err := l.Accept()
		if err == nil {
			err = prepare(nc)
		}
		if err != nil {
			t.Error(err)
			close(accepted)
			return
		}
		t.Cleanup(func() { wire.New(nc, wire.Options{}).Close() }) // at once
		accepted <- nc
	}()
	t.Cleanup(func() { l.Close() })
	return accepted
}

func meetOverWebSocket(t testing.TB, client, server wire.Options) (c, s *wire.Conn) {
	accepted := make(chan *wire.Conn, 1)
	e := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		s, err := wire.Accept(w, r, server)
		if err != nil {
			t.Error(err)
			close(accepted)
			return
		}
		t.Cleanup(func() { s.Close() })
		accepted <- s
	})
	return dial(t, e, client), <-accepted
}

// serveHTTP serves a handler over TLS.
func serveHTTP(t testing.TB, h http.HandlerFunc) wire.Endpoint {
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return wire.Endpoint{Address: s.Listener.Addr().String(), WebSocket: true, TLS: &tls.Config{RootCAs: roots}}
}
