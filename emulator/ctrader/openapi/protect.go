package openapi

import "github.com/venuekey/venuekey/venue/ctrader/openapi/message"

// protect.go owns the stop loss and take profit of positions.

// protect sets or removes the protection of a position. An order represents it, with events
// of its own.
func (s *Server) protect(b *book, p *position, next protection) {
	now := s.now()
	p.protection, p.changed = next, now
	p.distance = 0
	if next.trailing && next.sl != 0 {
		p.distance = p.closes() - next.sl
	}
	kind := message.ExecutionTypeOrderReplaced
	if p.guard == nil || !p.guard.pending() {
		kind = message.ExecutionTypeOrderAccepted
		p.guard = &order{
			id: s.nextID(), position: p.id, q: p.q, kind: message.OrderTypeStopLossTakeProfit, status: message.OrderStatusAccepted,
			side: message.TradeSideBuy, closing: true, force: message.TimeInForceGoodTillCancel, created: now,
		}
		if p.side == message.TradeSideBuy {
			p.guard.side = message.TradeSideSell
		}
		b.orders = append(b.orders, p.guard)
	}
	g := p.guard
	g.volume, g.stop, g.limit, g.changed = p.volume, next.sl, next.tp, now
	if next.sl == 0 && next.tp == 0 {
		kind, g.status = message.ExecutionTypeOrderCancelled, message.OrderStatusCancelled
	}
	s.tellOrder(b, g, kind, p, nil)
}

// guard closes a position if the price has reached its protection, and moves a trailing
// stop.
func (s *Server) guard(b *book, p *position) {
	price, up := p.closes(), int64(1)
	if p.side == message.TradeSideSell {
		up = -1
	}
	g := p.protection
	if g.sl != 0 && (price-g.sl)*up <= 0 || g.tp != 0 && (price-g.tp)*up >= 0 {
		o := p.guard
		o.volume = p.volume
		s.reduce(b, p, o, p.volume, price)
		return
	}
	if p.distance != 0 && (price-p.distance-g.sl)*up > 0 {
		p.protection.sl = price - p.distance
		p.guard.stop, p.changed = p.protection.sl, s.now()
		s.publish(b.account, &message.TrailingSLChangedEvent{
			CtidTraderAccountID: b.account, PositionID: p.id, OrderID: p.guard.id,
			StopPrice: double(p.protection.sl).Or(0), UTCLastUpdateTimestamp: p.changed.UnixMilli(),
		})
	}
}
