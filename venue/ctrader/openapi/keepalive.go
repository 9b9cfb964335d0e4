package openapi

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// keepalive.go owns what happens when nothing happens: heartbeats, and the end of a
// connection on which nothing comes or goes. It is one timer, which costs reads and
// writes no more than noting the time.

// usualBeat is taken for the time between two heartbeats of the service until two
// were heard; shortestBeat bounds what is learned from two that came at once.
const (
	usualBeat    = 30 * time.Second
	shortestBeat = 5 * time.Second
)

// liveness is what is known of the other side's life. Times are as now counts; 0 is
// "not now", or "never".
type liveness struct {
	readingSince atomic.Int64 // since when somebody reads and nothing comes
	lastHeard    atomic.Int64 // when something came last
	lastBeat     atomic.Int64 // when a heartbeat came last
	beatInterval atomic.Int64 // the shortest time between two of them
	lastProbe    atomic.Int64 // when the service was asked whether it is there
	writingSince atomic.Int64 // when the write under way began
	lastWritten  atomic.Int64 // when the last one ended

	keepalive *time.Timer // guarded by the Conn's lock
}

// checkLiveness looks at what is due, and comes again when the next thing is.
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
	if writing := c.writingSince.Load(); writing != 0 { // a write is as good as a heartbeat
		stuck = writing + int64(limits.Timeout)
		idle = now + int64(limits.Heartbeat)
	}
	switch {
	case stuck <= now:
		c.die(fmt.Errorf("a frame could not be written within %v", limits.Timeout))
	case silent <= now && asked > since:
		c.die(fmt.Errorf("nothing came for %v, not even when asked for", time.Duration(now-since).Round(100*time.Millisecond)))
	case silent <= now:
		c.writeAndCheck(min(signOn, int64(limits.Timeout)), c.probe)
	case idle <= now:
		c.writeAndCheck(min(int64(limits.Heartbeat), int64(limits.Timeout), silent-now), c.heartbeat)
	default:
		c.checkAfter(min(idle, silent, stuck) - now)
	}
}

// writeAndCheck writes and checks again after a time, sooner if another was writing.
func (c *Conn) writeAndCheck(after int64, write func() bool) {
	c.checkAfter(after) // first: if the write hangs, somebody has to notice
	if !write() {
		c.checkAfter(int64(time.Second))
	}
}

// longestSilence is how long nothing may come before the service is asked.
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

// readBegins notes that somebody reads. Another may take over meanwhile.
func (c *Conn) readBegins() {
	if c.readingSince.Load() == 0 {
		c.readingSince.Store(c.now())
	}
}

// readEnds notes that something came. Until that is handed out no read begins, so that
// a slow handler of ours is not taken for the service's silence.
func (c *Conn) readEnds(n int) {
	if n > 0 {
		c.lastHeard.Store(c.now())
		c.readingSince.Store(0)
	}
}

// noteBeat learns how often the service sends a heartbeat.
func (c *Conn) noteBeat() {
	now := c.now()
	if before := c.lastBeat.Swap(now); before != 0 {
		if beat := c.beatInterval.Load(); beat == 0 || now-before < beat {
			c.beatInterval.Store(now - before)
		}
	}
}

// leastDoubt is how long a request has to have waited to say anything.
const leastDoubt = time.Second

// doubt looks at the connection after a request that got no answer. If nothing else
// came since it was sent either, a timeout of ours is reason enough to give the
// connection up, and a caller that gave up sooner is one to probe it.
func (c *Conn) doubt(sent *call) {
	waited := time.Duration(c.now() - sent.at)
	since := c.readingSince.Load()
	switch {
	case since == 0 || c.lastHeard.Load() > sent.at:
	case waited >= c.opts.Timeout:
		c.die(fmt.Errorf("nothing came for %v, nor an answer to %s", waited.Round(100*time.Millisecond), message.Name(sent.req.PayloadType())))
	case waited >= leastDoubt && c.lastProbe.Load() <= since:
		c.writeAndCheck(int64(c.opts.SignOn), c.probe)
	}
}

// checkAfter has checkLiveness run after a time.
func (c *Conn) checkAfter(after int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.keepalive.Reset(time.Duration(after))
	}
}

// heartbeat sends one, past all limits. It is false if another is writing.
func (c *Conn) heartbeat() bool {
	return c.tryWrite(func() error { return c.put(message.TypeHeartbeatEvent, nil, "", c.now()) })
}

// probe sends the cheapest request, whose answer nobody waits for: anything that comes
// will do. It is false if another is writing.
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

// tryWrite writes unless another is writing.
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
