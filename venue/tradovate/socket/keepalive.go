package socket

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
)

// keepalive.go owns what happens when nothing happens: heartbeats, and asking a venue that
// has fallen silent.
//
// The venue sends a heartbeat every 2.5 s, but not while it streams, and wants ours
// whatever it sends (Tradovate facts §5). So the clock of ours is one of its own.
//
// A socket was seen to fall silent when its token expired, without an end (§5, §11). So
// silence is answered with a request, and only if that gets no answer is the connection
// given up. A ping of the WebSocket would not do: whatever stands before the venue answers
// it, and so does a venue that has stalled.

const (
	// probeEndpoint is what is asked. No request is documented that does nothing; this
	// one reads little, and succeeds on the hosts of users, which matters because the
	// venue counts failures (§6). Market data and a connection without a token may refuse
	// it, which is an answer as well.
	probeEndpoint = "account/list"
	// longestQuiet is how far apart the questions to a venue grow that answers them and
	// says nothing else: 60 in an hour, below any limit on requests or failures.
	longestQuiet = time.Minute
)

// liveness is what is known of the other side's life. Times are as now counts.
type liveness struct {
	lastHeard atomic.Int64 // when a frame came last
	lastSaid  atomic.Int64 // when one came that was no heartbeat
	quiet     atomic.Int32 // how many questions in a row were answered with nothing else coming
	asking    atomic.Bool  // a question is under way
	busy      atomic.Bool  // what came is handed out, and nothing is read meanwhile

	writeGuard *time.Timer // ends a write that takes too long; of whoever holds writeLock

	beat      *time.Timer // guarded by the Conn's lock, like the next
	lastWords *time.Timer // closes what the venue announced to close
}

// errSlowWrite is the end of a connection that takes in nothing more.
var errSlowWrite = errors.New("a frame could not be written in time")

// begin starts the clock.
func (c *Conn) begin() {
	c.lastHeard.Store(c.now())
	c.lastSaid.Store(c.now())
	c.writeGuard = time.AfterFunc(c.opts.Timeout, func() { c.die(errSlowWrite) })
	c.writeGuard.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beat = time.AfterFunc(c.opts.Heartbeat, c.onBeat)
}

// stopLiveness stops it. c is locked.
func (c *Conn) stopLiveness() {
	if c.beat != nil {
		c.beat.Stop()
	}
	if c.lastWords != nil {
		c.lastWords.Stop()
	}
}

// onBeat sends a heartbeat and looks at the silence. The clock goes on first: if a write
// hangs, its own time ends it.
func (c *Conn) onBeat() {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.beat.Reset(c.opts.Heartbeat)
	c.mu.Unlock()
	c.lookAtSilence()
	select {
	case c.writeLock <- struct{}{}:
	default:
		return // a write under way is as good as a heartbeat
	}
	err := c.write([]byte("[]"))
	<-c.writeLock
	if err != nil {
		c.die(err)
	}
}

// lookAtSilence asks whether the venue is there, if nothing came for long, or nothing but
// heartbeats for very long. While a stream that blocks waits for its reader nothing is
// heard, and that is not the venue's silence.
func (c *Conn) lookAtSilence() {
	now := c.now()
	silent, mute := time.Duration(now-c.lastHeard.Load()), time.Duration(now-c.lastSaid.Load())
	switch {
	case c.busy.Load():
	case silent >= max(c.opts.Silence, min(longestQuiet, c.opts.Silence<<min(c.quiet.Load(), 10))):
		c.ask(c.opts.SignOn, &c.lastHeard)
	case mute >= c.opts.Stall:
		c.ask(c.opts.Timeout, &c.lastSaid)
	}
}

// ask sends the question, unless one is under way, and ends the connection if no answer
// comes and the clock that made us ask does not move either.
func (c *Conn) ask(within time.Duration, clock *atomic.Int64) {
	if !c.asking.CompareAndSwap(false, true) {
		return
	}
	before := clock.Load()
	go func() {
		defer c.asking.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		switch err := c.probe(ctx, within); {
		case err == nil:
			c.quiet.Add(1)
		case kindOf(err) == KindTokenDead:
			c.die(err)
		case clock.Load() == before && !c.busy.Load():
			since := time.Duration(c.now() - before).Round(100 * time.Millisecond)
			c.die(&Error{Class: venuekey.ClassLater, Kind: KindSilent, Err: fmt.Errorf("lost: nothing came for %v, not even when asked for", since)})
		}
	}()
}

// probe asks the venue. Whatever it answers will do, unless that is that the token is dead.
// If the budget has no room for a request, the other side of the WebSocket is asked.
func (c *Conn) probe(ctx context.Context, within time.Duration) error {
	room, cancel := context.WithTimeout(ctx, time.Second)
	permit, err := c.pace.Wait(room)
	cancel()
	if err != nil {
		return c.ws.Ping(ctx)
	}
	_, err = c.exchange(ctx, Request{Endpoint: probeEndpoint}, nil, permit, within, nil)
	var known *Error
	if errors.As(err, &known) && known.Status != 0 && (known.Kind != KindTokenDead || !c.authorized.Load()) {
		return nil // an answer
	}
	return err
}

// expectEnd closes a connection that the venue is about to close, if it does not.
func (c *Conn) expectEnd() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && c.lastWords == nil {
		c.lastWords = time.AfterFunc(c.opts.SignOn, func() { c.die(errors.New("the venue announced its end")) })
	}
}
