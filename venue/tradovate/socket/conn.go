package socket

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// conn.go owns the life of a connection: how it begins and what ends it.

// Conn is one connection to the venue. It lives once: Done tells its end, Err why. Any
// number of goroutines may use it. It authorises nothing by itself, see Authorize and
// Client; it sends heartbeats.
//
// It costs one goroutine, which reads.
type Conn struct {
	address string
	opts    Options
	ws      *websocket.Conn
	pace    *pace
	hub     *hub

	calls    // pending.go
	liveness // keepalive.go

	mu       sync.Mutex // guards what follows, and the parts above that say so
	farewell *Error     // why the venue said that it ends the connection
	confided *secrets   // a pointer, or printing a Conn would print them
	err      *Error     // why it ended

	authorized atomic.Bool
	done       chan struct{} // closed at the end
	left       chan struct{} // closed after it, when nothing is read any more
}

// pace is the budget of requests, and from when time is counted.
type pace struct {
	*link.Pace
	born time.Time
}

// mostSlots bounds the memory of a pace.
const mostSlots = 1000

// newPace spreads an hour's requests over tenths of it, so that a few that come together
// wait for nothing and no hour has more. Very many are spread over shorter spans.
func newPace(o Options) *pace {
	born, most, span := time.Now(), o.Requests/10, time.Hour/10
	switch {
	case most == 0:
		most, span = o.Requests, time.Hour
	case most > mostSlots:
		most, span = mostSlots, time.Duration(float64(span)*mostSlots/float64(most))
	}
	return &pace{link.NewPace(most, max(1, span), born), born}
}

// Dial connects, verifies the server and waits for its first frame. The error is an
// *Error.
func Dial(ctx context.Context, e Endpoint, o Options) (*Conn, error) {
	o = o.filled()
	h := &hub{}
	c, err := connect(ctx, e, o, newPace(o), h)
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

// connect makes a connection that nobody reads yet.
func connect(ctx context.Context, e Endpoint, o Options, p *pace, h *hub) (*Conn, error) {
	_, address := e.hostPort()
	ws, status, err := e.connect(ctx, o)
	if err != nil {
		return nil, handshakeError(address, status, err)
	}
	c := &Conn{
		address: address, opts: o, ws: ws, pace: p, hub: h,
		confided: new(secrets), done: make(chan struct{}), left: make(chan struct{}),
	}
	c.pending, c.writeLock = map[int64]*call{}, make(chan struct{}, 1)
	if err := c.awaitOpen(ctx); err != nil {
		_ = ws.CloseNow()
		kind := KindSilent
		if errors.Is(err, errFrame) || errors.Is(err, websocket.ErrMessageTooBig) {
			kind = KindProtocol
		}
		return nil, &Error{Class: venuekey.ClassNotSent, Kind: kind, Address: address, Err: foreign.Error(err)}
	}
	c.begin()
	return c, nil
}

// awaitOpen reads the frame o, with which the venue begins.
func (c *Conn) awaitOpen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.SignOn)
	defer cancel()
	_, frame, err := c.ws.Read(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("nothing came that opens it: %w", err)
	case len(frame) == 0 || frame[0] != 'o':
		return fmt.Errorf("%w: it should begin with o", errFrame)
	}
	return nil
}

// now is the time since the pace was born, in nanoseconds, and never 0.
func (c *Conn) now() int64 { return int64(time.Since(c.pace.born)) + 1 }

// Done is closed when the connection ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the connection ended, an *Error, and nil while it lives. What the venue said
// before it closed takes precedence over how it closed.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return c.err
}

// Close ends the connection. Requests without an answer return errors of class
// venuekey.ClassUnknown.
func (c *Conn) Close() error {
	c.die(ErrClosed)
	return nil
}

// die ends the connection. The first cause stays.
func (c *Conn) die(cause error) {
	var known *Error
	if !errors.As(cause, &known) {
		known = &Error{Class: venuekey.ClassLater, Err: c.foreign(fmt.Errorf("lost: %w", cause))}
		if errors.Is(cause, errFrame) {
			known.Kind = KindProtocol
		}
	}
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	if c.farewell != nil && !errors.Is(cause, ErrClosed) {
		known = c.farewell
	}
	reason := *known // the cause may be somebody's answer
	reason.Request, reason.Address = "", c.address
	c.err = &reason
	pending := c.pending
	c.pending = nil
	c.stopLiveness()
	c.mu.Unlock()
	close(c.done)
	_ = c.ws.CloseNow()
	for _, one := range pending {
		one.result <- result{nil, c.failed(one.endpoint, venuekey.ClassUnknown, &reason)}
	}
}

// failed is an error about a request.
func (c *Conn) failed(endpoint string, class venuekey.Class, cause error) *Error {
	return &Error{Request: endpoint, Class: class, Address: c.address, Err: cause}
}

// foreign is an error that quotes what came, fit to be shown.
func (c *Conn) foreign(err error) error { return foreign.ErrorWithout(err, c.secrets()...) }
