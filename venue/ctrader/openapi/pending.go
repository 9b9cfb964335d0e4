package openapi

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// pending.go owns the requests that were sent and wait for their answers.

// calls are the requests of a Conn.
type calls struct {
	// try is once, kept because a method value costs an allocation.
	try func(context.Context, message.Message) (message.Message, error)

	writeLock chan struct{} // holds one while somebody writes
	payload   []byte        // belongs to whoever holds it

	// Guarded by the Conn's lock.
	only    *call            // the one that waits for an answer; most often there is one
	pending map[uint64]*call // and the others
	lastID  uint64

	spare atomic.Pointer[call] // one that has its result, to be used again
}

// call is a request that was sent.
type call struct {
	id     uint64
	req    message.Message
	at     int64         // when it was sent, since the connection's beginning of time
	within time.Duration // how long its answer may take
	alone  bool          // nobody else waited when it was sent
	permit link.Permit   // what it takes up of the pace
	result chan result   // has room for one
}

// result is what became of it.
type result struct {
	answer message.Message
	err    error
}

// due is when a call is given up.
func (sent *call) due() int64 { return sent.at + int64(sent.within) }

// register gives a call its ID and has it wait. It is false if the Conn has ended.
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

// callByID is the call with an ID that waits for its answer, nil if none does. c is
// locked.
func (c *Conn) callByID(id uint64) *call {
	if c.only != nil && c.only.id == id {
		return c.only
	}
	return c.pending[id]
}

// forget removes a call from those that wait. c is locked.
func (c *Conn) forget(sent *call) {
	if c.only == sent {
		c.only = nil
	} else {
		delete(c.pending, sent.id)
	}
}
