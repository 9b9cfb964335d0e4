package openapi

import (
	"slices"
	"sync"
	"time"
)

// outbox.go owns what a connection sends: a queue, so that a slow client holds up no one
// else, and the faults that strike as messages leave it.

// mostWaiting is how many messages a client may leave unread.
const mostWaiting = 20_000

// outbox is the queue of one connection. Messages are sent in the order in which they were
// added, unless a fault changes it.
type outbox struct {
	mu     sync.Mutex
	ready  chan struct{} // has room for one
	queue  []parcel
	mute   bool // nothing is sent any more
	closed bool // nothing is added any more
}

type parcel struct {
	body  []byte
	fault *Fault
	last  bool // none follows: say goodbye
}

func newOutbox() *outbox { return &outbox{ready: make(chan struct{}, 1)} }

func (o *outbox) put(p parcel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || len(o.queue) >= mostWaiting {
		return
	}
	o.closed = p.last
	o.queue = append(o.queue, p)
	wake(o.ready)
}

func (o *outbox) take() []parcel {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.queue
	o.queue = nil
	return all
}

// empty writes what is added, until the last parcel.
func (c *conn) empty() {
	var swapped *parcel
	for {
		<-c.out.ready
		for _, p := range c.out.take() {
			if p.last {
				c.bye()
				return
			}
			if p.fault != nil && p.fault.Kind == Swap && swapped == nil {
				swapped = &p
				continue
			}
			c.deliver(p)
			if swapped != nil {
				c.write(swapped.body)
				swapped = nil
			}
		}
	}
}

// bye says goodbye, and waits only if a client may still be reading.
func (c *conn) bye() {
	if c.muted() {
		c.stream.Close()
		return
	}
	c.stream.SetWriteDeadline(time.Now().Add(patience))
	c.wire.bye()
	c.stream.SetReadDeadline(time.Now().Add(lastWords))
}

func (c *conn) muted() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.mute
}

func (c *conn) mute() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.mute = true
}

// write sends one message. The reading goroutine notices if the client is gone.
func (c *conn) write(body []byte) {
	if !c.muted() && c.wire.write(body) != nil {
		c.mute()
		c.stream.Close()
	}
}

// deliver sends one message, or what a fault turns it into.
func (c *conn) deliver(p parcel) {
	if p.fault == nil {
		c.write(p.body)
		return
	}
	switch f := p.fault; f.Kind {
	case Drop:
	case Twice:
		c.write(p.body)
		c.write(p.body)
	case Late:
		c.later(f.Delay, p.body)
	case Silence:
		c.mute()
	case HalfClose:
		c.mute()
		c.stream.closeWrite()
	case Garbage:
		c.write(garbled(p.body))
	case Oversize:
		c.stream.Write(c.wire.huge())
		c.mute()
	default:
		c.mangle(f, p.body)
	}
}

// mangle applies a fault that affects how the bytes of a message are sent.
func (c *conn) mangle(f *Fault, body []byte) {
	switch f.Kind {
	case OneByte:
		c.stream.order(func(s *stream) { s.oneByte = true })
		defer c.stream.order(func(s *stream) { s.oneByte = false })
	case Coalesce:
		c.stream.order(func(s *stream) { s.holding = true })
		defer c.stream.order(func(s *stream) { s.holding = false })
	case CloseAt:
		c.stream.order(func(s *stream) { s.cut, s.left = true, f.Bytes })
		defer c.stream.abort() // also if the message is shorter than that
	}
	c.write(body)
}

func (c *conn) later(d time.Duration, body []byte) {
	c.helpers.Go(func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			c.out.put(parcel{body: body})
		case <-c.emptied:
		}
	})
}

// garbled returns a body that is not a message in either encoding: it ends a group that was
// never opened, or has a string that is cut off.
func garbled(body []byte) []byte {
	if len(body) > 1 && body[0] == '{' {
		return body[:len(body)-1]
	}
	return slices.Concat([]byte{0x0c, 0xff}, body)
}
