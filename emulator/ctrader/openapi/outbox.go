package openapi

import (
	"slices"
	"sync"
	"time"
)

// outbox.go owns what a connection sends: a queue, so that nobody waits for a slow
// client, and the faults on the way out of it.

// mostWaiting is how many messages a client may leave unread.
const mostWaiting = 20_000

// outbox is the queue of one connection. Messages go out in the order in which
// they were put in, but for what faults do to it.
type outbox struct {
	mu     sync.Mutex
	ready  chan struct{} // has room for one
	queue  []parcel
	mute   bool // nothing goes out any more
	closed bool // nothing comes in any more
}

type parcel struct {
	body  []byte
	fault *Fault
	last  bool // there is none after it; say goodbye
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

// empty writes what is put in, until the last parcel.
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

// bye takes its time only where somebody could still be listening.
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

// write sends one message. A client that is gone is found out by the reader.
func (c *conn) write(body []byte) {
	if !c.muted() && c.wire.write(body) != nil {
		c.mute()
		c.stream.Close()
	}
}

// deliver sends one message, or what a fault makes of it.
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

// mangle leaves the message whole and does something to its bytes.
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
		defer c.stream.abort() // a short message is no way out
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

// garbled is a body that is no message in either form: a group that never was
// opened ends, a text is cut off.
func garbled(body []byte) []byte {
	if len(body) > 1 && body[0] == '{' {
		return body[:len(body)-1]
	}
	return slices.Concat([]byte{0x0c, 0xff}, body)
}
