package openapi

import (
	"fmt"
	"strconv"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// pulse.go owns what happens when nothing happens: heartbeats, and the end of a
// connection on which nothing comes or goes. It is one timer, which costs
// neither reads nor writes more than noting the time.

// usualBeat is taken for the time between two heartbeats of the service until two
// were heard; shortestBeat bounds what is learned from two that came at once.
const (
	usualBeat    = 30 * time.Second
	shortestBeat = 5 * time.Second
)

// beat looks at what is due, and comes again when the next thing is.
func (c *Conn) beat() {
	now, limits := c.now(), c.opts
	quiet, patience := int64(c.quiet()), int64(limits.SignOn)
	idle, silent, stuck := c.wrote.Load()+int64(limits.Heartbeat), now+quiet, now+int64(limits.Timeout)
	since, asked := c.waiting.Load(), c.asked.Load()
	switch {
	case since != 0 && asked > since:
		silent = asked + patience
	case since != 0:
		silent = since + quiet
	}
	if writing := c.writing.Load(); writing != 0 { // whoever writes is as good as a heartbeat
		stuck = writing + int64(limits.Timeout)
		idle = now + int64(limits.Heartbeat)
	}
	switch {
	case stuck <= now:
		c.die(fmt.Errorf("a frame could not be written within %v", limits.Timeout))
	case silent <= now && asked > since:
		c.die(fmt.Errorf("nothing came for %v, not even when asked for", time.Duration(now-since).Round(100*time.Millisecond)))
	case silent <= now:
		c.say(min(patience, int64(limits.Timeout)), c.ask)
	case idle <= now:
		c.say(min(int64(limits.Heartbeat), int64(limits.Timeout), silent-now), c.heartbeat)
	default:
		c.again(min(idle, silent, stuck) - now)
	}
}

// say writes, and looks again after a time, sooner if somebody was about to write.
func (c *Conn) say(after int64, write func() bool) {
	c.again(after) // first: if the write hangs, somebody has to notice
	if !write() {
		c.again(int64(time.Second))
	}
}

// quiet is how long nothing may come before the service is asked.
func (c *Conn) quiet() time.Duration {
	if c.opts.Silence > 0 {
		return c.opts.Silence
	}
	beat := usualBeat
	if theirs := time.Duration(c.theirs.Load()); theirs != 0 {
		beat = max(shortestBeat, theirs)
	}
	return beat + beat/4
}

// listens notes that something is read. Who reads may change meanwhile.
func (c *Conn) listens() {
	if c.waiting.Load() == 0 {
		c.waiting.Store(c.now())
	}
}

// hears notes that something came. Until it is handed out nobody listens, so that
// a slow reader of ours is not taken for their silence.
func (c *Conn) hears(n int) {
	if n > 0 {
		c.heard.Store(c.now())
		c.waiting.Store(0)
	}
}

// theirBeat learns how often the service sends a heartbeat.
func (c *Conn) theirBeat() {
	now := c.now()
	if before := c.beaten.Swap(now); before != 0 {
		if beat := c.theirs.Load(); beat == 0 || now-before < beat {
			c.theirs.Store(now - before)
		}
	}
}

// leastDoubt is how long a request has to have waited to say anything.
const leastDoubt = time.Second

// doubt is told of a request that got no answer. If nothing else came since it was
// sent either, a timeout of ours is reason enough to give the connection up, and a
// caller who lost patience sooner one to ask.
func (c *Conn) doubt(sent *call) {
	waited := time.Duration(c.now() - sent.at)
	since := c.waiting.Load()
	switch {
	case since == 0 || c.heard.Load() > sent.at:
	case waited >= c.opts.Timeout:
		c.die(fmt.Errorf("nothing came for %v, nor an answer to %s", waited.Round(100*time.Millisecond), message.Name(sent.req.PayloadType())))
	case waited >= leastDoubt && c.asked.Load() <= since:
		c.say(int64(c.opts.SignOn), c.ask)
	}
}

func (c *Conn) again(after int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.pulse.Reset(time.Duration(after))
	}
}

// heartbeat sends one, past all limits. It is false if somebody is about to
// write just now.
func (c *Conn) heartbeat() bool {
	return c.aside(func() error { return c.put(message.TypeHeartbeatEvent, nil, "", c.now()) })
}

// ask sends the cheapest request, for which nobody waits: whatever comes will do.
// It is false if it would be one too many just now.
func (c *Conn) ask() bool {
	return c.aside(func() error {
		payload, err := c.encode(&message.VersionReq{})
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.lastID++
		id := c.lastID
		c.mu.Unlock()
		now := c.now()
		c.asked.Store(now)
		return c.put(message.TypeVersionReq, payload, strconv.FormatUint(id, 10), now)
	})
}

// aside writes if nobody else is about to.
func (c *Conn) aside(write func() error) bool {
	select {
	case c.turn <- struct{}{}:
	default:
		return false
	}
	defer func() { <-c.turn }()
	if err := write(); err != nil {
		c.die(err)
	}
	return true
}
