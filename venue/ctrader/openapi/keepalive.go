package openapi

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// keepalive.go owns keeping an idle connection alive with heartbeats, and ending one
// that is dead. One timer does it all; reads and writes only record the time.

// usualBeat is assumed to be the interval between the service's heartbeats until two
// have been received; shortestBeat is the lower bound for the observed interval.
const (
	usualBeat    = 30 * time.Second
	shortestBeat = 5 * time.Second
)

// liveness is what is known about the liveness of both directions. Times are those of
// Conn.now; 0 means "not now", or "never".
type liveness struct {
	readingSince atomic.Int64 // since when a read has waited in vain
	lastHeard    atomic.Int64 // when bytes arrived last
	lastBeat     atomic.Int64 // when a heartbeat arrived last
	beatInterval atomic.Int64 // the shortest interval between two heartbeats
	lastProbe    atomic.Int64 // when the service was probed last
	writingSince atomic.Int64 // when the write in progress began
	lastWritten  atomic.Int64 // when the last write ended

	keepalive *time.Timer // guarded by the Conn's lock
}

// checkLiveness does what is due, and schedules itself for when the next thing is.
func (c *Conn) checkLiveness() {
	now, limits := c.now(), c.opts
	quiet, signOn := int64(c.longestSilence()), int64(limits.SignOn)
	idle, silent, stuck := c.lastWritten.Load()+int64(limits.Heartbeat), now+quiet, now+int64(limits.Timeout)
	since, asked := c.readingSince.Load(), c.lastProbe.Load()
	switch {
	case since != 0 && asked > since:
		silent = asked + signOn
	case since != 0:
		silent = since + quiet
	}
	if writing := c.writingSince.Load(); writing != 0 { // the write takes the place of a heartbeat
		stuck = writing + int64(limits.Timeout)
		idle = now + int64(limits.Heartbeat)
	}
	switch {
	case stuck <= now:
		c.die(fmt.Errorf("a frame could not be written within %v", limits.Timeout))
	case silent <= now && asked > since:
		c.die(fmt.Errorf("nothing received for %v, not even after a probe", time.Duration(now-since).Round(100*time.Millisecond)))
	case silent <= now:
		c.writeAndCheck(min(signOn, int64(limits.Timeout)), c.probe)
	case idle <= now:
		c.writeAndCheck(min(int64(limits.Heartbeat), int64(limits.Timeout), silent-now), c.heartbeat)
	default:
		c.checkAfter(min(idle, silent, stuck) - now)
	}
}

// writeAndCheck writes, and checks liveness again after a delay in nanoseconds, or sooner
// if another goroutine was writing.
func (c *Conn) writeAndCheck(after int64, write func() bool) {
	c.checkAfter(after) // first, so that a write that hangs is noticed
	if !write() {
		c.checkAfter(int64(time.Second))
	}
}

// longestSilence returns how long the service may be silent before it is probed.
func (c *Conn) longestSilence() time.Duration {
	if c.opts.Silence > 0 {
		return c.opts.Silence
	}
	beat := usualBeat
	if theirs := time.Duration(c.beatInterval.Load()); theirs != 0 {
		beat = max(shortestBeat, theirs)
	}
	return beat + beat/4
}

// readBegins records that a read has begun. Another goroutine may continue it.
func (c *Conn) readBegins() {
	if c.readingSince.Load() == 0 {
		c.readingSince.Store(c.now())
	}
}

// readEnds records that n bytes arrived. No read begins until they are delivered, so a
// slow handler of ours does not look like silence of the service.
func (c *Conn) readEnds(n int) {
	if n > 0 {
		c.lastHeard.Store(c.now())
		c.readingSince.Store(0)
	}
}

// noteBeat learns the interval of the service's heartbeats.
func (c *Conn) noteBeat() {
	now := c.now()
	if before := c.lastBeat.Swap(now); before != 0 {
		if beat := c.beatInterval.Load(); beat == 0 || now-before < beat {
			c.beatInterval.Store(now - before)
		}
	}
}

// leastDoubt is how long a request must have waited before its missing answer counts as
// a sign.
const leastDoubt = time.Second

// doubt judges the connection after a request got no answer. If nothing else has arrived
// since it was sent, then our own timeout ends the connection, and a caller that gave up
// earlier causes a probe.
func (c *Conn) doubt(sent *call) {
	waited := time.Duration(c.now() - sent.at)
	since := c.readingSince.Load()
	switch {
	case since == 0 || c.lastHeard.Load() > sent.at:
	case waited >= c.opts.Timeout:
		c.die(fmt.Errorf("nothing received for %v, nor an answer to %s", waited.Round(100*time.Millisecond), message.Name(sent.req.PayloadType())))
	case waited >= leastDoubt && c.lastProbe.Load() <= since:
		c.writeAndCheck(int64(c.opts.SignOn), c.probe)
	}
}

// checkAfter schedules checkLiveness after a delay in nanoseconds.
func (c *Conn) checkAfter(after int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.keepalive.Reset(time.Duration(after))
	}
}

// heartbeat sends a heartbeat, outside all limits. It returns false if another goroutine
// is writing.
func (c *Conn) heartbeat() bool {
	return c.tryWrite(func() error { return c.put(message.TypeHeartbeatEvent, nil, "", c.now()) })
}

// probe sends the cheapest request. No one waits for its answer: anything that arrives
// proves that the service is alive. It returns false if another goroutine is writing.
func (c *Conn) probe() bool {
	return c.tryWrite(func() error {
		payload, err := c.encode(&message.VersionReq{})
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.lastID++
		id := c.lastID
		c.mu.Unlock()
		now := c.now()
		c.lastProbe.Store(now)
		return c.put(message.TypeVersionReq, payload, strconv.FormatUint(id, 10), now)
	})
}

// tryWrite writes, unless another goroutine is writing.
func (c *Conn) tryWrite(write func() error) bool {
	select {
	case c.writeLock <- struct{}{}:
	default:
		return false
	}
	defer func() { <-c.writeLock }()
	if err := write(); err != nil {
		c.die(err)
	}
	return true
}
