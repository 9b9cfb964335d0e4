package openapi

import (
	"maps"
	"slices"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// subscribe.go owns subscriptions: spots, depth and live bars, and what a subscriber is sent
// when a price moves.

type spotSubscription struct {
	bid, ask  int64 // as last sent
	timestamp bool
}

func (c *conn) sessions() []*session {
	var list []*session
	for _, id := range slices.Sorted(maps.Keys(c.accounts)) {
		list = append(list, c.accounts[id])
	}
	return list
}

// tellSpot sends the sides of a price that changed: an absent side is unchanged.
func (c *conn) tellSpot(session *session, q *quote, now time.Time) {
	sub := session.spots[q.ID]
	if sub == nil {
		return
	}
	e := &message.SpotEvent{CtidTraderAccountID: session.account, SymbolID: q.ID}
	both := c.s.settings.Current().BothSides
	if both || sub.bid != q.bid {
		e.Bid = message.Some(uint64(q.bid))
	}
	if both || sub.ask != q.ask {
		e.Ask = message.Some(uint64(q.ask))
	}
	if sub.bid == q.bid && sub.ask == q.ask {
		return
	}
	sub.bid, sub.ask = q.bid, q.ask
	if sub.timestamp {
		e.Timestamp = message.Some(now.UnixMilli())
	}
	for _, period := range periods() {
		if session.bars[barKey{q.ID, period}] {
			e.Trendbar = append(e.Trendbar, q.live(period, now).message(period))
		}
	}
	c.send(e)
}

// symbols finds all of the symbols, or fails.
func (s *Server) symbols(ids []int64) ([]*quote, error) {
	var list []*quote
	for _, id := range ids {
		q := s.market.byID(id)
		if q == nil {
			return nil, refused("SYMBOL_NOT_FOUND", "Symbol is not found")
		}
		list = append(list, q)
	}
	if len(list) == 0 {
		return nil, refused(invalidRequest, "No symbol is named")
	}
	return list, nil
}

func alreadySubscribed() error { return refused("ALREADY_SUBSCRIBED", "Already subscribed") }

func (a *asking) subscribeSpots(m *message.SubscribeSpotsReq) (message.Message, error) {
	quotes, err := a.s.symbols(m.SymbolID)
	if err != nil {
		return nil, err
	}
	for _, q := range quotes {
		if a.session.spots[q.ID] != nil {
			return nil, alreadySubscribed()
		}
	}
	for _, q := range quotes {
		a.session.spots[q.ID] = &spotSubscription{timestamp: m.SubscribeToSpotTimestamp.Or(false)}
		a.log(Event{Kind: Subscribed, Type: m.PayloadType(), Account: a.account(), Detail: q.Name})
		a.s.after = append(a.s.after, func() { a.tellSpot(a.session, q, a.s.now()) })
	}
	return &message.SubscribeSpotsRes{CtidTraderAccountID: a.account()}, nil
}

// unsubscribeSpots also ends what requires spots.
func (a *asking) unsubscribeSpots(m *message.UnsubscribeSpotsReq) (message.Message, error) {
	quotes, err := a.s.symbols(m.SymbolID)
	if err != nil {
		return nil, err
	}
	for _, q := range quotes {
		if a.session.spots[q.ID] == nil {
			return nil, refused("NOT_SUBSCRIBED_TO_SPOTS", "Not subscribed to spots")
		}
	}
	for _, q := range quotes {
		delete(a.session.spots, q.ID)
		delete(a.session.depth, q.ID)
		maps.DeleteFunc(a.session.bars, func(k barKey, _ bool) bool { return k.symbol == q.ID })
		a.log(Event{Kind: Unsubscribed, Type: m.PayloadType(), Account: a.account(), Detail: q.Name})
	}
	return &message.UnsubscribeSpotsRes{CtidTraderAccountID: a.account()}, nil
}

// needSpots refuses what requires spots if these are not subscribed to.
func (a *asking) needSpots(quotes []*quote) error {
	for _, q := range quotes {
		if a.session.spots[q.ID] == nil {
			return refused("NOT_SUBSCRIBED_TO_SPOTS", "Not subscribed to spots")
		}
	}
	return nil
}

func (a *asking) subscribeDepth(m *message.SubscribeDepthQuotesReq) (message.Message, error) {
	quotes, err := a.s.symbols(m.SymbolID)
	if err == nil {
		err = a.needSpots(quotes)
	}
	if err != nil {
		return nil, err
	}
	for _, q := range quotes {
		if a.session.depth[q.ID] {
			return nil, alreadySubscribed()
		}
	}
	for _, q := range quotes {
		a.session.depth[q.ID] = true
		a.log(Event{Kind: Subscribed, Type: m.PayloadType(), Account: a.account(), Detail: q.Name})
		a.s.after = append(a.s.after, func() {
			a.send(&message.DepthEvent{CtidTraderAccountID: a.account(), SymbolID: uint64(q.ID), NewQuotes: q.depth})
		})
	}
	return &message.SubscribeDepthQuotesRes{CtidTraderAccountID: a.account()}, nil
}

func (a *asking) unsubscribeDepth(m *message.UnsubscribeDepthQuotesReq) (message.Message, error) {
	quotes, err := a.s.symbols(m.SymbolID)
	if err != nil {
		return nil, err
	}
	for _, q := range quotes {
		delete(a.session.depth, q.ID)
		a.log(Event{Kind: Unsubscribed, Type: m.PayloadType(), Account: a.account(), Detail: q.Name})
	}
	return &message.UnsubscribeDepthQuotesRes{CtidTraderAccountID: a.account()}, nil
}

func (a *asking) subscribeBars(m *message.SubscribeLiveTrendbarReq) (message.Message, error) {
	quotes, err := a.s.symbols([]int64{m.SymbolID})
	if err == nil {
		err = a.needSpots(quotes)
	}
	key := barKey{m.SymbolID, m.Period}
	switch {
	case err != nil:
		return nil, err
	case lengthOf(m.Period) == 0:
		return nil, refused(invalidRequest, "Unknown period")
	case a.session.bars[key]:
		return nil, alreadySubscribed()
	}
	a.session.bars[key] = true
	quotes[0].live(m.Period, a.s.now())
	a.log(Event{Kind: Subscribed, Type: m.PayloadType(), Account: a.account(), Detail: quotes[0].Name})
	return &message.SubscribeLiveTrendbarRes{CtidTraderAccountID: a.account()}, nil
}

func (a *asking) unsubscribeBars(m *message.UnsubscribeLiveTrendbarReq) (message.Message, error) {
	quotes, err := a.s.symbols([]int64{m.SymbolID})
	if err != nil {
		return nil, err
	}
	delete(a.session.bars, barKey{m.SymbolID, m.Period})
	a.log(Event{Kind: Unsubscribed, Type: m.PayloadType(), Account: a.account(), Detail: quotes[0].Name})
	return &message.UnsubscribeLiveTrendbarRes{CtidTraderAccountID: a.account()}, nil
}
