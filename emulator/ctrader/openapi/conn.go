package openapi

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// conn.go owns one connection: its life, its timers, and the errors that are sent before a
// message is interpreted.

const (
	patience  = 5 * time.Second        // with a client that does not read
	lastWords = 500 * time.Millisecond // for a client to read the last message and close
)

type conn struct {
	s         *Server
	number    int
	live      bool
	json      bool
	webSocket bool
	stream    *stream
	wire      wire
	out       *outbox
	emptied   chan struct{} // closed when the outbox has sent its last
	helpers   sync.WaitGroup

	// Guarded by Server.mu, as are all sessions.
	start     time.Time
	lastHeard time.Time
	nudge     chan struct{} // knobs were changed
	app       string        // client id, once authorised
	accounts  map[int64]*session
	rate      window
	history   window
	ended     string // why it must end; empty while it need not
}

// open registers the connection with the server.
func (c *conn) open() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.connCount++
	c.number = c.s.connCount
	c.start = time.Now()
	c.lastHeard = c.start
	c.nudge = make(chan struct{}, 1)
	c.s.conns[c] = true
	c.log(Event{Kind: Connected})
}

func (c *conn) close() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	delete(c.s.conns, c)
	c.s.kicked()
	why := c.ended
	if why == "" {
		why = "by the client"
	}
	c.log(Event{Kind: Disconnected, Client: c.app, Detail: why})
}

// serve answers until the connection ends.
func (c *conn) serve() {
	done := make(chan struct{})
	c.emptied = make(chan struct{})
	c.helpers.Go(func() { defer close(c.emptied); c.empty() })
	c.helpers.Go(func() { c.watch(done) })
	for !c.isEnding() {
		body, err := c.wire.read(c.s.knobs().MaxFrame)
		if err != nil {
			if errors.Is(err, errTooLong) {
				c.s.mu.Lock()
				c.refuse(refusal{code: "FRAME_TOO_LONG", end: "a message was too long"}, message.Envelope{}, nil)
				c.s.mu.Unlock()
				break
			}
			c.finish("by the client")
			break
		}
		c.heard()
		c.take(body)
	}
	// If a TCP connection is closed with bytes unread, what it has sent may be lost, so
	// read on until the client has seen the last message (RFC 1122 §4.2.2.13).
	c.wire.drain()
	<-c.emptied
	close(done)
	c.stream.Close()
	c.helpers.Wait()
}

func (c *conn) isEnding() bool {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.ended != ""
}

func (c *conn) heard() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.lastHeard = time.Now()
}

// finish ends the connection once everything queued has been sent.
func (c *conn) finish(why string) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.finishLocked(why)
}

func (c *conn) finishLocked(why string) {
	if c.ended != "" {
		return
	}
	c.ended = why
	c.accounts = make(map[int64]*session)
	c.out.put(parcel{last: true})
	c.stream.SetWriteDeadline(time.Now().Add(patience))
}

// watch sends heartbeats, and ends the connection when its time is up.
func (c *conn) watch(done <-chan struct{}) {
	beat := c.start
	for {
		k := c.s.knobs()
		if k.Heartbeat > 0 && time.Since(beat) >= k.Heartbeat {
			beat = time.Now()
			c.s.mu.Lock()
			c.send(&message.HeartbeatEvent{})
			c.s.mu.Unlock()
		}
		wait := c.cutOff(k)
		if wait <= 0 {
			return
		}
		if k.Heartbeat > 0 {
			wait = min(wait, k.Heartbeat-time.Since(beat))
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-c.nudge:
		case <-done:
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// cutOff returns how long the connection may continue at most, and ends it if its time is
// up.
func (c *conn) cutOff(k Knobs) time.Duration {
	if c.muted() {
		return time.Minute
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	wait := time.Minute
	if k.Idle > 0 {
		wait = min(wait, k.Idle-time.Since(c.lastHeard))
	}
	if k.Unauthenticated > 0 && c.app == "" {
		wait = min(wait, k.Unauthenticated-time.Since(c.start))
	}
	if wait <= 0 {
		c.finishLocked("time was up")
	}
	return wait
}

// take decodes one envelope and handles it.
func (c *conn) take(body []byte) {
	var e message.Envelope
	var err error
	if c.json {
		err = e.UnmarshalJSON(body)
	} else {
		err = e.UnmarshalBinary(body)
	}
	if err != nil {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.refuse(refusal{code: invalidRequest, text: c.malformed(body, err), end: "a message was malformed"}, e, nil)
		return
	}
	c.handle(e)
}

// malformed returns the position of the error, as line and column.
func (c *conn) malformed(body []byte, err error) string {
	where := (*message.DecodeError)(nil)
	if !c.json || !errors.As(err, &where) || where.Offset < 0 {
		return "Malformed message"
	}
	line, column := 1, 1
	for _, b := range body[:min(where.Offset, len(body))] {
		column++
		if b == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("Malformed JSON message at %d:%d", line, column)
}

// reply queues an answer. The caller holds the lock.
func (c *conn) reply(m message.Message, id string, f *Fault) {
	c.out.put(parcel{body: c.encode(m, id), fault: f})
}

// send queues an unsolicited message. The caller holds the lock.
func (c *conn) send(m message.Message) {
	f := c.s.faults.ofEvent(m.PayloadType())
	c.logFault(f, m.PayloadType())
	c.reply(m, "", f)
}

// log adds an event about this connection.
func (c *conn) log(e Event) {
	e.At, e.Conn, e.Live, e.JSON, e.WebSocket = c.s.now(), c.number, c.live, c.json, c.webSocket
	c.s.log.add(e)
}

func (c *conn) logFault(f *Fault, t message.PayloadType) {
	if f != nil {
		c.log(Event{Kind: FaultInjected, Type: t, Detail: string(f.Kind)})
	}
}
