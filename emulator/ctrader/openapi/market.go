package openapi

import (
	"math/rand/v2"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// market.go owns the prices: what they are, how they move, and who receives them.

// market is all symbols with their prices. It is guarded by Server.mu.
type market struct{ quotes []*quote }

// quote is a symbol and its current price.
type quote struct {
	Symbol
	bid, ask int64
	random   *rand.Rand
	depth    []message.DepthQuote
	depthID  uint64
	bars     map[message.TrendbarPeriod]*liveBar
}

func newMarket(symbols []Symbol, seed uint64) market {
	if len(symbols) == 0 {
		symbols = DefaultSymbols()
	}
	var m market
	for _, s := range symbols {
		q := &quote{
			Symbol: s, bid: s.Bid, ask: s.Bid + s.Spread,
			random: rand.New(rand.NewPCG(seed, uint64(s.ID))),
			bars:   make(map[message.TrendbarPeriod]*liveBar),
		}
		q.layDepth()
		m.quotes = append(m.quotes, q)
	}
	return m
}

func (m *market) byID(id int64) *quote {
	for _, q := range m.quotes {
		if q.ID == id {
			return q
		}
	}
	return nil
}

func (m *market) byName(name string) *quote {
	for _, q := range m.quotes {
		if q.Name == name {
			return q
		}
	}
	return nil
}

// step moves a price by up to three points, with a pull towards its initial value that grows
// with the distance.
func (q *quote) step() (bid, ask int64) {
	by := q.random.Int64N(7) - 3
	switch away := (q.bid - q.Bid) / q.point(); {
	case away > 200:
		by = -1
	case away < -200:
		by = 1
	}
	bid, ask = q.bid+by*q.point(), q.ask+by*q.point()
	if q.random.IntN(3) == 0 && ask-bid <= q.Spread { // sometimes only one side moves
		ask += q.point()
	} else if ask-bid > q.Spread {
		ask -= q.point()
	}
	return bid, ask
}

// walk makes prices move while there are connections. The caller holds the lock.
func (s *Server) walk() {
	if s.walking || s.closed {
		return
	}
	s.walking = true
	s.kick = make(chan struct{}, 1)
	s.running.Go(func() {
		for s.wait() {
			s.mu.Lock()
			for _, q := range s.market.quotes {
				bid, ask := q.step()
				s.move(q, bid, ask)
			}
			s.mu.Unlock()
		}
	})
}

// wait waits for QuoteEvery, and reports whether to continue: not after the last connection
// has ended.
func (s *Server) wait() bool {
	for {
		s.mu.Lock()
		if len(s.conns) == 0 || s.closed {
			s.walking = false
			s.mu.Unlock()
			return false
		}
		kick := s.kick
		s.mu.Unlock()
		every := s.knobs().QuoteEvery
		if every < 0 {
			<-kick
			continue
		}
		timer := time.NewTimer(every)
		select {
		case <-timer.C:
			return true
		case <-kick:
			timer.Stop()
		}
	}
}

// kicked wakes the goroutine that moves prices. The caller holds the lock.
func (s *Server) kicked() { wake(s.kick) }

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is not waiting, or is already woken
	}
}

// move sets the prices, sends them to subscribers, and fills orders. The caller holds the
// lock.
func (s *Server) move(q *quote, bid, ask int64) {
	q.bid, q.ask = bid, ask
	gone := q.layDepth()
	now := s.now()
	for period, bar := range q.bars {
		bar.tick(period, now, bid)
	}
	for _, c := range s.inOrder() {
		for _, session := range c.sessions() {
			c.tellSpot(session, q, now)
			if session.depth[q.ID] {
				c.send(&message.DepthEvent{CtidTraderAccountID: session.account, SymbolID: uint64(q.ID), NewQuotes: q.depth, DeletedQuotes: gone})
			}
		}
	}
	s.match(q)
	s.flush(nil, "", nil)
}

// layDepth replaces the offers around the price, and returns the IDs of the old ones.
func (q *quote) layDepth() (gone []uint64) {
	for _, d := range q.depth {
		gone = append(gone, d.ID)
	}
	q.depth = nil
	for level := range int64(3) {
		size := uint64(q.Lot * (level + 1))
		for _, offer := range []message.DepthQuote{
			{Size: size, Bid: message.Some(uint64(max(q.bid-level*q.point(), 1)))},
			{Size: size, Ask: message.Some(uint64(q.ask + level*q.point()))},
		} {
			q.depthID++
			offer.ID = q.depthID
			q.depth = append(q.depth, offer)
		}
	}
	return gone
}
