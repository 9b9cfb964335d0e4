package tradovate

import (
	"net/http"
	"slices"
	"sync"

	"github.com/venuekey/venuekey/emulator"
)

// sockets.go owns all WebSockets of the venue: their limits, and what a test orders
// them to do.

// The reasons of a shutdown (Tradovate facts §5).
const (
	ShutdownMaintenance     = "Maintenance"
	ShutdownConnectionQuota = "ConnectionQuotaReached"
	ShutdownIPQuota         = "IPQuotaReached"
)

// sockets are those that are open, oldest first. The zero value is ready.
type sockets struct {
	running sync.WaitGroup

	mu     sync.Mutex
	list   []*socket
	closed bool
	market map[string]string // access token of each market-data token
	lastID int64             // of orders and subscriptions
}

// enter counts one that begins, unless no more may.
func (x *sockets) enter() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.closed {
		x.running.Add(1)
	}
	return !x.closed
}

func (x *sockets) add(c *socket) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list = append(x.list, c)
}

func (x *sockets) remove(c *socket) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list = slices.DeleteFunc(x.list, func(one *socket) bool { return one == c })
}

func (x *sockets) all() []*socket {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.list)
}

func (x *sockets) nextID() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lastID++
	return 1000 + x.lastID
}

// clear cuts all sockets and forgets the market-data tokens.
func (x *sockets) clear() {
	for _, c := range x.all() {
		c.end()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.market, x.lastID = nil, 0
}

// mdToken issues the market-data token that belongs to an access token.
func (s *Server) mdToken(k Knobs, access string) string {
	token := k.format().Mint()
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	if s.sockets.market == nil {
		s.sockets.market = map[string]string{}
	}
	s.sockets.market[token] = access
	return token
}

// accessOf is the access token that a market-data token belongs to.
func (s *Server) accessOf(mdToken string) (access string, known bool) {
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	access, known = s.sockets.market[mdToken]
	return access, known
}

// limit closes a user's oldest sockets until he has no more than he may, and revokes
// their tokens.
func (s *Server) limit(k Knobs, user string) {
	var mine []*socket
	for _, c := range s.sockets.all() {
		c.mu.Lock()
		if c.pair.Grant.User == user && c.closing == nil {
			mine = append(mine, c)
		}
		c.mu.Unlock()
	}
	for ; k.Socket.Limit > 0 && len(mine) > k.Socket.Limit; mine = mine[1:] {
		s.evict(k, mine[0], ShutdownConnectionQuota)
	}
	for k.Socket.Addresses > 0 && addresses(mine) > k.Socket.Addresses {
		s.evict(k, mine[0], ShutdownIPQuota)
		mine = mine[1:]
	}
}

func addresses(list []*socket) int {
	seen := map[string]bool{}
	for _, c := range list {
		seen[c.address] = true
	}
	return len(seen)
}

// evict closes one socket for a limit (Tradovate facts §2).
func (s *Server) evict(k Knobs, c *socket, reason string) {
	c.mu.Lock()
	access := c.pair.Access
	c.mu.Unlock()
	c.shutDown(reason, "")
	if !k.Socket.KeepToken {
		s.core.Revoke(access, false)
	}
}

// shutDown says why, and then closes.
func (c *socket) shutDown(code, text string) {
	d := map[string]any{"reasonCode": code}
	if text != "" {
		d["reason"] = text
	}
	c.tell(map[string]any{"e": "shutdown", "d": d})
	c.finish(code)
}

// MarketData is the host of market data, with its own WebSocket.
func (s *Server) MarketData() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, host{env: live, market: true}) })
}

// Sockets is how many WebSockets are open.
func (s *Server) Sockets() int { return len(s.sockets.all()) }

// ShutDown ends all WebSockets in the way that the venue announces: a shutdown event
// with the reason's code and a text, which may be empty, and a close.
func (s *Server) ShutDown(code, text string) {
	s.start()
	for _, c := range s.sockets.all() {
		c.shutDown(code, text)
	}
}

// CutSockets ends all WebSockets without a word.
func (s *Server) CutSockets() {
	for _, c := range s.sockets.all() {
		_ = c.ws.CloseNow()
		c.end()
	}
}

// MuteSockets has nothing sent on the WebSockets that are open now, which answer pings
// of the protocol still.
func (s *Server) MuteSockets() {
	for _, c := range s.sockets.all() {
		c.mute()
	}
}

// Say sends a frame, as it is, on all WebSockets that are open.
func (s *Server) Say(frame string) {
	for _, c := range s.sockets.all() {
		c.put([]byte(frame))
	}
}

// Change tells the user syncs of a user, by name, that an entity was Created, Updated
// or Deleted.
func (s *Server) Change(user, entityType, eventType string, entity any) {
	s.start()
	for _, c := range s.sockets.all() {
		c.change(user, entityType, eventType, entity)
	}
}

// CloseSockets ends all WebSockets and waits until nothing of them runs. No more are
// accepted.
func (s *Server) CloseSockets() {
	s.sockets.mu.Lock()
	s.sockets.closed = true
	s.sockets.mu.Unlock()
	s.CutSockets()
	s.sockets.running.Wait()
}

func (c *socket) change(user, entityType, eventType string, entity any) {
	c.mu.Lock()
	wants := c.sync != nil && c.pair.Grant.User == user && c.sync.wants(entityType)
	c.mu.Unlock()
	if wants {
		c.tell(map[string]any{"e": "props", "d": map[string]any{"entityType": entityType, "eventType": eventType, "entity": entity}})
	}
}

func (s *Server) userOf(p emulator.Pair) emulator.User {
	u, _ := s.core.Registry.User(p.Grant.User)
	return u
}
