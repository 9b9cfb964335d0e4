package openapi

import "context"

// callerread.go owns the path on which a caller reads the answer to its own request.

// readFor reads on behalf of one call until its result arrives or it gives up. It does
// nothing if another goroutine is reading, or should be. It may return without a result.
func (c *Conn) readFor(ctx context.Context, sent *call) {
	if !c.interruptible {
		return
	}
	if sent.at-c.lastHeard.Load() < int64(near) {
		c.brisk.Store(min(mostBrisk, c.brisk.Load()+1))
	} else {
		c.brisk.Store(c.brisk.Load() / 2)
	}
	select {
	case c.readLock <- struct{}{}:
	default:
		return
	}
	if c.watching && (c.sawEvent && c.hub.listening.Load() > 0 || !sent.alone) {
		<-c.readLock // the connection's own goroutine is watching, and will read it
		return
	}
	c.callerRead.Store(true)
	if c.watching {
		c.watching = false
		if err := c.watch.lookAway(); err != nil {
			c.die(err)
		}
	}
	if !c.readUntil(ctx, sent) {
		c.stopReading()
	}
}

// readUntil reads for a call that holds the read lock. It returns true if the lock was
// passed on to the connection's own goroutine.
func (c *Conn) readUntil(ctx context.Context, sent *call) (passed bool) {
	if len(sent.result) > 0 { // the last reader delivered it
		return false
	}
	due := sent.due()
	if c.deadline == 0 || c.deadline > due { // an earlier deadline is extended when it expires
		if c.setDeadline(due) != nil {
			return false
		}
	}
	c.watchContext(ctx)
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

// share delivers what a caller has read. It returns true if that was an event, which
// was passed on to the connection's own goroutine together with the read lock.
func (c *Conn) share() (passed bool) {
	_, rest := c.dispatch()
	if rest && c.hub.listening.Load() > 0 {
		c.brisk.Store(c.brisk.Load() / 2)
		c.handOver()
		return true
	}
	if rest {
		if err := c.handOut(&c.envelope); err != nil {
			c.die(err)
		}
	}
	return false
}

// stopReading releases the read lock. Before it does, it makes sure that the
// connection's own goroutine is watching the socket or napping.
func (c *Conn) stopReading() {
	switch {
	case c.watch == nil:
	case c.brisk.Load() < briskAfter:
		if c.lookOutAgain() {
			return
		}
	case !c.napping:
		c.napping = true
		c.doze()
	}
	looking := c.watching
	<-c.readLock
	if !looking && c.wanted() {
		c.wakeReader()
	}
}

// lookOutAgain reads what is still in our own buffers, which would wake no one; if they
// are empty, the connection's own goroutine watches the socket again. It returns true if
// the read lock was passed on.
func (c *Conn) lookOutAgain() (passed bool) {
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
