package openapi

import (
	"context"
	"errors"
	"os"
	"time"
)

// reader.go owns who reads a connection.
//
// For what comes unasked there has to be somebody who is always there: the
// connection's own goroutine. But when it hands an answer to the goroutine that
// waits for it, the runtime wakes a thread for that, which takes a third of what a
// request takes, and half where the service is near. So whoever waits for an answer
// alone reads it himself, and the connection's own goroutine waits elsewhere:
//
//   - beside the connection, where that is possible (see watch). It looks out for
//     what comes while nobody asks, and is turned away from that while a caller
//     reads, without being woken.
//   - Callers who ask briskly, one request right after the answer to the last, need
//     not even do that: it naps, and looks from time to time whether they still do.
//     Where nobody can wait beside the connection, only they read themselves.
//
// An event is handed out by the connection's own goroutine in any case: a handler
// that blocks holds up no caller's context. A caller who meets one passes it on
// with the right to read; where events came during the last wait, it is left to
// the connection's own goroutine to read from the beginning.

const (
	// nap is how long reading is left to brisk callers until the next look whether
	// there are any, shortNap how long if somebody listens.
	nap      = 5 * time.Millisecond
	shortNap = time.Millisecond
	// near is how soon an answer comes, and after it the next request, if that is
	// brisk. Callers ask briskly once so many did; more than mostBrisk are not
	// counted, and what speaks against it halves the count.
	near      = 200 * time.Microsecond
	briskly   = 16
	mostBrisk = 64
)

// watch is a place to wait beside a connection. All but wait and until are for
// whoever has the right to read.
type watch interface {
	// wait returns true when something came and was looked for, or the connection
	// is closed, and false at the time that was set.
	wait() (came bool)
	// until ends waits at a time, at once if it has passed and never if it is zero.
	until(t time.Time) error
	// look has a wait end with whatever comes next, or has come; lookAway takes
	// that back.
	look() error
	lookAway() error
	// single is whether exactly one TLS record was read since the last look.
	single() bool
	// hurry is whether reads return nothing instead of waiting.
	hurry(yes bool)
}

// nothing is what comes of a read in a hurry. TLS goes on after it, as after a
// time that is over.
type nothing struct{}

func (nothing) Error() string   { return "nothing has come" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

// atOnce has passed.
var atOnce = time.Unix(1, 0)

// read hands out what comes until the connection ends, and then keeps the right
// to read.
func (c *Conn) read() {
	for {
		c.takeOver()
		c.readOn()
		if c.over.Load() {
			return
		}
		if c.watch != nil {
			_ = c.watch.until(time.Time{})
			c.lookOut()
			<-c.reading
			c.stand()
			continue
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
	c.looking, c.dozing = false, false
	c.unserve()
	if c.watch == nil && c.called != 0 {
		_ = c.callOff(0) // if it fails, so does reading
	}
	if passed {
		if err := c.handOut(&c.envelope); err != nil {
			c.die(err)
		}
	}
}

// readOn reads until others may.
func (c *Conn) readOn() {
	for !c.over.Load() {
		came, answered := c.take()
		if c.watch != nil && !came || c.watch == nil && c.interruptible && answered && !c.wanted() {
			return
		}
	}
}

// take reads once and hands out what came, and reports whether it was an answer.
// Beside a connection it does not wait.
func (c *Conn) take() (came, answered bool) {
	came, err := c.next(0, c.watch != nil)
	if came {
		answered, err = c.receive()
	}
	if err != nil {
		c.die(err)
	}
	return came, answered
}

// lookOut has the connection's own goroutine woken by what comes next. Whoever
// calls has found that nothing is left.
func (c *Conn) lookOut() {
	c.listens()
	err := c.watch.look()
	if c.looking = err == nil; err != nil {
		c.die(err)
	}
}

// stand waits beside the connection until its own goroutine is to read again.
func (c *Conn) stand() {
	for !c.watch.wait() {
		select {
		case <-c.needed:
			return
		default:
		}
		if c.slack() {
			return
		}
		c.doze()
	}
}

// doze has a wait beside the connection end after a nap.
func (c *Conn) doze() {
	_ = c.watch.until(time.Now().Add(c.nap()))
	if len(c.needed) > 0 { // that overwrote a call
		_ = c.watch.until(atOnce)
	}
}

// rest is a nap where nobody can wait beside the connection.
func (c *Conn) rest() {
	timer := time.NewTimer(c.nap())
	defer timer.Stop()
	for {
		select {
		case <-c.needed:
			return
		case <-c.done:
			return
		case <-timer.C:
		}
		if c.slack() {
			return
		}
		timer.Reset(c.nap())
	}
}

func (c *Conn) nap() time.Duration {
	if c.hub.listening.Load() > 0 {
		return shortNap
	}
	return nap
}

// slack reports, after a nap, whether callers have stopped to read.
func (c *Conn) slack() bool {
	idle := c.hub.listening.Load() > 0 && len(c.reading) == 0 && c.now()-c.heard.Load() > int64(near)
	if c.led.Swap(false) && !idle {
		return false
	}
	c.brisk.Store(c.brisk.Load() / 2)
	return true
}

// call has the connection's own goroutine read.
func (c *Conn) call() {
	signal(c.needed)
	if c.watch != nil {
		_ = c.watch.until(atOnce)
	}
}

// pass gives it the right to read, and the event in envelope.
func (c *Conn) pass() {
	c.passed <- struct{}{}
	c.call()
}

// wanted reports whether it is needed, if it does not look out: somebody waits for
// an answer, or callers do not ask briskly.
func (c *Conn) wanted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.only != nil || len(c.pending) > 0 || c.brisk.Load() < briskly
}

// lead reads until a call has its result, is given up or its context ends, if
// nobody else reads, or should. There need be no result afterwards.
func (c *Conn) lead(ctx context.Context, sent *call) {
	if !c.interruptible {
		return
	}
	if sent.at-c.heard.Load() < int64(near) {
		c.brisk.Store(min(mostBrisk, c.brisk.Load()+1))
	} else {
		c.brisk.Store(c.brisk.Load() / 2)
	}
	select {
	case c.reading <- struct{}{}:
	default:
		return
	}
	if c.looking && (c.crowded && c.hub.listening.Load() > 0 || !sent.alone) {
		<-c.reading // who looks out will read it
		return
	}
	c.led.Store(true)
	if c.looking {
		c.looking = false
		if err := c.watch.lookAway(); err != nil {
			c.die(err)
		}
	}
	if !c.readFor(ctx, sent) {
		c.retire()
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
		if came, err := c.next(due, false); err != nil {
			c.die(err)
		} else if came && c.share() {
			return true
		}
		if len(sent.result) > 0 || c.now() >= due {
			return false
		}
	}
	return false
}

// share hands out what a caller has read. It is true if that was an event that was
// passed on with the right to read.
func (c *Conn) share() (passed bool) {
	_, rest := c.sort()
	if rest && c.hub.listening.Load() > 0 {
		c.brisk.Store(c.brisk.Load() / 2)
		c.pass()
		return true
	}
	if rest {
		if err := c.handOut(&c.envelope); err != nil {
			c.die(err)
		}
	}
	return false
}

// retire gives the right to read back when a caller leaves, who has to see that
// somebody looks out or naps.
func (c *Conn) retire() {
	switch {
	case c.watch == nil:
	case c.brisk.Load() < briskly:
		if c.leave() {
			return
		}
	case !c.dozing:
		c.dozing = true
		c.doze()
	}
	looking := c.looking
	<-c.reading
	if !looking && c.wanted() {
		c.call()
	}
}

// leave looks whether more lies in our own buffers, which nobody would be woken by,
// and else has the connection's own goroutine look out. It is true if the right to
// read was passed on.
func (c *Conn) leave() (passed bool) {
	if c.watch.single() && c.wire.Drained() {
		c.lookOut()
		return false
	}
	came, err := c.next(0, true)
	switch {
	case err != nil:
		c.die(err)
	case came:
		return c.share()
	default:
		c.lookOut()
	}
	return false
}

// next reads an envelope. None came if the reader was called off, who sets its own
// time again, because the call may have been for the one before; and if there is
// none yet for one in a hurry.
func (c *Conn) next(due int64, hurry bool) (came bool, err error) {
	if hurry {
		c.watch.hurry(true)
		defer c.watch.hurry(false)
	}
	err = c.wire.Read(&c.envelope)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, nothing{}):
		return false, nil
	case c.interruptible && errors.Is(err, os.ErrDeadlineExceeded):
		if err = c.callOff(due); err == nil {
			return false, nil
		}
	}
	return false, readError(err)
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
		c.dismiss = context.AfterFunc(ctx, func() { _ = c.wire.SetReadDeadline(atOnce) })
	}
}

// unserve ends that.
func (c *Conn) unserve() {
	if c.dismiss != nil {
		c.dismiss()
	}
	c.patron, c.dismiss = nil, nil
}

// callOff has the reader called off at a time, or never if it is 0.
func (c *Conn) callOff(due int64) error {
	at := time.Time{}
	if due != 0 {
		at = c.born.Add(time.Duration(due - 1)) // as now counts
	}
	err := c.wire.SetReadDeadline(at)
	if c.called = due; err != nil {
		c.called = 0
	}
	return err
}
