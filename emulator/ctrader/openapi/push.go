package openapi

import (
	"fmt"
	"slices"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// push.go owns what the server sends because a test says so.

// Disconnect takes the authorisation from every connection of every app, with a
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

// Invalidate ends the sessions of the accounts, with an
// AccountsTokenInvalidatedEvent for each connection. Their tokens stay good.
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

// Maintenance refuses every request until then, by the clock of the venue. The
// zero time ends it.
func (s *Server) Maintenance(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maintenance = until
}

// HangUp closes all connections without a word, as when a line is cut, and
// returns how many they were.
func (s *Server) HangUp() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.stream.abort()
		c.finishLocked("hung up")
	}
	return len(s.conns)
}

// Push sends a message of any kind to every session of the account that it
// names, and to all authorised apps if it names none.
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

// Quote sets the prices of a symbol, in 1/100000, and lets orders fill that they
// reach. It panics on a symbol that there is not.
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

// Prices are the bid and ask of a symbol as they stand, in 1/100000.
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

// published is an event of an account's book.
type published struct {
	account int64
	m       message.Message
}

// publish keeps an event for the end of what goes on. The caller holds the lock.
func (s *Server) publish(account int64, m message.Message) {
	s.events = append(s.events, published{account, m})
	if e, ok := m.(*message.ExecutionEvent); ok {
		s.log.add(Event{At: s.now(), Kind: OrderEvent, Type: m.PayloadType(), Account: account, Detail: e.ExecutionType.String()})
	}
}

// flush sends what was published to all sessions of the accounts. To who asked,
// if anybody did and has no answer, the first is the answer.
func (s *Server) flush(who *conn, id string, f *Fault) {
	events, after := s.events, s.after
	s.events, s.after = nil, nil
	for i, e := range events {
		for _, c := range s.inOrder() {
			switch {
			case c.accounts[e.account] == nil:
			case c == who && i == 0:
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
