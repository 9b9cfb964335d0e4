package socket

import (
	"encoding/json"

	"github.com/venuekey/venuekey/venue/internal/link"
)

// pending.go owns the requests that were sent and wait for their answers.

// calls are the requests of a Conn.
type calls struct {
	writeLock chan struct{} // holds one while somebody writes

	// Guarded by the Conn's lock.
	pending map[int64]*call // nil once the Conn has ended
	lastID  int64           // no id is given twice, not even that of an abandoned request
	split   int64           // the user sync whose answer comes in parts; 0 for none
}

// call is a request that was sent.
type call struct {
	id       int64
	endpoint string
	at       int64 // when it was sent, as the Conn's now has it
	split    bool
	permit   link.Permit
	// answered, unless nil, hears of a good answer before anything that came after it
	// is read.
	answered func(json.RawMessage)
	result   chan result // has room for one
}

// result is what became of it.
type result struct {
	data json.RawMessage
	err  error
}

// register gives a call its id and has it wait. It is false if the Conn has ended.
func (c *Conn) register(sent *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending == nil {
		return false
	}
	c.lastID++
	sent.id = c.lastID
	c.pending[sent.id] = sent
	return true
}

// take removes a call from those that wait; nil if it does not.
func (c *Conn) take(id int64) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := c.pending[id]
	delete(c.pending, id)
	if sent != nil && sent.split {
		c.split = id
	}
	return sent
}

// isPart reports whether an answer with the id of no request that waits is a further part
// of one that came in parts.
func (c *Conn) isPart(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return id != 0 && id == c.split
}
