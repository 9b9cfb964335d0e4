package oauth

import (
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"sync"

	"github.com/venuekey/venuekey"
)

// gate.go owns the last check before a request leaves. Connecting, a proxy's CONNECT and
// the TLS handshake come before it and may take as long as a suspend of the machine.

// gate lets everything through that a connection needs until it is ready. The first write
// after that is the first byte of the request: it calls check, and an error stops it.
type gate struct {
	check func() error
	// blind says that another transport's work is visible only as far as it is traced.
	blind bool

	mu           sync.Mutex
	ready, asked bool
	refused      error
	// traced says that the transport reports its connections, as net/http's does.
	traced bool
}

// pass calls check once, as soon as the connection is ready. After a refusal nothing
// passes any more.
func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ready && !g.asked {
		g.asked, g.refused = true, g.check()
	}
	return g.refused
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ready = true
}

// dialing notes that the transport reports its connections.
func (g *gate) dialing(string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.traced = true
}

// read is called when the body is read. If the transport traces no connections, there may
// be one by now.
func (g *gate) read() error {
	g.mu.Lock()
	g.ready = g.ready || !g.traced
	g.mu.Unlock()
	return g.pass()
}

// sent reports whether part of the request may have left. If no connections are traced
// and there is no body to watch, it cannot be known, and sent says that it may.
func (g *gate) sent() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return (g.asked || g.blind && !g.traced) && g.refused == nil
}

// refusal returns why the request was held back, nil if it was not.
func (g *gate) refusal() *venuekey.Error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.refused == nil {
		return nil
	}
	if known, ok := errors.AsType[*venuekey.Error](g.refused); ok {
		return known
	}
	return &venuekey.Error{Class: venuekey.ClassNotSent, Err: g.refused, Reason: "the request was held back: " + g.refused.Error()}
}

// gatedConn is a connection whose writes pass a gate. It sits below TLS, so nothing of a
// refused request reaches the network.
type gatedConn struct {
	net.Conn
	gate *gate
}

func (c gatedConn) Write(p []byte) (int, error) {
	if err := c.gate.pass(); err != nil {
		c.Conn.Close()
		return 0, err
	}
	return c.Conn.Write(p)
}

// gatedBody calls the gate before the body of a request is read, which net/http does
// before it writes any of it. It is for transports whose connections are not ours.
type gatedBody struct {
	io.ReadCloser
	gate *gate
}

func (b gatedBody) Read(p []byte) (int, error) {
	if err := b.gate.read(); err != nil {
		return 0, err
	}
	return b.ReadCloser.Read(p)
}

// trace opens the gate once there is a connection. On a transport that is not ours it
// asks at once, and closes the connection if the gate refuses.
func (g *gate) trace(own bool, cancel func()) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GetConn: g.dialing, GotConn: func(info httptrace.GotConnInfo) {
		g.open()
		if own || g.pass() == nil {
			return
		}
		cancel()
		if info.Conn != nil {
			info.Conn.Close()
		}
	}}
}
