package openapi

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/wire"
)

// conn.go owns the life of a connection: how it starts and how it ends.

// Conn is one connection to the service. It does not reconnect: once it ends, Done is
// closed and Err says why. It is safe for concurrent use. It sends heartbeats by itself
// but authorises nothing, see Client, and never sends a RefreshTokenReq unless called
// to.
//
// A Conn costs one goroutine, which reads unsolicited messages, and on Linux one file
// descriptor besides its socket. Callers write their own requests, one at a time, and a
// caller that waits alone also reads its own answer; see reader.go.
type Conn struct {
	address string
	json    bool
	opts    Options
	wire    *wire.Conn
	paces   *paces
	hub     *hub
	// onSession is called with each message about sessions, on the reading goroutine;
	// it may be nil.
	onSession func(message.Message)
	born      time.Time // now counts from here

	calls    // pending.go
	reader   // reader.go
	liveness // keepalive.go

	mu           sync.Mutex // guards the fields below, and those above that say so
	complaint    *Error     // the last error that the service sent unasked
	complainedAt time.Time
	sentSecrets  *secrets // a pointer, or printing a Conn would print them
	err          *Error   // why it ended

	over atomic.Bool   // it has ended
	done chan struct{} // closed at the end
	left chan struct{} // closed later, when its goroutine has stopped reading
}

// recent is how old a complaint of the service may be and still count as the reason
// why the connection ended.
const recent = 10 * time.Second

// Dial connects to the service and verifies its certificate. The context limits
// connecting and does not affect the Conn afterwards. The error is an *Error of class
// venuekey.ClassNotSent.
func Dial(ctx context.Context, e Endpoint, o Options) (*Conn, error) {
	o = o.filled()
	h := &hub{}
	c, err := open(ctx, e, o, newPaces(o), h, nil)
	if err != nil {
		return nil, err
	}
	go func() {
		c.read()
		h.ends.End(c.Err())
		close(c.left)
	}()
	return c, nil
}

// open returns a connection that no goroutine reads yet.
func open(ctx context.Context, e Endpoint, o Options, p *paces, h *hub, onSession func(message.Message)) (*Conn, error) {
	_, address := e.hostPort()
	c := &Conn{
		address: address, json: e.JSON, opts: o, paces: p, hub: h, onSession: onSession, born: p.born,
		reader: newReader(), sentSecrets: new(secrets), done: make(chan struct{}), left: make(chan struct{}),
	}
	c.pending, c.writeLock, c.try = map[uint64]*call{}, make(chan struct{}, 1), c.once
	var err error
	if c.wire, c.watch, err = e.connect(ctx, o, c.readBegins, c.readEnds); err != nil {
		return nil, &Error{Class: venuekey.ClassNotSent, Address: address, Err: err}
	}
	c.interruptible = c.wire.Interruptible()
	call := c.wakeReader
	h.reader.Store(&call)
	c.lastWritten.Store(c.now())
	c.mu.Lock()
	c.keepalive = time.AfterFunc(o.Heartbeat, c.checkLiveness)
	c.mu.Unlock()
	return c, nil
}

// now returns the nanoseconds since the Conn was born. It is never 0.
func (c *Conn) now() int64 { return int64(time.Since(c.born)) + 1 }

func (c *Conn) events() *hub { return c.hub }

// Done returns a channel that is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns nil while the connection is up, and then an *Error that says why it
// ended. An error that the service sent shortly before it closed the connection takes
// precedence over the way in which it closed.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return c.err
}

// Close ends the connection. Requests in flight fail with venuekey.ClassUnknown. Close
// does not wait for handlers, so a handler may call it. It always returns nil.
func (c *Conn) Close() error {
	c.die(ErrClosed)
	return nil
}

// die ends the connection. Only the first cause counts.
func (c *Conn) die(cause error) {
	var known *Error
	if !errors.As(cause, &known) {
		known = &Error{Class: venuekey.ClassLater, Address: c.address, Err: c.foreign(fmt.Errorf("lost: %w", cause))}
	}
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	if c.complaint != nil && known.Code == "" && cause != ErrClosed && time.Since(c.complainedAt) < recent {
		reason := *c.complaint
		reason.Err = known.Err
		known = &reason
	}
	c.err = known
	pending := c.pending
	if c.only != nil {
		pending[c.only.id] = c.only
	}
	c.pending, c.only = nil, nil
	c.keepalive.Stop()
	c.mu.Unlock()
	c.over.Store(true)
	close(c.done)
	_ = c.wire.Close()
	for _, one := range pending {
		one.result <- result{err: c.failed(one.req, venuekey.ClassUnknown, known)}
	}
}

// complain records an error that the service sent, in case it closes the connection next.
func (c *Conn) complain(e *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.complaint, c.complainedAt = e, time.Now()
}

// failed returns an error about a request that does not come from the service.
func (c *Conn) failed(req message.Message, class venuekey.Class, cause error) *Error {
	return (&Error{Class: class, Err: cause}).about(req, c.address)
}
