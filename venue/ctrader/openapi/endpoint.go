package openapi

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/wire"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// endpoint.go owns where the service is, how to reach it, and the limits of a connection.

const (
	// LiveHost serves live accounts only, and DemoHost demo accounts only. An account's
	// IsLive says which one it needs; whether a prop firm calls the account a trial
	// does not.
	LiveHost = "live.ctraderapi.com"
	DemoHost = "demo.ctraderapi.com"
	// ProtobufPort is the port for binary messages, JSONPort the one for JSON.
	ProtobufPort = 5035
	JSONPort     = 5036
)

// Endpoint says where the service is, and which protocol to speak with it.
type Endpoint struct {
	// Address is a host or host:port. The default port is JSONPort if JSON is set,
	// and ProtobufPort otherwise.
	Address string
	// WebSocket selects WebSocket messages instead of length-prefixed frames over TCP.
	// Both run over TLS.
	WebSocket bool
	// JSON selects JSON instead of protobuf. The service does not document how JSON
	// messages are separated over TCP; this package uses the length prefix of protobuf
	// there. Prefer JSON together with WebSocket.
	JSON bool
	// TLS configures how the server is verified. Nil means the system's root
	// certificates. An empty ServerName means the host of Address, and an unset
	// MinVersion means TLS 1.2.
	TLS *tls.Config
	// Dial opens the connection that TLS runs on. Nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Live returns the live environment, with protobuf over TCP.
func Live() Endpoint { return Endpoint{Address: LiveHost} }

// Demo returns the demo environment, with protobuf over TCP.
func Demo() Endpoint { return Endpoint{Address: DemoHost} }

func (e Endpoint) hostPort() (host, address string) {
	host, _, err := net.SplitHostPort(e.Address)
	if err == nil {
		return host, e.Address
	}
	host = strings.Trim(e.Address, "[]")
	port := ProtobufPort
	if e.JSON {
		port = JSONPort
	}
	return host, net.JoinHostPort(host, strconv.Itoa(port))
}

// connect connects to the service. before is called before every read, which may block,
// and after once it returned, with the number of bytes read. The watch is nil if this
// connection cannot have one.
func (e Endpoint) connect(ctx context.Context, o Options, before func(), after func(int)) (*wire.Conn, watch, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	_, address := e.hostPort()
	at := wire.Endpoint{Address: address, WebSocket: e.WebSocket, TLS: e.TLS, Dial: e.Dial}
	var socket watch
	if !e.WebSocket {
		at.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dial := e.Dial
			if dial == nil {
				dial = new(net.Dialer).DialContext
			}
			nc, err := dial(ctx, network, address)
			if err == nil {
				nc, socket = watchSocket(nc)
			}
			return nc, err
		}
	}
	conn, err := wire.Dial(ctx, at, wire.Options{JSON: e.JSON, MaxFrame: o.MaxFrame, BeforeRead: before, AfterRead: after})
	return conn, socket, err
}

// Options are the limits of a connection. The zero value is ready to use.
type Options struct {
	// Historical limits requests for which message.Historical is true, and Requests all
	// others: no more than that many arrive at the service within any second. Zero
	// means the documented limits, 50 and 5. Fractions are rounded down (4.5 allows 4
	// per second), but 0.5 means one every two seconds.
	Requests, Historical float64
	// Heartbeat is how long the connection may send nothing before it sends a
	// heartbeat. Zero means 9 s: the service asks for one "at least once every 10
	// seconds", and has been seen to close the connection after 29.8 s without.
	Heartbeat time.Duration
	// Silence is how long the service may send nothing before it is probed with a
	// request. If it then stays silent for SignOn, the connection counts as dead. Zero
	// means 5/4 of the observed interval between the service's own heartbeats, which
	// have been seen every 25 to 30 s.
	Silence time.Duration
	// Timeout limits connecting, writing a frame, and waiting for an answer, each. Zero
	// means 30 s. A context may end the wait sooner.
	Timeout time.Duration
	// SignOn limits the wait for an answer to a request that authorises the application
	// or an account, or restores a subscription. After it, another connection is tried.
	// Zero means 10 s; more than Timeout means Timeout.
	SignOn time.Duration
	// MaxFrame is the longest frame that is accepted, in bytes. Zero means
	// message.DefaultMax.
	MaxFrame int
	// Log receives what an operator may want to know. Nil means no logging.
	Log *slog.Logger
}

func (o Options) filled() Options {
	o.Requests = link.OrElse(o.Requests, 50)
	o.Historical = link.OrElse(o.Historical, 5)
	o.Heartbeat = link.OrElse(o.Heartbeat, 9*time.Second)
	o.Timeout = link.OrElse(o.Timeout, 30*time.Second)
	o.SignOn = min(o.Timeout, link.OrElse(o.SignOn, 10*time.Second))
	o.MaxFrame = link.OrElse(o.MaxFrame, message.DefaultMax)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
