package socket

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/internal/loopback"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// endpoint.go owns how the venue is reached, and the limits of a connection.

const (
	port = "443"
	path = "/v1/websocket"
)

// Endpoint is one host of the venue. It is spoken to over TLS.
type Endpoint struct {
	// Plain leaves TLS out, for an emulated venue on this machine: Dial refuses it for
	// any address but a loopback one, since a token would cross a network in clear.
	Plain bool
	// Address is a host or host:port; without a port it is 443.
	Address string
	// Role is what the host is for. With it a Client finds the host that a sign-in names
	// for the user; without it the Client stays at Address.
	Role Role
	// TLS is how the server is verified; nil is the system's roots and the host of
	// Address. An empty ServerName and an unset MinVersion are filled in, the latter
	// with TLS 1.2.
	TLS *tls.Config
	// Dial makes the connection below TLS; nil is a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (e Endpoint) hostPort() (host, address string) {
	if host, _, err := net.SplitHostPort(e.Address); err == nil {
		return host, e.Address
	}
	host = strings.Trim(e.Address, "[]")
	return host, net.JoinHostPort(host, port)
}

// connect reaches the venue. If it answers with something else than a WebSocket, status
// is that of HTTP. A redirect is not followed: the token would go elsewhere.
func (e Endpoint) connect(ctx context.Context, o Options) (ws *websocket.Conn, status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	host, address := e.hostPort()
	if e.Plain && !loopback.Host(host) {
		return nil, 0, errPlain
	}
	scheme, transport := "wss://", &http.Transport{}
	if e.Plain {
		scheme = "ws://"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dial(ctx) }
	} else {
		transport.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dialTLS(ctx) }
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ws, resp, err := websocket.Dial(ctx, scheme+address+path, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport, CheckRedirect: stay}})
	if err != nil {
		transport.CloseIdleConnections()
		if resp != nil {
			status = resp.StatusCode
		}
		return nil, status, err
	}
	ws.SetReadLimit(int64(o.MaxFrame))
	return ws, 0, nil
}

// errPlain is the cause of a connection that would leave this machine without TLS.
var errPlain = errors.New("without TLS only this machine's own addresses are reached")

// dial makes the connection below TLS.
func (e Endpoint) dial(ctx context.Context) (net.Conn, error) {
	dial := e.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	_, address := e.hostPort()
	return dial(ctx, "tcp", address)
}

func (e Endpoint) dialTLS(ctx context.Context) (net.Conn, error) {
	host, _ := e.hostPort()
	below, err := e.dial(ctx)
	if err != nil {
		return nil, err
	}
	config := e.TLS.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.MinVersion == 0 {
		config.MinVersion = tls.VersionTLS12
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	secured := tls.Client(below, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = below.Close()
		return nil, err
	}
	return secured, nil
}

// Options are the limits of a connection. The zero value is ready.
type Options struct {
	// Requests is how many requests may be sent within any one hour, at most a tenth of
	// them within six minutes. Zero means 5,000, which the venue documents for a user.
	Requests int
	// Heartbeat is how often one is sent. Zero means 2.5 s, which the venue asks for.
	Heartbeat time.Duration
	// Silence is how long nothing may come before the venue is asked for something small,
	// account/list; if no answer comes within SignOn the connection counts as dead. It
	// doubles, to a minute, for a venue that answers and says nothing else. Zero means
	// 10 s: the venue sends something every 2.5 s.
	Silence time.Duration
	// Stall is the same for nothing but heartbeats, and Timeout for its answer. Zero
	// means five minutes: a quiet market is no reason to ask often.
	Stall time.Duration
	// Timeout is how long connecting, writing a frame, or an answer may take. Zero means
	// 30 s. A context that ends sooner is obeyed.
	Timeout time.Duration
	// SignOn is how long an answer may take by which the connection is authorised or a
	// subscription restored, before another connection is tried. Zero means 10 s.
	SignOn time.Duration
	// MaxFrame is the longest frame that is taken, in bytes. Zero means 16 MiB: a
	// snapshot of a user may be long.
	MaxFrame int
	// Log gets what a person may want to know; nil is silence.
	Log *slog.Logger
}

func (o Options) filled() Options {
	o.Requests = link.OrElse(o.Requests, 5000)
	o.Heartbeat = link.OrElse(o.Heartbeat, 2500*time.Millisecond)
	o.Silence = link.OrElse(o.Silence, 10*time.Second)
	o.Stall = link.OrElse(o.Stall, 5*time.Minute)
	o.Timeout = link.OrElse(o.Timeout, 30*time.Second)
	o.SignOn = min(o.Timeout, link.OrElse(o.SignOn, 10*time.Second))
	o.MaxFrame = link.OrElse(o.MaxFrame, 16<<20)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
