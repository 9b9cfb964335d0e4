package socket

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/stream"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// subscribe.go owns subscriptions to market data: who uses one, and how it begins, is
// restored and ends. What they carry is in feeds.go.

// topic is one thing to subscribe to.
type topic struct {
	feed     feed
	contract int64
	chart    string // its request; "" for all other feeds
}

// interest is a topic that somebody wants, or that has to be ended.
type interest struct {
	turn      chan struct{} // holds one while a subscription or its end is asked for
	users     int
	proved    bool  // the venue took it once, so it is to be restored
	confirmed bool  // on the connection of the moment
	doubtful  bool  // it was asked for there and nobody knows what became of it
	chart     int64 // the number under which it can be ended
}

// subscribed is a stream of a topic that hears of it before it subscribes. read makes what it
// carries of a part.
func subscribed[M any](ctx context.Context, c *Client, t topic, b []Buffer, read func(*part) (M, error)) (*Stream[M], error) {
	c.init()
	var room Buffer
	if len(b) > 0 {
		room = b[0]
	}
	var leaves []func()
	s, sender := stream.New[M](room, func() {
		for _, leave := range leaves {
			leave()
		}
	})
	_, raw := any(*new(M)).(json.RawMessage)
	listener := &partListener{topic: t, end: sender.End, raw: raw, deliver: func(p *part, stop <-chan struct{}) error {
		m, err := read(p)
		if err == nil {
			sender.Put(m, stop)
		}
		return err
	}}
	leaves = append(leaves, c.hub.wanted.Add(listener), c.hub.ends.Add(sender.End))
	i := c.join(t)
	leaves = append(leaves, sync.OnceFunc(func() { c.leave(t, i) }))
	if err := c.ensure(ctx, t, i); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// join counts a user of a topic.
func (c *Client) join(t topic) *interest {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.topics[t]
	if i == nil {
		i = &interest{turn: make(chan struct{}, 1)}
		if c.topics == nil {
			c.topics = map[topic]*interest{}
		}
		c.topics[t] = i
	}
	i.users++
	return i
}

// ensure subscribes, unless somebody did.
func (c *Client) ensure(ctx context.Context, t topic, i *interest) error {
	for lost := 0; ; {
		conn, err := c.ready(ctx, t.feed.subscribe)
		if err != nil {
			return err
		}
		err = c.subscribe(ctx, conn, t, i)
		var known *Error
		if !errors.As(err, &known) || !c.over(conn, known) || ctx.Err() != nil {
			return err
		}
		if known.Class != venuekey.ClassNotSent {
			if lost++; lost == mostLost {
				return err
			}
		}
		if err := c.pastConn(ctx, conn); err != nil {
			return c.notSent(t.feed.subscribe, err)
		}
	}
}

// subscribe asks for a topic on a connection, in turn.
func (c *Client) subscribe(ctx context.Context, conn *Conn, t topic, i *interest) error {
	select {
	case i.turn <- struct{}{}:
	case <-ctx.Done():
		return c.notSent(t.feed.subscribe, ctx.Err())
	}
	defer func() { <-i.turn }()
	c.mu.Lock()
	confirmed := i.confirmed && c.conn == conn
	c.mu.Unlock()
	if confirmed {
		return nil
	}
	var chart int64
	_, err := conn.do(ctx, t.request(), conn.opts.SignOn, func(data json.RawMessage) { chart = c.hub.begin(t, data) })
	c.mu.Lock()
	defer c.mu.Unlock()
	i.proved = i.proved || err == nil
	if c.conn == conn {
		i.confirmed, i.doubtful, i.chart = err == nil, link.ClassOf(err) == venuekey.ClassUnknown && err != nil, chart
	}
	return err
}

// restore subscribes anew on a connection that was just authorised. The error is one that
// ends it; a topic that the venue declines ends alone. One that was never taken is left to
// those who ask for it: it may be what ended the last connection.
func (c *Client) restore(ctx context.Context, conn *Conn) error {
	c.mu.Lock()
	due := map[topic]*interest{}
	for t, i := range c.topics {
		switch {
		case i.users > 0 && i.proved:
			due[t] = i
		case i.users == 0:
			delete(c.topics, t) // the connection that it was to end on is gone
		}
	}
	c.mu.Unlock()
	for t, i := range due {
		err := c.subscribe(ctx, conn, t, i)
		switch class := link.ClassOf(err); {
		case err == nil:
		case conn.Err() == nil && class == venuekey.ClassDeclined:
			conn.opts.Log.Warn("a subscription could not be restored", "error", err)
			c.hub.endPart(t, err)
		default:
			return err
		}
	}
	return nil
}

// leave gives a topic up, and has the venue end what nobody uses any more, in the
// background.
func (c *Client) leave(t topic, i *interest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i.users--
	conn := c.conn
	switch {
	case i.users > 0:
	case conn == nil || conn.Err() != nil || !i.confirmed && !i.doubtful: // a next connection begins without
		if c.topics[t] == i && len(i.turn) == 0 {
			delete(c.topics, t)
		}
	default:
		go c.unsubscribe(conn, t, i)
	}
}

// unsubscribe ends a topic unless somebody uses it again.
func (c *Client) unsubscribe(conn *Conn, t topic, i *interest) {
	ctx, cancel := context.WithTimeout(context.Background(), conn.opts.Timeout)
	defer cancel()
	select {
	case i.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-i.turn }()
	c.mu.Lock()
	used := i.users > 0 || c.conn != conn || !i.confirmed && !i.doubtful
	if !used {
		i.confirmed, i.doubtful = false, false
	}
	c.mu.Unlock()
	if used {
		return
	}
	_, err := conn.do(ctx, t.end(i.chart), conn.opts.SignOn, func(json.RawMessage) { c.hub.forgetChart(t) })
	if err != nil && !errors.Is(err, ErrClosed) && conn.Err() == nil {
		conn.opts.Log.Warn("a subscription could not be ended", "error", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i.users == 0 && c.topics[t] == i {
		delete(c.topics, t)
	}
}

// request asks for a topic.
func (t topic) request() Request {
	body := map[string]any{"symbol": t.contract}
	if t.feed == charts {
		var chart map[string]json.RawMessage
		_ = json.Unmarshal([]byte(t.chart), &chart) // it was made here
		for key, value := range chart {
			body[key] = value
		}
	}
	return Request{Endpoint: t.feed.subscribe, Body: body}
}

// end asks for its end.
func (t topic) end(chart int64) Request {
	if t.feed == charts {
		return Request{Endpoint: t.feed.unsubscribe, Body: map[string]int64{"subscriptionId": chart}}
	}
	return Request{Endpoint: t.feed.unsubscribe, Body: map[string]int64{"symbol": t.contract}}
}
