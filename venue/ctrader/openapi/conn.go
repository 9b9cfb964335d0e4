package openapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/wire"
)

// conn.go owns the life of a connection: how it begins and what ends it.

// Conn is one connection to the service. It lives once: Done tells its end, Err
// why. Any number of goroutines may use it. It authorises nothing by itself, see
// Client; it sends heartbeats, and never a RefreshTokenReq on its own.
//
// It costs one goroutine, which reads what comes unasked, and on Linux one
// descriptor more than its socket. Who asks writes himself, one at a time, and reads
// the answer too, if he waits alone; see reader.go.
type Conn struct {
	address string
	json    bool
	try     func(context.Context, message.Message) (message.Message, error) // once
	opts    Options
	wire    *wire.Conn
	paces   *paces
	hub     *hub
	// ear is told of what touches sessions, on the reading goroutine; it may be
	// nil.
	ear func(message.Message)

	// Times since born, for the pulse; 0 is "not now", or "never".
	born    time.Time
	waiting atomic.Int64 // since when something is read and nothing comes
	heard   atomic.Int64 // when something came last
	beaten  atomic.Int64 // when a heartbeat did
	theirs  atomic.Int64 // the shortest time between two of them
	asked   atomic.Int64 // when the service was asked whether it is there
	writing atomic.Int64 // when the write under way began
	wrote   atomic.Int64 // when the last one did

	turn    chan struct{} // holds one while somebody writes
	payload []byte        // for whoever has the turn

	mu      sync.Mutex
	pulse   *time.Timer
	only    *call            // that waits for an answer; most often there is one
	pending map[uint64]*call // and the others
	lastID  uint64
	spare   atomic.Pointer[call] // one that has its result, to be used again
	trouble *Error               // what the service complained about last
	told    *confided            // not itself, or printing a Conn would tell it
	since   time.Time
	err     *Error

	over atomic.Bool
	done chan struct{}
	left chan struct{} // nothing is read any more

	reading       chan struct{}    // holds one while somebody reads
	envelope      message.Envelope // for whoever does
	interruptible bool             // whether callers may read
	watch         watch            // beside it, if somebody can wait there
	looking       bool             // somebody looks out there
	dozing        bool             // or naps
	listened      int64            // when an event came last
	crowded       bool             // one came while the last call waited
	called        int64            // when readers are called off, 0 is never
	patron        <-chan struct{}  // whose end calls them off, too
	dismiss       func() bool      // and how that is given up
	led           atomic.Bool      // a caller has read since the last look
	brisk         atomic.Int32     // how many requests came right after an answer, see briskly
	passed        chan struct{}    // holds one, the right to read and what is in envelope
	needed        chan struct{}    // wakes the connection's own goroutine
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
func open(ctx context.Context, e Endpoint, o Options, p *paces, h *hub, ear func(message.Message)) (*Conn, error) {
	_, address := e.hostPort()
	c := &Conn{
		address: address, json: e.JSON, opts: o, paces: p, hub: h, ear: ear, born: p.born,
		turn: make(chan struct{}, 1), pending: map[uint64]*call{}, told: new(confided),
		done: make(chan struct{}), left: make(chan struct{}),
		reading: make(chan struct{}, 1), needed: make(chan struct{}, 1), passed: make(chan struct{}, 1),
	}
	c.try = c.once
	var err error
	if c.wire, c.watch, err = e.connect(ctx, o, c.listens, c.hears); err != nil {
		return nil, &Error{Class: venuekey.ClassNotSent, Address: address, Err: err}
	}
	c.interruptible = c.wire.Interruptible()
	call := c.call
	h.reader.Store(&call)
	c.wrote.Store(c.now())
	c.mu.Lock()
	c.pulse = time.AfterFunc(o.Heartbeat, c.beat)
	c.mu.Unlock()
	return c, nil
}

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
	if c.trouble != nil && known.Code == "" && cause != ErrClosed && time.Since(c.since) < recent {
		told := *c.trouble
		told.Err = known.Err
		known = &told
	}
	c.err = known
	pending := c.pending
	if c.only != nil {
		pending[c.only.id] = c.only
	}
	c.pending, c.only = nil, nil
	c.pulse.Stop()
	c.mu.Unlock()
	c.over.Store(true)
	close(c.done)
	_ = c.wire.Close()
	for _, one := range pending {
		one.result <- result{err: c.failed(one.req, venuekey.ClassUnknown, known)}
	}
}

// complain remembers what the service said, in case that it closes next.
func (c *Conn) complain(e *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trouble, c.since = e, time.Now()
}

// failed is an error about a request that the service did not speak about.
func (c *Conn) failed(req message.Message, class venuekey.Class, cause error) *Error {
	return (&Error{Class: class, Err: cause}).about(req, c.address)
}

func readError(err error) error {
	switch {
	case errors.As(err, new(*wire.EnvelopeError)):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the server closed the connection inside a frame: %w", err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the server closed the connection: %w", err)
	}
	return fmt.Errorf("reading: %w", err)
}

// receive hands out what came, and reports whether it was an answer.
func (c *Conn) receive() (answered bool, err error) {
	answered, rest := c.sort()
	if rest {
		err = c.handOut(&c.envelope)
	}
	return answered, err
}

// sort looks at the type of what came before it reads any more of it: the bytes of
// an error often decode as an answer. What is not done with then lies in envelope,
// until the next read.
func (c *Conn) sort() (answered, rest bool) {
	e := &c.envelope
	switch {
	case e.Type == message.TypeHeartbeatEvent:
		c.theirBeat()
		return false, false
	case e.ID != "" && c.answer(e):
		return true, false
	}
	return false, true
}

// handOut gives what answered nothing to whom it concerns.
func (c *Conn) handOut(e *message.Envelope) error {
	c.listened = c.heard.Load()
	if e.Type == message.TypeSpotEvent { // most of all that comes
		c.tell(e)
		return nil
	}
	return c.unasked(e)
}

// tell hands an event to whoever wants it.
func (c *Conn) tell(e *message.Envelope) {
	if err := c.hub.dispatch(e.Type, e.Payload, c.json, c.done); err != nil {
		c.opts.Log.Warn("an event cannot be read", "type", e.Type.String(), "error", c.foreign(err))
	}
}

// unasked is what came and answers nothing: an event, an error without a
// request, or an answer for which nobody waits any more.
func (c *Conn) unasked(e *message.Envelope) error {
	var end error
	switch e.Type {
	case message.TypeErrorRes, message.TypeCommonErrorRes:
		if e.ID != "" {
			return nil
		}
		end = c.spoken(e)
	case message.TypeClientDisconnectEvent, message.TypeAccountDisconnectEvent, message.TypeAccountsTokenInvalidatedEvent:
		end = c.spoken(e)
	default:
		if !message.IsEvent(e.Type) {
			return nil
		}
	}
	c.tell(e)
	return end
}

// spoken hears what touches sessions. It returns an error if it ends the
// connection.
func (c *Conn) spoken(e *message.Envelope) error {
	m := message.New(e.Type)
	if err := unmarshal(m, e.Payload, c.json); err != nil {
		return nil // tell says so
	}
	if complaint := refusal(m, c.secrets); complaint != nil {
		c.complain(complaint.about(nil, c.address))
		c.opts.Log.Warn("the service complains", "error", complaint)
	}
	if gone, ok := m.(*message.ClientDisconnectEvent); ok {
		return &Error{Class: venuekey.ClassLater, Kind: KindAppLost, Address: c.address,
			Description: foreign.LineWithout(gone.Reason.Or("the service ended the application's session"), c.secrets()...)}
	}
	if c.ear != nil {
		c.ear(m)
	}
	return nil
}
