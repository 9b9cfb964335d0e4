package openapi

import (
	"maps"
	"slices"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// match.go owns matching: which order fills at which price, and how positions change.

// match processes everything that waits for the price of a symbol. The caller holds the
// lock.
func (s *Server) match(q *quote) {
	for _, account := range slices.Sorted(maps.Keys(s.books)) {
		b := s.books[account]
		for _, o := range slices.Clone(b.orders) {
			if o.pending() && o.q == q && o.kind != message.OrderTypeStopLossTakeProfit {
				s.work(b, o)
			}
		}
		for _, p := range slices.Clone(b.positions) {
			if p.q == q {
				s.guard(b, p)
			}
		}
	}
}

// work fills an order if the price allows, or ends it if it has expired.
func (s *Server) work(b *book, o *order) {
	if o.expired(s.now()) {
		s.finishOrder(b, o, message.OrderStatusExpired, message.ExecutionTypeOrderExpired)
		return
	}
	if price, ok := o.fillsAt(); ok {
		s.fill(b, o, price)
		return
	}
	now := o.force == message.TimeInForceImmediateOrCancel || o.force == message.TimeInForceFillOrKill
	if o.kind == message.OrderTypeMarketRange || now && o.kind == message.OrderTypeLimit {
		s.finishOrder(b, o, message.OrderStatusCancelled, message.ExecutionTypeOrderCancelled)
	}
}

// fillsAt returns the price at which an order would fill now. It treats every order as a
// purchase; for a sale, it reverses the comparisons.
func (o *order) fillsAt() (int64, bool) {
	price, up := o.q.ask, int64(1)
	if o.side == message.TradeSideSell {
		price, up = o.q.bid, -1
	}
	slip := o.slippage * o.q.point()
	switch o.kind {
	case message.OrderTypeMarket:
		return price, true
	case message.OrderTypeMarketRange:
		return price, (price-o.base)*up <= slip
	case message.OrderTypeLimit:
		return price, (price-o.limit)*up <= 0
	case message.OrderTypeStop:
		return price, (price-o.stop)*up >= 0
	case message.OrderTypeStopLimit:
		return price, (price-o.stop)*up >= 0 && (price-o.stop)*up <= slip
	}
	return 0, false
}

func (s *Server) finishOrder(b *book, o *order, status message.OrderStatus, kind message.ExecutionType) {
	o.status, o.changed = status, s.now()
	s.tellOrder(b, o, kind, nil, nil)
}

// tellOrder publishes what happened to an order.
func (s *Server) tellOrder(b *book, o *order, kind message.ExecutionType, p *position, d *deal) {
	e := &message.ExecutionEvent{CtidTraderAccountID: b.account, ExecutionType: kind, Order: o.message()}
	if p != nil {
		e.Position = b.message(&s.market, p)
	}
	if d != nil {
		made := d.Deal
		e.Deal = &made
	}
	s.publish(b.account, e)
}

// fill opens a position, adds to one, or takes from one.
func (s *Server) fill(b *book, o *order, price int64) {
	p := b.position(o.position)
	if p != nil && p.side != o.side {
		o.closing = true
		s.reduce(b, p, o, min(o.volume, p.volume), price)
		return
	}
	s.executed(o, o.volume, price)
	if p == nil {
		p = &position{
			id: s.nextID(), q: o.q, side: o.side, status: message.PositionStatusOpen,
			label: o.label, comment: o.comment, opened: o.changed,
		}
		b.positions = append(b.positions, p)
	}
	o.position = p.id
	p.price = mean(p.price, p.volume, price, o.volume)
	p.volume += o.volume
	p.changed = o.changed
	cost := b.commission(&s.market, o.q, o.volume)
	p.commission += cost
	d := s.newDeal(b, o, p, price, cost)
	s.tellOrder(b, o, message.ExecutionTypeOrderFilled, p, d)
	if guard := o.guard(price); guard != (protection{}) && (guard.sl != 0 || guard.tp != 0) {
		s.protect(b, p, guard)
	}
	s.tellMargin(b, p)
}

// guard returns the protection that an order gives its position.
func (o *order) guard(price int64) protection {
	g, up := o.protection, int64(1)
	if o.side == message.TradeSideSell {
		up = -1
	}
	if o.relSL != 0 {
		g.sl = price - up*o.relSL
	}
	if o.relTP != 0 {
		g.tp = price + up*o.relTP
	}
	return g
}

// mean returns the average price of two volumes, as an integer.
func mean(price, volume, otherPrice, otherVolume int64) int64 {
	sum := times(ratio(price, 1), ratio(volume, 1))
	sum.Add(sum, times(ratio(otherPrice, 1), ratio(otherVolume, 1)))
	return rounded(times(sum, ratio(1, volume+otherVolume)), 0)
}

func (s *Server) executed(o *order, volume, price int64) {
	o.status, o.executed, o.price, o.changed = message.OrderStatusFilled, volume, price, s.now()
}

func (s *Server) newDeal(b *book, o *order, p *position, price, commission int64) *deal {
	now := s.now().UnixMilli()
	d := &deal{Deal: message.Deal{
		DealID: s.nextID(), OrderID: o.id, PositionID: p.id, Volume: o.volume, FilledVolume: o.executed, SymbolID: o.q.ID,
		CreateTimestamp: now, ExecutionTimestamp: now, UTCLastUpdateTimestamp: message.Some(now),
		ExecutionPrice: double(price), TradeSide: o.side, DealStatus: message.DealStatusFilled,
		Commission: message.Some(commission), MoneyDigits: b.moneyDigits(),
	}}
	b.deals = append(b.deals, d)
	return d
}

// closeAt closes part of a position, or all of it, with an order of the server.
func (s *Server) closeAt(b *book, p *position, volume, price int64, kind message.OrderType) {
	side := message.TradeSideSell
	if p.side == message.TradeSideSell {
		side = message.TradeSideBuy
	}
	now := s.now()
	o := &order{
		id: s.nextID(), position: p.id, q: p.q, kind: kind, side: side, status: message.OrderStatusAccepted, volume: volume,
		closing: true, force: message.TimeInForceImmediateOrCancel, created: now, changed: now,
	}
	b.orders = append(b.orders, o)
	s.tellOrder(b, o, message.ExecutionTypeOrderAccepted, p, nil)
	s.reduce(b, p, o, volume, price)
}

// reduce reduces a position by a volume, and books the profit or loss.
func (s *Server) reduce(b *book, p *position, o *order, volume, price int64) {
	s.executed(o, volume, price)
	gross := b.gain(&s.market, p, price, volume)
	opened := rounded(ratio(p.commission*volume, p.volume), 0)
	closed := b.commission(&s.market, p.q, volume)
	p.volume -= volume
	p.commission -= opened
	p.changed = o.changed
	b.Balance += gross + opened + closed
	b.version++
	d := s.newDeal(b, o, p, price, closed)
	d.ClosePositionDetail = &message.ClosePositionDetail{
		EntryPrice: double(p.price).Or(0), GrossProfit: gross, Commission: opened + closed, Balance: b.Balance,
		ClosedVolume: message.Some(volume), BalanceVersion: message.Some(b.version), MoneyDigits: b.moneyDigits(),
	}
	d.opening = b.openedBy(p.id)
	if p.guard != nil && p.volume > 0 {
		p.guard.volume = p.volume
	}
	if p.volume == 0 {
		p.status = message.PositionStatusClosed
		b.forget(p)
	}
	s.tellOrder(b, o, message.ExecutionTypeOrderFilled, p, d)
	if p.volume == 0 && p.guard != nil && p.guard.pending() {
		s.finishOrder(b, p.guard, message.OrderStatusCancelled, message.ExecutionTypeOrderCancelled)
	}
	s.tellMargin(b, p)
}

// openedBy returns the first deal of a position.
func (b *book) openedBy(position int64) int64 {
	for _, d := range b.deals {
		if d.PositionID == position {
			return d.DealID
		}
	}
	return 0
}

func (s *Server) tellMargin(b *book, p *position) {
	if s.knobs().MarginEvents {
		s.publish(b.account, &message.MarginChangedEvent{
			CtidTraderAccountID: b.account, PositionID: uint64(p.id),
			UsedMargin: uint64(b.margin(&s.market, p.q, p.volume)), MoneyDigits: b.moneyDigits(),
		})
	}
}
