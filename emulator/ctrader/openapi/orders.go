package openapi

import (
	"slices"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// orders.go owns the requests that trade: which are refused, and what the others start.

// answerOrder carries out a request that trades. The events that it publishes are the
// answer.
func (a *asking) answerOrder(k Knobs, req message.Message) error {
	if !a.session.mayTrade() {
		return badOrder(k.ViewScopeCode, "Trading is not allowed with this token")
	}
	switch m := req.(type) {
	case *message.NewOrderReq:
		return a.newOrder(m)
	case *message.CancelOrderReq:
		return a.cancelOrder(m)
	case *message.AmendOrderReq:
		return a.amendOrder(m)
	case *message.AmendPositionSLTPReq:
		return a.amendPosition(m)
	case *message.ClosePositionReq:
		return a.closePosition(m)
	}
	return refused("UNSUPPORTED_MESSAGE", "Message is not supported")
}

func (a *asking) newOrder(m *message.NewOrderReq) error {
	q := a.s.market.byID(m.SymbolID)
	if q == nil {
		return badOrder("SYMBOL_NOT_FOUND", "Symbol is not found")
	}
	o, err := a.read(q, m)
	if err != nil {
		return err
	}
	if err := a.s.check(a.book, o); err != nil {
		return err
	}
	a.book.orders = append(a.book.orders, o)
	a.s.tellOrder(a.book, o, message.ExecutionTypeOrderAccepted, nil, nil)
	a.s.work(a.book, o)
	return nil
}

// read turns a request into an order, or refuses it.
func (a *asking) read(q *quote, m *message.NewOrderReq) (*order, error) {
	now := a.s.now()
	o := &order{
		id: a.s.nextID(), q: q, kind: m.OrderType, side: m.TradeSide, status: message.OrderStatusAccepted,
		volume: m.Volume, position: m.PositionID.Or(0), slippage: int64(m.SlippageInPoints.Or(0)),
		relSL: m.RelativeStopLoss.Or(0), relTP: m.RelativeTakeProfit.Or(0), force: m.TimeInForce.Or(message.TimeInForceGoodTillCancel),
		label: m.Label.Or(""), comment: m.Comment.Or(""), clientID: m.ClientOrderID.Or(""),
		created: now, changed: now,
	}
	o.protection.trailing = m.TrailingStopLoss.Or(false)
	o.protection.trigger = m.StopTriggerMethod.Or(0)
	if at, ok := m.ExpirationTimestamp.Get(); ok {
		o.expires = message.Time(at)
	}
	for _, p := range []struct {
		from message.Optional[float64]
		to   *int64
		code string
	}{
		{m.LimitPrice, &o.limit, "TRADING_BAD_PRICES"}, {m.StopPrice, &o.stop, "TRADING_BAD_PRICES"},
		{m.BaseSlippagePrice, &o.base, "TRADING_BAD_PRICES"},
		{m.StopLoss, &o.protection.sl, "TRADING_BAD_STOPS"}, {m.TakeProfit, &o.protection.tp, "TRADING_BAD_STOPS"},
	} {
		if err := q.readPrice(p.from, p.to, p.code); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (q *quote) readPrice(from message.Optional[float64], to *int64, code string) error {
	if from.IsZero() {
		return nil
	}
	price, ok := q.price(from)
	if !ok {
		return badOrder(code, "Invalid price")
	}
	*to = price
	return nil
}

// check refuses an order that is not allowed.
func (s *Server) check(b *book, o *order) error {
	if err := o.checkKind(); err != nil {
		return err
	}
	if o.q.Disabled {
		return badOrder("TRADING_DISABLED", "Trading is disabled for the symbol")
	}
	if err := o.q.checkVolume(o.volume); err != nil {
		return err
	}
	if o.force == message.TimeInForceGoodTillDate && o.expires.IsZero() || !o.expires.IsZero() && !o.expires.After(s.now()) {
		return badOrder("TRADING_BAD_EXPIRATION_DATE", "Invalid expiration")
	}
	if err := o.protection.check(o.side, o.reference(), o.relSL, o.relTP); err != nil {
		return err
	}
	if o.position != 0 {
		p := b.position(o.position)
		if p == nil || p.q != o.q {
			return badOrder("POSITION_NOT_FOUND", "Position is not found")
		}
		if p.side != o.side {
			if o.volume > p.volume {
				return badOrder("TRADING_BAD_VOLUME", "Volume is larger than that of the position")
			}
			return nil // it frees margin
		}
	}
	if b.margin(&s.market, o.q, o.volume) > b.free(&s.market) {
		return badOrder("NOT_ENOUGH_MONEY", "Not enough funds")
	}
	return nil
}

// checkKind checks that an order has the prices that its type requires.
func (o *order) checkKind() error {
	if o.side != message.TradeSideBuy && o.side != message.TradeSideSell {
		return badOrder(invalidRequest, "Unknown side")
	}
	limit, stop := false, false
	switch o.kind {
	case message.OrderTypeMarket, message.OrderTypeMarketRange:
		if o.protection.sl != 0 || o.protection.tp != 0 {
			return badOrder(invalidRequest, "A market order takes protection as a distance only")
		}
		if o.kind == message.OrderTypeMarketRange && o.base == 0 {
			return badOrder("TRADING_BAD_PRICES", "The order has no base price")
		}
	case message.OrderTypeLimit:
		limit = true
	case message.OrderTypeStop, message.OrderTypeStopLimit:
		stop = true
	default:
		return badOrder(invalidRequest, "Unknown order type")
	}
	if limit != (o.limit != 0) || stop != (o.stop != 0) {
		return badOrder("TRADING_BAD_PRICES", "The order has not the prices of its type")
	}
	return nil
}

func (s Symbol) checkVolume(volume int64) error {
	if volume < s.Min || volume > s.Max || volume%s.Step != 0 {
		return badOrder("TRADING_BAD_VOLUME", "Invalid volume")
	}
	return nil
}

// reference returns the price at which the order would open.
func (o *order) reference() int64 {
	switch {
	case o.limit != 0:
		return o.limit
	case o.stop != 0:
		return o.stop
	case o.side == message.TradeSideBuy:
		return o.q.ask
	}
	return o.q.bid
}

// check checks that the stop loss is below and the take profit above the price, or the
// reverse for a sale.
func (p protection) check(side message.TradeSide, price, relSL, relTP int64) error {
	sl, tp := p.sl, p.tp
	if side == message.TradeSideSell {
		sl, tp = tp, sl
	}
	if sl != 0 && sl >= price || tp != 0 && tp <= price || relSL < 0 || relTP < 0 || relSL >= price || relTP >= price {
		return badOrder("TRADING_BAD_STOPS", "Invalid stop price")
	}
	return nil
}

func (a *asking) pendingOrder(id int64) (*order, error) {
	o := a.book.order(id)
	if o == nil || !o.pending() || o.kind == message.OrderTypeStopLossTakeProfit {
		r := refusal{code: "ORDER_NOT_FOUND", text: "Order is not found", trading: true, order: id}
		return nil, r
	}
	return o, nil
}

func (a *asking) cancelOrder(m *message.CancelOrderReq) error {
	o, err := a.pendingOrder(m.OrderID)
	if err != nil {
		return err
	}
	a.s.finishOrder(a.book, o, message.OrderStatusCancelled, message.ExecutionTypeOrderCancelled)
	return nil
}

func (a *asking) amendOrder(m *message.AmendOrderReq) error {
	o, err := a.pendingOrder(m.OrderID)
	if err != nil {
		return err
	}
	next := *o
	next.volume = m.Volume.Or(o.volume)
	next.slippage = int64(m.SlippageInPoints.Or(int32(o.slippage)))
	next.relSL, next.relTP = m.RelativeStopLoss.Or(o.relSL), m.RelativeTakeProfit.Or(o.relTP)
	next.protection.trailing = m.TrailingStopLoss.Or(o.protection.trailing)
	next.protection.trigger = m.StopTriggerMethod.Or(o.protection.trigger)
	if at, ok := m.ExpirationTimestamp.Get(); ok {
		next.expires = message.Time(at)
	}
	for _, err := range []error{
		o.q.readPrice(m.LimitPrice, &next.limit, "TRADING_BAD_PRICES"), o.q.readPrice(m.StopPrice, &next.stop, "TRADING_BAD_PRICES"),
		o.q.readPrice(m.StopLoss, &next.protection.sl, "TRADING_BAD_STOPS"), o.q.readPrice(m.TakeProfit, &next.protection.tp, "TRADING_BAD_STOPS"),
		a.s.check(a.book, &next),
	} {
		if err != nil {
			return about(err, o.id, 0)
		}
	}
	next.changed = a.s.now()
	*o = next
	a.s.tellOrder(a.book, o, message.ExecutionTypeOrderReplaced, nil, nil)
	a.s.work(a.book, o)
	return nil
}

// about adds the order and the position to a refusal.
func about(err error, order, position int64) error {
	if r, ok := err.(refusal); ok {
		r.order, r.position = order, position
		return r
	}
	return err
}

func (a *asking) openPosition(id int64) (*position, error) {
	p := a.book.position(id)
	if p == nil {
		return nil, refusal{code: "POSITION_NOT_FOUND", text: "Position is not found", trading: true, position: id}
	}
	return p, nil
}

// amendPosition sets stop loss and take profit; an absent one is removed.
func (a *asking) amendPosition(m *message.AmendPositionSLTPReq) error {
	p, err := a.openPosition(m.PositionID)
	if err != nil {
		return err
	}
	next := protection{trailing: m.TrailingStopLoss.Or(false), trigger: m.StopLossTriggerMethod.Or(0)}
	for _, read := range []func() error{
		func() error { return p.q.readPrice(m.StopLoss, &next.sl, "TRADING_BAD_STOPS") },
		func() error { return p.q.readPrice(m.TakeProfit, &next.tp, "TRADING_BAD_STOPS") },
		func() error { return next.check(p.side, p.closes(), 0, 0) },
	} {
		if err := read(); err != nil {
			return about(err, 0, p.id)
		}
	}
	a.s.protect(a.book, p, next)
	return nil
}

func (a *asking) closePosition(m *message.ClosePositionReq) error {
	p, err := a.openPosition(m.PositionID)
	if err != nil {
		return err
	}
	if m.Volume <= 0 || m.Volume > p.volume || m.Volume%p.q.Step != 0 {
		return about(badOrder("TRADING_BAD_VOLUME", "Invalid volume"), 0, p.id)
	}
	a.s.closeAt(a.book, p, m.Volume, p.closes(), message.OrderTypeMarket)
	return nil
}

// forget removes a closed position from the open ones; the history keeps it.
func (b *book) forget(p *position) {
	b.positions = slices.DeleteFunc(b.positions, func(other *position) bool { return other == p })
}

func (o *order) expired(now time.Time) bool { return !o.expires.IsZero() && !now.Before(o.expires) }
