package openapi

import (
	"fmt"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// pulse.go owns what happens when nothing happens: heartbeats, and the end of a
// connection on which nothing comes or goes. It is one timer, which costs
// neither reads nor writes more than noting the time.

// beat looks at what is due, and comes again when the next thing is.
func (c *Conn) beat() {
	now, limits := c.now(), c.opts
	idle, silent, stuck := c.wrote.Load()+int64(limits.Heartbeat), now+int64(limits.Silence), now+int64(limits.Timeout)
	if since := c.waiting.Load(); since != 0 {
		silent = since + int64(limits.Silence)
	}
	since := c.writing.Load()
	if since != 0 { // whoever writes is as good as a heartbeat
		stuck = since + int64(limits.Timeout)
		idle = now + int64(limits.Heartbeat)
	}
	switch {
	case silent <= now:
		c.die(fmt.Errorf("nothing came for %v", limits.Silence))
		return
	case stuck <= now:
		c.die(fmt.Errorf("a frame could not be written within %v", limits.Timeout))
		return
	case idle <= now:
		// Reset first: if the write hangs, somebody has to notice.
		c.again(min(int64(limits.Heartbeat), int64(limits.Timeout), silent-now))
		if !c.heartbeat() {
			c.again(int64(time.Second))
		}
		return
	}
	c.again(min(idle, silent, stuck) - now)
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
	select {
	case c.turn <- struct{}{}:
	default:
		return false
	}
	defer func() { <-c.turn }()
	if err := c.put(message.TypeHeartbeatEvent, nil, ""); err != nil {
		c.die(err)
	}
	return true
}
