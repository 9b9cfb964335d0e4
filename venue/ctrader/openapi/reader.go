package openapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/wire"
)

// reader.go owns which goroutine reads a connection, and the one that reads by default.
//
// Unsolicited messages need a reader at all times: the connection's own goroutine. But
// for that goroutine to hand an answer to the caller that waits for it, the runtime must
// wake a thread, which takes a third of the time of a request, and half if the service
// is near. So a caller that waits for an answer alone reads it itself (callerread.go),
// while the connection's own goroutine waits in another way:
//
//   - It watches the socket, if that is possible (see watch): it wakes up when something
//     arrives while no caller reads. A caller that reads switches the watch off, without
//     waking the goroutine.
//   - If callers are brisk, which is to send each request right after the answer to the
//     last, even switching is too expensive. Then the goroutine naps, and checks from
//     time to time whether they still are. If the socket cannot be watched, only brisk
//     callers read for themselves.
//
// Events are delivered by the connection's own goroutine in any case, so that a handler
// that blocks does not block a caller beyond its context. A caller that reads an event
// passes it on, together with the read lock. After a wait during which events arrived,
// the next wait leaves reading to the connection's own goroutine from the start.

// reader is the reading side of a Conn. All fields but the channels and the atomic values
// belong to the holder of readLock.
type reader struct {
	readLock chan struct{} // the read lock: full while a goroutine reads
	handover chan struct{} // passes on the read lock, and the event in envelope
	wake     chan struct{} // wakes the connection's own goroutine

	envelope message.Envelope // what was read last

	interruptible bool  // callers may read, since a deadline can interrupt them
	watch         watch // watches the socket; may be nil
	watching      bool  // the connection's own goroutine is watching
	napping       bool  // or napping

	lastEvent int64 // when the last event arrived
	sawEvent  bool  // an event arrived while the last call waited

	deadline    int64           // when a read is interrupted; 0 means never
	servedDone  <-chan struct{} // the context whose end interrupts it as well
	stopServing func() bool     // stops watching that context

	callerRead atomic.Bool  // a caller has read since the last check
	brisk      atomic.Int32 // how many requests came right after an answer, see briskAfter
}

func newReader() reader {
	return reader{readLock: make(chan struct{}, 1), wake: make(chan struct{}, 1), handover: make(chan struct{}, 1)}
}

const (
	// nap is how long reading is left to brisk callers before the next check whether
	// there are any. It is shortNap if events have listeners.
	nap      = 5 * time.Millisecond
	shortNap = time.Millisecond
	// A request is brisk if it comes within near of the last answer, and its own answer
	// within near. Callers count as brisk after this many such requests; the count stops
	// at mostBrisk, and each sign to the contrary halves it.
	near       = 200 * time.Microsecond
	briskAfter = 16
	mostBrisk  = 64
)

// atOnce is a deadline that has passed.
var atOnce = time.Unix(1, 0)

// read is the connection's own goroutine. It delivers what arrives until the connection
// ends, and then keeps the read lock.
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
			<-c.readLock
			c.waitWatching()
			continue
		}
		<-c.readLock
		if !c.wanted() { // checked again: a caller in between saw this goroutine reading
			c.rest()
		}
	}
}

// takeOver waits for the read lock, and delivers the event that a caller passed on with
// it, if there is one.
func (c *Conn) takeOver() {
	passed := false
	select {
	case c.readLock <- struct{}{}:
	case <-c.handover:
		passed = true
	}
	c.watching, c.napping = false, false
	c.unwatchContext()
	if c.watch == nil && c.deadline != 0 {
		_ = c.setDeadline(0) // if it fails, so does reading
	}
	if passed {
		if err := c.handOut(&c.envelope); err != nil {
			c.die(err)
		}
	}
}

// readOn reads until callers may read instead.
func (c *Conn) readOn() {
	for !c.over.Load() {
		came, answered := c.take()
		if c.watch != nil && !came || c.watch == nil && c.interruptible && answered && !c.wanted() {
			return
		}
	}
}

// take reads one envelope and delivers it, and reports whether it was an answer. It does
// not block if the socket can be watched.
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

// lookOut makes the next arrival wake the connection's own goroutine. The caller has
// checked that nothing is buffered.
func (c *Conn) lookOut() {
	c.readBegins()
	err := c.watch.look()
	if c.watching = err == nil; err != nil {
		c.die(err)
	}
}

// waitWatching watches the socket until the connection's own goroutine must read again.
func (c *Conn) waitWatching() {
	for !c.watch.wait() {
		select {
		case <-c.wake:
			return
		default:
		}
		if c.callersStopped() {
			return
		}
		c.doze()
	}
}

// doze limits the wait on the socket to one nap.
func (c *Conn) doze() {
	_ = c.watch.until(time.Now().Add(c.nap()))
	if len(c.wake) > 0 { // this overwrote the deadline that was to wake it
		_ = c.watch.until(atOnce)
	}
}

// rest naps if the socket cannot be watched.
func (c *Conn) rest() {
	timer := time.NewTimer(c.nap())
	defer timer.Stop()
	for {
		select {
		case <-c.wake:
			return
		case <-c.done:
			return
		case <-timer.C:
		}
		if c.callersStopped() {
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

// callersStopped reports, after a nap, whether callers have stopped reading.
func (c *Conn) callersStopped() bool {
	idle := c.hub.listening.Load() > 0 && len(c.readLock) == 0 && c.now()-c.lastHeard.Load() > int64(near)
	if c.callerRead.Swap(false) && !idle {
		return false
	}
	c.brisk.Store(c.brisk.Load() / 2)
	return true
}

// wakeReader wakes the connection's own goroutine, so that it reads.
func (c *Conn) wakeReader() {
	signal(c.wake)
	if c.watch != nil {
		_ = c.watch.until(atOnce)
	}
}

// handOver passes the read lock and the event in envelope to that goroutine.
func (c *Conn) handOver() {
	c.handover <- struct{}{}
	c.wakeReader()
}

// wanted reports whether the connection's own goroutine must read if it is not watching:
// a call is in flight, or callers are not brisk.
func (c *Conn) wanted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.only != nil || len(c.pending) > 0 || c.brisk.Load() < briskAfter
}

// next reads an envelope. It returns false if it was interrupted; it then sets the
// deadline anew, since the expired one may have been the previous reader's. With hurry
// it also returns false if no envelope has arrived yet.
func (c *Conn) next(due int64, hurry bool) (came bool, err error) {
	if hurry {
		c.watch.hurry(true)
		defer c.watch.hurry(false)
	}
	err = c.wire.Read(&c.envelope)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, nothingYet{}):
		return false, nil
	case c.interruptible && errors.Is(err, os.ErrDeadlineExceeded):
		if err = c.setDeadline(due); err == nil {
			return false, nil
		}
	}
	return false, readError(err)
}

// setDeadline sets when a read is interrupted; 0 means never.
func (c *Conn) setDeadline(due int64) error {
	at := time.Time{}
	if due != 0 {
		at = c.born.Add(time.Duration(due - 1)) // as now counts
	}
	err := c.wire.SetReadDeadline(at)
	if c.deadline = due; err != nil {
		c.deadline = 0
	}
	return err
}

// watchContext interrupts reads when a context ends. It keeps watching until another
// context takes its place, since programs often use one context for many requests. The
// caller holds the read lock.
func (c *Conn) watchContext(ctx context.Context) {
	done := ctx.Done()
	if c.servedDone == done {
		return
	}
	c.unwatchContext()
	if c.servedDone = done; done != nil {
		c.stopServing = context.AfterFunc(ctx, func() { _ = c.wire.SetReadDeadline(atOnce) })
	}
}

// unwatchContext stops watching the context.
func (c *Conn) unwatchContext() {
	if c.stopServing != nil {
		c.stopServing()
	}
	c.servedDone, c.stopServing = nil, nil
}

// readError describes why reading ended.
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
