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

// conn.go owns the life of a connection: how it begins and what ends it.

// Conn is one connection to the service. It lives once: Done tells its end, Err
// why. Any number of goroutines may use it. It authorises nothing by itself, see
// Client; it sends heartbeats, and never a RefreshTokenReq on its own.
//
// It costs one goroutine, which reads what comes unasked, and on Linux one
// descriptor more than its socket. A caller writes its request itself, one caller at a
// time, and reads the answer too if it waits alone; see reader.go.
type Conn struct {
	address string
	json    bool
	opts    Options
	wire    *wire.Conn
	paces   *paces
	hub     *hub
	// onSession gets what touches sessions, on the reading goroutine; it may be nil.
	onSession func(message.Message)
	born      time.Time // what now counts from

	calls    // pending.go
	reader   // reader.go
	liveness // keepalive.go

	mu           sync.Mutex // guards what follows, and the parts above that say so
	complaint    *Error     // what the service complained about last
	complainedAt time.Time
	confided     *secrets // a pointer, or printing a Conn would print them
	err          *Error   // why it ended

	over atomic.Bool   // it has ended
	done chan struct{} // closed at the end
	left chan struct{} // closed after it, when nothing is read any more
}

// recent is how old a complaint of the service may be to count as the reason for
// the connection's end.
const recent = 10 * time.Second

// Dial connects and verifies the server. The error is an *Error.
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

// open makes a connection that nobody reads yet.
func open(ctx context.Context, e Endpoint, o Options, p *paces, h *hub, onSession func(message.Message)) (*Conn, error) {
	_, address := e.hostPort()
	c := &Conn{
		address: address, json: e.JSON, opts: o, paces: p, hub: h, onSession: onSession, born: p.born,
		reader: newReader(), confided: new(secrets), done: make(chan struct{}), left: make(chan struct{}),
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

// now is the time since the Conn was born, in nanoseconds, and never 0.
func (c *Conn) now() int64 { return int64(time.Since(c.born)) + 1 }

func (c *Conn) events() *hub { return c.hub }

// Done is closed when the connection ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the connection ended, an *Error, and nil while it lives. What the
// service said last before it closed takes precedence over how it closed.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return c.err
}

// Close ends the connection. Requests without an answer return errors of class
// venuekey.ClassUnknown. It does not wait for handlers, so they may call it.
func (c *Conn) Close() error {
	c.die(ErrClosed)
	return nil
}

// die ends the connection. The first cause stays.
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

// complain remembers what the service said, in case it closes next.
func (c *Conn) complain(e *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.complaint, c.complainedAt = e, time.Now()
}

// failed is an error about a request that the service did not speak about.
func (c *Conn) failed(req message.Message, class venuekey.Class, cause error) *Error {
	return (&Error{Class: class, Err: cause}).about(req, c.address)
}
