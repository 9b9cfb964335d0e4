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

// reader.go owns who reads a connection, and the goroutine that does it for all.
//
// For what comes unasked one reader has to be always there: the connection's own
// goroutine. But when it hands an answer to the goroutine that
// waits for it, the runtime wakes a thread for that, which takes a third of what a
// request takes, and half if the service is near. So a caller that waits for an answer
// alone reads it itself (callerread.go), and the connection's own goroutine waits
// elsewhere:
//
//   - beside the connection, where that is possible (see watch). It looks out for
//     what comes while nobody asks, and is turned away from that while a caller
//     reads, without being woken.
//   - Callers that ask briskly, one request right after the answer to the last, need
//     not even do that: it naps, and looks from time to time whether they still do.
//     Where nobody can wait beside the connection, only they read for themselves.
//
// An event is handed out by the connection's own goroutine in any case: a handler
// that blocks holds up no caller's context. A caller that meets one passes it on
// with the right to read; after a wait with events in it, reading is left to the
// connection's own goroutine from the beginning.

// reader is who reads a Conn. All but the channels and the atomic values belongs to
// whoever holds the right to read.
type reader struct {
	readLock chan struct{} // the right to read: holds one while somebody reads
	handover chan struct{} // holds one: the right to read and what is in envelope
	wake     chan struct{} // wakes the connection's own goroutine

	envelope message.Envelope // what was read last

	interruptible bool  // callers may read, since a deadline ends that
	watch         watch // the place to wait beside the connection; may be nil
	watching      bool  // the connection's own goroutine looks out there
	napping       bool  // or naps

	lastEvent int64 // when an event came last
	sawEvent  bool  // one came while the last call waited

	deadline    int64           // when a read is called off; 0 is never
	servedDone  <-chan struct{} // the context whose end calls it off, too
	stopServing func() bool     // gives that up

	callerRead atomic.Bool  // a caller has read since the last look
	brisk      atomic.Int32 // how many requests came right after an answer, see briskly
}

func newReader() reader {
	return reader{readLock: make(chan struct{}, 1), wake: make(chan struct{}, 1), handover: make(chan struct{}, 1)}
}

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

// atOnce has passed.
var atOnce = time.Unix(1, 0)

// read is the connection's own goroutine. It hands out what comes until the connection
// ends, and then keeps the right to read.
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
			c.waitBeside()
			continue
		}
		<-c.readLock
		if !c.wanted() { // again: a caller that came in between found this goroutine reading
			c.rest()
		}
	}
}

// takeOver waits for the right to read, and hands out the event that a caller
// passed on with it, if one did.
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

// lookOut has the connection's own goroutine woken by what comes next. The caller
// has found that nothing is left.
func (c *Conn) lookOut() {
	c.readBegins()
	err := c.watch.look()
	if c.watching = err == nil; err != nil {
		c.die(err)
	}
}

// waitBeside waits beside the connection until its own goroutine has to read again.
func (c *Conn) waitBeside() {
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

// doze has a wait beside the connection end after a nap.
func (c *Conn) doze() {
	_ = c.watch.until(time.Now().Add(c.nap()))
	if len(c.wake) > 0 { // that overwrote a call
		_ = c.watch.until(atOnce)
	}
}

// rest is a nap where nobody can wait beside the connection.
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

// callersStopped reports, after a nap, whether callers no longer read.
func (c *Conn) callersStopped() bool {
	idle := c.hub.listening.Load() > 0 && len(c.readLock) == 0 && c.now()-c.lastHeard.Load() > int64(near)
	if c.callerRead.Swap(false) && !idle {
		return false
	}
	c.brisk.Store(c.brisk.Load() / 2)
	return true
}

// wakeReader has the connection's own goroutine read.
func (c *Conn) wakeReader() {
	signal(c.wake)
	if c.watch != nil {
		_ = c.watch.until(atOnce)
	}
}

// handOver gives it the right to read, and the event in envelope.
func (c *Conn) handOver() {
	c.handover <- struct{}{}
	c.wakeReader()
}

// wanted reports whether the own goroutine has to read if it does not look out: a
// call waits for an answer, or callers do not ask briskly.
func (c *Conn) wanted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.only != nil || len(c.pending) > 0 || c.brisk.Load() < briskly
}

// next reads an envelope. None came if the reader was called off; the deadline is set
// anew then, because the one that passed may have been the last reader's. And none
// came if there is none yet and the reader is in a hurry.
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

// setDeadline has the reader called off at a time, or never if it is 0.
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

// watchContext has the reader called off when a context ends, until another context is
// watched: a program often asks with one context many times. The caller holds the
// right to read.
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

// unwatchContext ends that.
func (c *Conn) unwatchContext() {
	if c.stopServing != nil {
		c.stopServing()
	}
	c.servedDone, c.stopServing = nil, nil
}

// readError gives the end of a stream words.
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
