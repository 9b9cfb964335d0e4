package socket

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
)

// keepalive.go owns what happens when nothing happens: heartbeats, and the end of a
// connection on which nothing comes.
//
// The venue sends a heartbeat every 2.5 s, but not while it streams, and wants ours
// whatever it sends (Tradovate facts §5). So the clock of ours is one of its own.

// liveness is what is known of the other side's life. Times are as now counts.
type liveness struct {
	lastHeard atomic.Int64 // when a frame came last
	asking    atomic.Bool  // a ping or a request asks whether anybody is there
	lastAsked atomic.Int64

	beat      *time.Timer // guarded by the Conn's lock, like the next
	lastWords *time.Timer // closes what the venue announced to close
}

// begin starts the clock.
func (c *Conn) begin() {
	c.lastHeard.Store(c.now())
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

// lookAtSilence asks whether anybody is there, if nothing came for long.
func (c *Conn) lookAtSilence() {
	now, heard := c.now(), c.lastHeard.Load()
	silent := time.Duration(now - heard)
	switch {
	case silent < c.opts.Silence, time.Duration(now-c.lastAsked.Load()) < c.opts.Silence && c.lastAsked.Load() != 0:
		return
	case !c.asking.CompareAndSwap(false, true):
		return
	}
	c.lastAsked.Store(now)
	ask := c.ping
	if silent >= c.opts.Stall {
		ask = c.probe
	}
	go func() {
		defer c.asking.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), c.opts.SignOn)
		defer cancel()
		if err := ask(ctx); err != nil && c.lastHeard.Load() == heard {
			c.die(fmt.Errorf("nothing came for %v, not even when asked for", time.Duration(c.now()-heard).Round(100*time.Millisecond)))
		}
	}()
}

// ping asks the other side of the WebSocket, whoever that is.
func (c *Conn) ping(ctx context.Context) error { return c.ws.Ping(ctx) }

// probe asks the venue itself: whatever it answers will do.
func (c *Conn) probe(ctx context.Context) error {
	_, err := c.do(ctx, Request{Endpoint: "account/list"}, c.opts.SignOn, nil)
	if classOf(err) == venuekey.ClassUnknown && errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil // an answer, or no room for the question
}

// expectEnd closes a connection that the venue is about to close, if it does not.
func (c *Conn) expectEnd() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && c.lastWords == nil {
		c.lastWords = time.AfterFunc(c.opts.SignOn, func() { c.die(errors.New("the venue announced its end")) })
	}
}
