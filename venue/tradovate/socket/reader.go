package socket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/internal/foreign"
)

// reader.go owns what comes: frames, and to whom what is in them goes.

// idleRoom is the longest room that is kept for the next frame, in bytes.
const idleRoom = 1 << 16

// CloseError is a connection that the venue closed.
type CloseError struct {
	Code   int
	Reason string
}

// Error implements error.
func (e *CloseError) Error() string {
	return fmt.Sprintf("the venue closed it with code %d %q", e.Code, e.Reason)
}

// read reads until the end.
func (c *Conn) read() {
	var room bytes.Buffer
	arriving := arrival{conn: c}
	limited := io.LimitedReader{R: &arriving}
	c.ws.SetReadLimit(-1) // from here on this keeps to MaxFrame
	for {
		if room.Cap() > idleRoom {
			room = bytes.Buffer{} // one long frame is no reason to keep its room
		}
		room.Reset()
		_, r, err := c.ws.Reader(context.Background())
		if err == nil {
			arriving.frame, limited.N = r, int64(c.opts.MaxFrame)+1
			_, err = room.ReadFrom(&limited)
		}
		if err == nil && room.Len() > c.opts.MaxFrame {
			if err = c.oversized(room.Bytes(), &arriving); err == nil {
				continue
			}
		}
		if err != nil {
			c.die(c.ending(err))
			return
		}
		c.busy.Store(true)
		err = c.frame(room.Bytes())
		c.busy.Store(false)
		if err != nil {
			c.die(err)
			return
		}
	}
}

// arrival notes that a frame arrives, which over a slow line takes longer than Silence.
type arrival struct {
	conn  *Conn
	frame io.Reader
}

func (a *arrival) Read(b []byte) (int, error) {
	n, err := a.frame.Read(b)
	if n > 0 {
		a.conn.lastHeard.Store(a.conn.now())
	}
	return n, err
}

// ending is why a read failed.
func (c *Conn) ending(err error) error {
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return &CloseError{int(closed.Code), foreign.LineWithout(closed.Reason, c.secrets()...)}
	}
	return err
}

// frame handles one.
func (c *Conn) frame(frame []byte) error {
	if len(frame) == 0 {
		return fmt.Errorf("%w: it is empty", errFrame)
	}
	switch frame[0] {
	case 'o':
		return nil
	case 'h':
		c.quiet.Store(0) // it sends them after all
		return nil
	case 'a':
		c.lastSaid.Store(c.lastHeard.Load())
		if !c.hub.wants(EventMarket) && c.hub.quick(c, frame[1:]) {
			c.quiet.Store(0)
			return nil
		}
		return messagesOf(frame[1:], c.said)
	case 'c':
		code, reason := closeOf(frame[1:])
		return &CloseError{code, foreign.LineWithout(reason, c.secrets()...)}
	}
	return errFrame
}

// said handles one message of a frame.
func (c *Conn) said(m said) {
	if m.event != "" || !m.hasID {
		c.quiet.Store(0)
		switch m.event {
		case EventShutdown:
			c.shutDown(m.data)
		case EventMarket, EventChart:
			c.hub.market(c, m.data)
		}
		c.hub.dispatch(c, Event{Kind: m.event}, m.data)
		return
	}
	sent := c.take(m.id)
	switch {
	case sent != nil:
		c.settle(sent, m)
	case c.isPart(m.id):
		c.hub.dispatch(c, Event{Kind: EventSnapshot}, m.data)
	default: // of a request that was abandoned
		c.opts.Log.Debug("an answer came too late", "id", m.id)
	}
}

// settle gives a call its answer.
func (c *Conn) settle(sent *call, m said) {
	sent.permit.Answered(c.lastHeard.Load())
	data := json.RawMessage(bytes.Clone(m.data))
	refused := verdict(sent.endpoint, m.status, data, c.secrets)
	if refused != nil {
		refused.Address = c.address
		sent.result <- result{data, refused}
		return
	}
	if sent.answered != nil {
		sent.answered(data)
	}
	sent.result <- result{data, nil}
}

// shutDown notes why the venue is about to close, and closes if it does not.
func (c *Conn) shutDown(data []byte) {
	reason := shutdownError(data, c.secrets())
	c.mu.Lock()
	c.farewell = reason
	c.mu.Unlock()
	c.expectEnd()
}
