package openapi

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// pending.go owns the requests in flight.

// calls are the requests of a Conn.
type calls struct {
	// try is the method value once, stored because creating one allocates.
	try func(context.Context, message.Message) (message.Message, error)

	writeLock chan struct{} // full while a goroutine writes
	payload   []byte        // belongs to the holder of writeLock

	// Guarded by the Conn's lock.
	only    *call            // a call in flight, most often the only one
	pending map[uint64]*call // the others
	lastID  uint64

	spare atomic.Pointer[call] // a finished call, for reuse
}

// call is a request that was sent.
type call struct {
	id     uint64
	req    message.Message
	at     int64         // when it was sent, as Conn.now counts
	within time.Duration // how long its answer may take
	alone  bool          // no other call was in flight when it was sent
	permit link.Permit   // its slot of the pace
	result chan result   // has room for one
}

// result is the outcome of a call.
type result struct {
	answer message.Message
	err    error
}

// due returns when the call times out.
func (sent *call) due() int64 { return sent.at + int64(sent.within) }

// register assigns an ID to a call and adds it to those in flight. It returns false if
// the Conn has ended.
func (c *Conn) register(sent *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.lastID++
	sent.id, sent.alone = c.lastID, c.only == nil && len(c.pending) == 0
	if c.only == nil {
		c.only = sent
	} else {
		c.pending[sent.id] = sent
	}
	return true
}

// callByID returns the call in flight with an ID, or nil if there is none. c is locked.
func (c *Conn) callByID(id uint64) *call {
	if c.only != nil && c.only.id == id {
		return c.only
	}
	return c.pending[id]
}

// forget removes a call from those in flight. c is locked.
func (c *Conn) forget(sent *call) {
	if c.only == sent {
		c.only = nil
	} else {
		delete(c.pending, sent.id)
	}
}
