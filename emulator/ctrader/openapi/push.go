package openapi

import (
	"fmt"
	"slices"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// push.go owns what tests make the server send.

// Disconnect ends the authorisation of the app on every connection, with a
// ClientDisconnectEvent.
func (s *Server) Disconnect(reason string) {
	s.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	keep := s.knobs().DisconnectKeepsOpen
	for _, c := range s.inOrder() {
		if c.app == "" {
			continue
		}
		c.send(&message.ClientDisconnectEvent{Reason: optional(reason)})
		for id := range c.accounts {
			c.end(id, "the app was disconnected")
		}
		c.app = ""
		if !keep {
			c.finishLocked("the app was disconnected")
		}
	}
}

// DropAccounts ends the sessions of the accounts, with an
// AccountDisconnectEvent.
func (s *Server) DropAccounts(accounts ...int64) {
	s.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range accounts {
		s.dropAccount(id, "dropped")
	}
}

func (s *Server) dropAccount(id int64, why string) {
	for _, c := range s.inOrder() {
		if c.end(id, why) {
			c.send(&message.AccountDisconnectEvent{CtidTraderAccountID: id})
		}
	}
}

// Invalidate ends the sessions of the accounts, with an AccountsTokenInvalidatedEvent for
// each connection. The tokens stay valid.
func (s *Server) Invalidate(accounts ...int64) {
	s.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.inOrder() {
		var hit []int64
		for _, id := range accounts {
			if c.accounts[id] != nil && !slices.Contains(hit, id) {
				hit = append(hit, id)
			}
		}
		if len(hit) > 0 {
			c.invalidate(hit, "the token was recalled")
		}
	}
}

// Maintenance refuses every request until a time of the venue's clock. The zero time ends
// the maintenance.
func (s *Server) Maintenance(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maintenance = until
}

// HangUp closes all connections without a goodbye, as if the network had failed, and returns
// how many there were.
func (s *Server) HangUp() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.stream.abort()
		c.finishLocked("hung up")
	}
	return len(s.conns)
}

// Push sends a message of any type to every session of the account that it names, or to all
// authorised apps if it names none.
func (s *Server) Push(m message.Message) {
	s.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	account, named := accountOf(m)
	for _, c := range s.inOrder() {
		if c.app != "" && (!named || c.accounts[account] != nil) {
			c.send(m)
		}
	}
}

// Quote sets the prices of a symbol, in 1/100000, and fills the orders that they reach. It
// panics if the symbol does not exist or the prices make no sense.
func (s *Server) Quote(symbol string, bid, ask int64) {
	s.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.market.byName(symbol)
	if q == nil || bid <= 0 || ask < bid {
		panic(fmt.Sprintf("openapi: quote %s %d %d makes no sense", symbol, bid, ask))
	}
	s.move(q, bid, ask)
}

// Prices returns the current bid and ask of a symbol, in 1/100000. It panics if the symbol
// does not exist.
func (s *Server) Prices(symbol string) (bid, ask int64) {
	s.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.market.byName(symbol)
	if q == nil {
		panic(fmt.Sprintf("openapi: there is no symbol %s", symbol))
	}
	return q.bid, q.ask
}

// published is an event from an account's book.
type published struct {
	account int64
	m       message.Message
}

// publish holds an event back until the current request or price has been processed. The
// caller holds the lock.
func (s *Server) publish(account int64, m message.Message) {
	s.events = append(s.events, published{account, m})
	if e, ok := m.(*message.ExecutionEvent); ok {
		s.log.add(Event{At: s.now(), Kind: OrderEvent, Type: m.PayloadType(), Account: account, Detail: e.ExecutionType.String()})
	}
}

// flush sends the published events to all sessions of their accounts. If asked is not nil,
// it is the connection whose request still needs an answer, and the first event is that.
func (s *Server) flush(asked *conn, id string, f *Fault) {
	events, after := s.events, s.after
	s.events, s.after = nil, nil
	for i, e := range events {
		for _, c := range s.inOrder() {
			switch {
			case c.accounts[e.account] == nil:
			case c == asked && i == 0:
				c.reply(e.m, id, f)
			default:
				c.send(e.m)
			}
		}
	}
	for _, then := range after {
		then()
	}
}
