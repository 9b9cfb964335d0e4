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
)

// endpoint.go owns where the service is, how it is reached, and the limits.

const (
	// LiveHost serves live accounts and no others, DemoHost demo accounts and no
	// others. An account says by IsLive which it needs; that a prop firm calls an
	// account a trial says nothing.
	LiveHost = "live.ctraderapi.com"
	DemoHost = "demo.ctraderapi.com"
	// ProtobufPort speaks binary messages, JSONPort speaks JSON.
	ProtobufPort = 5035
	JSONPort     = 5036
)

// Endpoint is one side of the service: live or demo, and how it is spoken to.
type Endpoint struct {
	// Address is a host or host:port. Without a port it is JSONPort if JSON is
	// set, and ProtobufPort otherwise.
	Address string
	// WebSocket takes the place of plain TCP. Both run over TLS.
	WebSocket bool
	// JSON takes the place of protobuf. What separates JSON messages on plain
	// TCP is not documented; the four bytes of length of protobuf are used there,
	// so prefer it together with WebSocket.
	JSON bool
	// TLS is how the server is verified; nil is the system's roots and the host
	// of Address. An empty ServerName and an unset MinVersion are filled in, the
	// latter with TLS 1.2.
	TLS *tls.Config
	// Dial makes the connection below TLS; nil is a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Live is the live environment, in protobuf over TCP.
func Live() Endpoint { return Endpoint{Address: LiveHost} }

// Demo is the demo environment, in protobuf over TCP.
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

// connect reaches the service. before is called before every read that may wait,
// after behind it with how much came. The watch is nil where nobody can wait beside
// the connection.
func (e Endpoint) connect(ctx context.Context, o Options, before func(), after func(int)) (*wire.Conn, watch, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	_, address := e.hostPort()
	at := wire.Endpoint{Address: address, WebSocket: e.WebSocket, TLS: e.TLS, Dial: e.Dial}
	var beside watch
	if !e.WebSocket {
		at.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dial := e.Dial
			if dial == nil {
				dial = new(net.Dialer).DialContext
			}
			nc, err := dial(ctx, network, address)
			if err == nil {
				nc, beside = overlooking(nc)
			}
			return nc, err
		}
	}
	conn, err := wire.Dial(ctx, at, wire.Options{JSON: e.JSON, MaxFrame: o.MaxFrame, BeforeRead: before, AfterRead: after})
	return conn, beside, err
}

// Options are the limits of a connection. The zero value is ready.
type Options struct {
	// Requests and Historical are how many requests may arrive within any one
	// second: the historical ones of message.Historical, and all others. Zero
	// means 50 and 5, which the service documents. Of 4.5 no more than 4 do; 0.5
	// is one in two seconds.
	Requests, Historical float64
	// Heartbeat is how long nothing is sent before a heartbeat is. Zero means
	// 9 s: the service asks for one "at least once every 10 seconds" and was seen
	// to close after 29.8 s.
	Heartbeat time.Duration
	// Silence is how long nothing may come before the service is asked whether it
	// is there; a connection on which nothing comes after that for SignOn counts
	// as dead. Zero means a quarter more than what the service was heard to leave
	// between its own heartbeats, which were seen every 25 to 30 s.
	Silence time.Duration
	// Timeout is how long connecting, writing a frame, or an answer may take.
	// Zero means 30 s. A context that ends sooner is obeyed.
	Timeout time.Duration
	// SignOn is how long an answer may take by which the application or an account
	// is authorised or a subscription restored, before another connection is tried.
	// Zero means 10 s.
	SignOn time.Duration
	// MaxFrame is the longest frame that is taken, in bytes. Zero means
	// message.DefaultMax.
	MaxFrame int
	// Log gets what a person may want to know; nil is silence.
	Log *slog.Logger
}

func (o Options) filled() Options {
	o.Requests = orElse(o.Requests, 50)
	o.Historical = orElse(o.Historical, 5)
	o.Heartbeat = orElse(o.Heartbeat, 9*time.Second)
	o.Timeout = orElse(o.Timeout, 30*time.Second)
	o.SignOn = min(o.Timeout, orElse(o.SignOn, 10*time.Second))
	o.MaxFrame = orElse(o.MaxFrame, message.DefaultMax)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func orElse[T int | float64 | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}
