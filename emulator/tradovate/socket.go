package tradovate

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/emulator"
)

// socket.go owns the life of one WebSocket: its handshake, its frames, its heartbeats
// and its end (Tradovate facts §5).

// AtSocket names the handshake of a WebSocket to faults of HTTP.
const AtSocket emulator.Endpoint = "websocket"

// The events of WebSockets.
const (
	SocketOpened     emulator.EventKind = "socket-opened"
	SocketAuthorized emulator.EventKind = "socket-authorized"
	SocketRefused    emulator.EventKind = "socket-refused" // authorize was
	SocketClosed     emulator.EventKind = "socket-closed"  // by the venue
)

const (
	mostUnread = 4096             // how many frames a client may leave unread
	longestOne = 1 << 20          // of a client's messages, in bytes
	patience   = 10 * time.Second // how long one write may take
	lookEvery  = time.Second      // at limits of time
)

// socket is one connection. The handler's goroutine reads it, tend writes it.
type socket struct {
	server  *Server
	ws      *websocket.Conn
	host    host
	address string
	out     chan []byte
	end     func()        // its life
	stalled chan struct{} // closed when nothing is read any more

	mu      sync.Mutex
	opened  time.Time // by the wall clock, like all times here
	heard   time.Time
	pair    emulator.Pair // the token that authorised it; empty before
	muted   bool
	closing *closing
	sync    *syncRequest
	topics  map[topic]int64 // to the number of the subscription
	tickets map[string]socketTicket
}

// closing is how a socket is to end once what waits is written.
type closing struct {
	code   int
	reason string
}

// host is where a request came to.
type host struct {
	env    environment
	market bool
}

// serveSocket serves a WebSocket for as long as it lives.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, at host) {
	k := s.Current().filled()
	if k.Socket.Misdirected || k.MovedTo != "" {
		w.WriteHeader(http.StatusMisdirectedRequest)
		return
	}
	if !s.sockets.enter() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer s.sockets.running.Done()
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	ws.SetReadLimit(longestOne)
	// The request's context is of no use: the connection was taken from it.
	ctx, end := context.WithCancel(context.Background())
	defer end()
	now := time.Now()
	c := &socket{
		server: s, ws: ws, host: at, address: address(r), end: end, opened: now, heard: now,
		out: make(chan []byte, mostUnread), stalled: make(chan struct{}), topics: map[topic]int64{}, tickets: map[string]socketTicket{},
	}
	s.sockets.add(c)
	defer s.sockets.remove(c)
	s.core.Record(emulator.Event{Kind: SocketOpened, Detail: at.String()})
	var tending sync.WaitGroup
	tending.Go(func() { c.tend(ctx) })
	c.put([]byte("o"))
	c.read(ctx)
	end()
	tending.Wait()
	_ = ws.CloseNow()
}

// String is the host's name.
func (h host) String() string {
	switch {
	case h.market:
		return "market data"
	case h.env == live:
		return "live"
	}
	return "demo"
}

// read takes what the client sends until the end, or until the socket stalls.
func (c *socket) read(ctx context.Context) {
	for {
		kind, text, err := c.ws.Read(ctx)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.heard = time.Now()
		c.mu.Unlock()
		switch {
		case string(text) == "[]":
		case kind != websocket.MessageText || !c.request(string(text)):
			c.finish("Bye") // as was seen after garbage
		}
		select {
		case <-c.stalled:
			<-ctx.Done()
			return
		default:
		}
	}
}

// put has a frame sent. A client that leaves too many unread is cut off.
func (c *socket) put(frame []byte) {
	select {
	case c.out <- frame:
	default:
		c.end()
	}
}

// tell sends messages in one frame.
func (c *socket) tell(messages ...any) {
	text, err := json.Marshal(messages)
	if err != nil {
		panic(err) // a mistake in the emulator
	}
	c.put(append([]byte("a"), text...))
}

// tend writes what is put, and does what is due.
func (c *socket) tend(ctx context.Context) {
	defer c.end()
	k := c.server.Current().filled().Socket
	beat, stopBeat := ticker(k.Heartbeat)
	defer stopBeat()
	quote, stopQuote := ticker(k.QuoteEvery)
	defer stopQuote()
	look, stopLook := ticker(lookEvery)
	defer stopLook()
	for {
		select {
		case <-ctx.Done():
			return
		case frame := <-c.out:
			if !c.write(ctx, frame) {
				return
			}
			continue // what waits goes before the end
		case <-beat:
			if k.HeartbeatWhileStreaming || !c.streams() {
				c.put([]byte("h"))
			}
		case <-quote:
			c.quote()
		case <-look:
			c.look()
		}
		if c.closeIfDue() {
			return
		}
	}
}

// ticker ticks, or never if the time is negative.
func ticker(every time.Duration) (ticks <-chan time.Time, stop func()) {
	if every <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(every)
	return t.C, t.Stop
}

// write sends one frame. One without a byte asks for a look at the end alone.
func (c *socket) write(ctx context.Context, frame []byte) bool {
	c.mu.Lock()
	muted := c.muted
	c.mu.Unlock()
	if muted {
		return true
	}
	if len(frame) == 0 {
		return !c.closeIfDue()
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, frame) == nil
}

// closeIfDue closes a socket that is to end and has nothing more to say.
func (c *socket) closeIfDue() bool {
	c.mu.Lock()
	due := c.closing
	c.mu.Unlock()
	if due == nil || len(c.out) > 0 {
		return false
	}
	_ = c.ws.Close(websocket.StatusCode(due.code), due.reason)
	return true
}

// finish ends the socket after what waits.
func (c *socket) finish(reason string) {
	k := c.server.Current().filled().Socket
	c.mu.Lock()
	if c.closing != nil {
		c.mu.Unlock()
		return
	}
	c.closing = &closing{k.CloseCode, reason}
	user := c.pair.Grant.User
	c.mu.Unlock()
	c.server.core.Record(emulator.Event{Kind: SocketClosed, User: user, Detail: reason})
	if k.CloseFrame {
		text, _ := json.Marshal([]any{k.CloseCode, reason})
		c.put(append([]byte("c"), text...))
	}
	c.put(nil)
}

// look ends a socket that was silent, unauthorised or without a good token for too
// long.
func (c *socket) look() {
	all := c.server.Current().filled()
	k := all.Socket
	if all.Maintenance && inMaintenance(c.server.core.Clock.Now()) {
		c.shutDown(ShutdownMaintenance, "")
		return
	}
	c.mu.Lock()
	now, authorised, access := time.Now(), c.pair.Access != "", c.pair.Access
	silent, young := now.Sub(c.heard), now.Sub(c.opened)
	c.mu.Unlock()
	switch {
	case k.Inactivity > 0 && silent > k.Inactivity:
		c.finish("Inactivity")
	case !authorised && k.AuthorizeWithin > 0 && young > k.AuthorizeWithin:
		c.finish("Not authorized")
	case authorised && k.Dead != DeadTokenKeeps && !c.server.core.Tokens.Alive(c.server.core.Clock.Now(), access):
		if k.Dead == DeadTokenStalls {
			c.mute()
		} else {
			c.finish("Token expired")
		}
	}
}

// mute has nothing sent any more; what comes is read, and pings are answered.
func (c *socket) mute() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.muted = true
}

// stall has nothing read any more either.
func (c *socket) stall() {
	c.mute()
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.stalled:
	default:
		close(c.stalled)
	}
}
