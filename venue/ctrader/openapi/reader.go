package openapi

import (
	"context"
	"errors"
	"os"
	"time"
)

// reader.go owns who reads a connection.
//
// For what comes unasked there has to be somebody who always reads: the
// connection's own goroutine. But when it hands an answer to the goroutine that
// waits for it, the runtime wakes a thread, which takes as long as half of the
// request. So while nobody listens to events, whoever waits for an answer reads
// it himself, and the connection's own goroutine naps. It is back at once when
// somebody begins to listen or a caller leaves while others wait, and otherwise
// when no caller has read for a nap: all that is noticed so much later is the
// end of a connection, or of a session on it.

// nap is how long reading is left to callers until the next look whether there
// are any.
const nap = 5 * time.Millisecond

// lender is a wire whose reader can be called off, so that the next one goes on
// where it was. A WebSocket is none.
type lender interface {
	// until calls readers off at a time, at once if it has passed and never if it
	// is zero.
	until(t time.Time) error
}

// atOnce has passed, for a lender.
var atOnce = time.Unix(1, 0)

// read hands out what comes until the connection ends, and then keeps the right
// to read.
func (c *Conn) read() {
	for {
		c.reading <- struct{}{}
		if c.lent != nil {
			_ = c.lent.until(time.Time{}) // if it fails, so does reading
		}
		for resting := false; !resting; {
			answered := c.take(time.Time{})
			if c.over.Load() {
				return
			}
			resting = answered && c.lent != nil && !c.wanted()
		}
		<-c.reading
		if !c.wanted() { // again: who came in between found this goroutine reading
			c.rest()
		}
	}
}

// rest returns when the connection's own goroutine is to read again.
func (c *Conn) rest() {
	timer := time.NewTimer(nap)
	defer timer.Stop()
	for {
		select {
		case <-c.needed:
			return
		case <-c.done:
			return
		case <-timer.C:
		}
		if !c.led.Swap(false) {
			return
		}
		timer.Reset(nap)
	}
}

// wanted reports whether it is needed: somebody waits for an answer, or listens.
func (c *Conn) wanted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending) > 0 || c.hub.listeners.Load() > 0
}

// lead reads until a call has its result, is given up or its context ends, if
// nobody else reads, or should. There need be no result afterwards.
func (c *Conn) lead(ctx context.Context, sent *call) {
	if c.lent == nil || c.hub.listeners.Load() > 0 {
		return
	}
	select {
	case c.reading <- struct{}{}:
	default:
		return
	}
	defer func() {
		<-c.reading
		if c.wanted() {
			signal(c.needed)
		}
	}()
	c.led.Store(true)
	if c.lent.until(sent.until) != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { _ = c.lent.until(atOnce) })()
	for len(sent.result) == 0 && ctx.Err() == nil && c.hub.listeners.Load() == 0 && time.Now().Before(sent.until) {
		c.take(sent.until)
	}
}

// take reads once and hands out what came, and reports whether it was an answer.
// A reader that was called off sets its own deadline again: the call may have
// been for the one before.
func (c *Conn) take(deadline time.Time) (answered bool) {
	b, err := c.wire.read()
	switch {
	case err == nil:
		answered, err = c.receive(b)
	case c.lent != nil && errors.Is(err, os.ErrDeadlineExceeded):
		if err = c.lent.until(deadline); err == nil {
			return false
		}
		fallthrough
	default:
		err = readError(err)
	}
	if err != nil {
		c.die(err)
	}
	return answered
}
