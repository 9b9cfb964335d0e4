package oauth

import (
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"sync"

	"github.com/venuekey/venuekey"
)

// gate.go owns the last look before a request leaves. Connecting, a proxy's CONNECT
// and the TLS handshake come before it and may take as long as a suspend.

// gate lets through what a connection needs until the connection is ready. The
// first write after that is the first byte of the request, and is asked for.
type gate struct {
	check func() error
	// blind says that a foreign transport's work is seen only as far as it reports it.
	blind bool

	mu           sync.Mutex
	ready, asked bool
	refused      error
	// traced says that the transport reports its connections, as net/http's does.
	traced bool
}

// pass asks once, as soon as the connection is ready. After a refusal nothing
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

// read asks when the body is read. If no connections are reported, there may
// be one by now.
func (g *gate) read() error {
	g.mu.Lock()
	g.ready = g.ready || !g.traced
	g.mu.Unlock()
	return g.pass()
}

// sent reports whether anything of the request may have left. If no connections
// are reported and there is no body to be read, nobody knows.
func (g *gate) sent() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return (g.asked || g.blind && !g.traced) && g.refused == nil
}

// refusal is why nothing left, nil if nothing was refused.
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

// gatedConn is a connection whose writes pass a gate. It lies below TLS, so that
// nothing of a request that was refused is on its way.
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

// gatedBody asks before the body of a request is read, which net/http does before
// it writes anything of one: for a transport whose connections are not ours.
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

// trace opens the gate when there is a connection. One that is not ours is asked
// for at once, and closed if that is refused.
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
