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
//
// With a listener callers read while they ask briskly, one request right after the
// answer to the last, and the naps are short. An event is handed out by the
// connection's own goroutine in any case: a handler that blocks holds up no
// caller's context. A caller who meets one passes it on with the right to read.

const (
	// nap is how long reading is left to callers until the next look whether there
	// are any, shortNap how long if somebody listens.
	nap      = 5 * time.Millisecond
	shortNap = time.Millisecond
	// atOnceAfter is how soon after an answer the next request is brisk, if the
	// answer took no longer than a short nap. Callers ask briskly once so many did;
	// more than mostBrisk are not counted, and what speaks against it halves the
	// count.
	atOnceAfter = 200 * time.Microsecond
	briskly     = 16
	mostBrisk   = 64
)

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
		c.takeOver()
		for resting := false; !resting; {
			answered := c.take()
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

// takeOver waits for the right to read, and hands out the event that a caller
// passed on with it, if one did.
func (c *Conn) takeOver() {
	passed := false
	select {
	case c.reading <- struct{}{}:
	case <-c.passed:
		passed = true
	}
	c.unserve()
	if c.called != 0 {
		_ = c.callOff(0) // if it fails, so does reading
	}
	if passed {
		if err := c.handOut(&c.envelope); err != nil {
			c.die(err)
		}
	}
}

// serve has the reader called off when a context ends, until another is served: a
// program often asks with one context many times. Whoever calls has the right to
// read.
func (c *Conn) serve(ctx context.Context) {
	done := ctx.Done()
	if c.patron == done {
		return
	}
	c.unserve()
	if c.patron = done; done != nil {
		c.dismiss = context.AfterFunc(ctx, func() { _ = c.lent.until(atOnce) })
	}
}

// unserve ends that.
func (c *Conn) unserve() {
	if c.dismiss != nil {
		c.dismiss()
	}
	c.patron, c.dismiss = nil, nil
}

// rest returns when the connection's own goroutine is to read again.
func (c *Conn) rest() {
	length := func() time.Duration {
		if c.hub.listeners.Load() > 0 {
			return shortNap
		}
		return nap
	}
	timer := time.NewTimer(length())
	defer timer.Stop()
	for {
		select {
		case <-c.needed:
			return
		case <-c.done:
			return
		case <-timer.C:
		}
		if !c.led.Swap(false) || c.idle() {
			c.brisk.Store(c.brisk.Load() / 2)
			return
		}
		timer.Reset(length())
	}
}

// idle reports whether callers have stopped to read although somebody listens.
func (c *Conn) idle() bool {
	return c.hub.listeners.Load() > 0 && len(c.reading) == 0 && c.now()-c.heard.Load() > int64(atOnceAfter)
}

// wanted reports whether it is needed: somebody waits for an answer, or listens
// and callers do not ask briskly.
func (c *Conn) wanted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.only != nil || len(c.pending) > 0 || c.hub.listeners.Load() > 0 && c.brisk.Load() < briskly
}

// lead reads until a call has its result, is given up or its context ends, if
// nobody else reads, or should. There need be no result afterwards.
func (c *Conn) lead(ctx context.Context, sent *call) {
	if c.lent == nil {
		return
	}
	if c.hub.listeners.Load() > 0 {
		if sent.at-c.heard.Load() < int64(atOnceAfter) {
			c.brisk.Store(min(mostBrisk, c.brisk.Load()+1))
		} else {
			c.brisk.Store(c.brisk.Load() / 2)
		}
	}
	select {
	case c.reading <- struct{}{}:
	default:
		return
	}
	c.led.Store(true)
	if !c.readFor(ctx, sent) {
		<-c.reading
	}
	if c.wanted() {
		signal(c.needed)
	}
}

// readFor reads for a call. It is true if the right to read was passed on.
func (c *Conn) readFor(ctx context.Context, sent *call) (passed bool) {
	if len(sent.result) > 0 { // who read before has got it
		return false
	}
	due := sent.due()
	if c.called == 0 || c.called > due { // an earlier time is moved when it comes
		if c.callOff(due) != nil {
			return false
		}
	}
	c.serve(ctx)
	for ctx.Err() == nil {
		b, err := c.next(due)
		if err == nil && b != nil {
			var rest bool
			if _, rest, err = c.sort(b); rest && c.hub.listeners.Load() > 0 {
				c.brisk.Store(c.brisk.Load() / 2)
				c.passed <- struct{}{}
				signal(c.needed)
				return true
			} else if rest {
				err = c.handOut(&c.envelope)
			}
		}
		if err != nil {
			c.die(err)
		}
		if len(sent.result) > 0 || c.now() >= due {
			return false
		}
	}
	return false
}

// take reads once and hands out what came, and reports whether it was an answer.
func (c *Conn) take() (answered bool) {
	b, err := c.next(0)
	if err == nil && b != nil {
		answered, err = c.receive(b)
	}
	if err != nil {
		c.die(err)
	}
	return answered
}

// next reads once. It is nil for a reader that was called off, who sets its own
// time again: the call may have been for the one before.
func (c *Conn) next(due int64) ([]byte, error) {
	b, err := c.wire.read()
	if err == nil {
		return b, nil
	}
	if c.lent != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		if err = c.callOff(due); err == nil {
			return nil, nil
		}
	}
	return nil, readError(err)
}

// callOff has the reader called off at a time, or never if it is 0.
func (c *Conn) callOff(due int64) error {
	at := time.Time{}
	if due != 0 {
		at = c.born.Add(time.Duration(due - 1)) // as now counts
	}
	err := c.lent.until(at)
	if c.called = due; err != nil {
		c.called = 0
	}
	return err
}
