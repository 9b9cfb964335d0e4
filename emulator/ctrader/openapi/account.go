package openapi

import (
	"slices"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// account.go owns requests for one account: which handler answers which, and the answers
// about the account and about what is traded.

// answerAccount answers requests that name an account. The caller holds the lock.
func (s *Server) answerAccount(k Knobs, a *asking, req message.Message) (message.Message, error) {
	if message.IsOrder(req.PayloadType()) {
		return nil, a.answerOrder(k, req)
	}
	for _, answer := range []func(Knobs, message.Message) (message.Message, error){
		a.answerSubscription, a.answerReference, a.answerState, a.answerHistory,
	} {
		if m, err := answer(k, req); m != nil || err != nil {
			return m, err
		}
	}
	return nil, refused("UNSUPPORTED_MESSAGE", "Message is not supported")
}

func (a *asking) answerSubscription(_ Knobs, req message.Message) (message.Message, error) {
	switch m := req.(type) {
	case *message.AccountLogoutReq:
		return a.logout()
	case *message.SubscribeSpotsReq:
		return a.subscribeSpots(m)
	case *message.UnsubscribeSpotsReq:
		return a.unsubscribeSpots(m)
	case *message.SubscribeDepthQuotesReq:
		return a.subscribeDepth(m)
	case *message.UnsubscribeDepthQuotesReq:
		return a.unsubscribeDepth(m)
	case *message.SubscribeLiveTrendbarReq:
		return a.subscribeBars(m)
	case *message.UnsubscribeLiveTrendbarReq:
		return a.unsubscribeBars(m)
	}
	return nil, nil
}

// answerReference answers requests about what is traded.
func (a *asking) answerReference(_ Knobs, req message.Message) (message.Message, error) {
	market, id := &a.s.market, a.account()
	switch m := req.(type) {
	case *message.AssetListReq:
		res := &message.AssetListRes{CtidTraderAccountID: id}
		for i, name := range market.assets() {
			res.Asset = append(res.Asset, message.Asset{AssetID: int64(i + 1), Name: name, DisplayName: message.Some(name), Digits: message.Some(int32(digitsOf(name)))})
		}
		return res, nil
	case *message.AssetClassListReq:
		res := &message.AssetClassListRes{CtidTraderAccountID: id}
		for i, name := range market.classes() {
			res.AssetClass = append(res.AssetClass, message.AssetClass{ID: message.Some(int64(i + 1)), Name: message.Some(name)})
		}
		return res, nil
	case *message.SymbolCategoryListReq:
		return market.categoryList(id), nil
	case *message.SymbolsListReq:
		res := &message.SymbolsListRes{CtidTraderAccountID: id}
		for _, q := range market.quotes {
			res.Symbol = append(res.Symbol, market.light(q.Symbol))
		}
		return res, nil
	case *message.SymbolByIDReq:
		quotes, err := a.s.symbols(m.SymbolID)
		res := &message.SymbolByIDRes{CtidTraderAccountID: id}
		for _, q := range quotes {
			res.Symbol = append(res.Symbol, q.full())
		}
		return res, err
	case *message.SymbolsForConversionReq:
		return a.conversion(m)
	case *message.GetDynamicLeverageByIDReq:
		return a.leverage(m)
	}
	return nil, nil
}

func (m *market) categoryList(account int64) message.Message {
	res := &message.SymbolCategoryListRes{CtidTraderAccountID: account}
	for i, name := range m.categories() {
		of := slices.IndexFunc(m.quotes, func(q *quote) bool { return q.Category == name })
		res.SymbolCategory = append(res.SymbolCategory, message.SymbolCategory{
			ID: int64(i + 1), AssetClassID: idOf(m.classes(), m.quotes[of].Class), Name: name,
		})
	}
	return res
}

// conversion returns the shortest chain of symbols from one asset to another: one symbol, or
// two that have an asset in common.
func (a *asking) conversion(m *message.SymbolsForConversionReq) (message.Message, error) {
	market := &a.s.market
	assets := market.assets()
	if n := int64(len(assets)); min(m.FirstAssetID, m.LastAssetID) < 1 || max(m.FirstAssetID, m.LastAssetID) > n {
		return nil, refused("ENTITY_NOT_FOUND", "Asset is not found")
	}
	from, to := assets[m.FirstAssetID-1], assets[m.LastAssetID-1]
	res := &message.SymbolsForConversionRes{CtidTraderAccountID: a.account()}
	for _, first := range market.quotes {
		if first.joins(from, to) {
			res.Symbol = []message.LightSymbol{market.light(first.Symbol)}
			return res, nil
		}
	}
	for _, first := range market.quotes {
		for _, second := range market.quotes {
			if between := first.other(from); between != "" && second.joins(between, to) {
				res.Symbol = []message.LightSymbol{market.light(first.Symbol), market.light(second.Symbol)}
				return res, nil
			}
		}
	}
	return res, nil
}

func (s Symbol) joins(a, b string) bool {
	return s.Base == a && s.Quote == b || s.Base == b && s.Quote == a
}

// other returns the symbol's other asset, or "" if the symbol does not have the given one.
func (s Symbol) other(asset string) string {
	switch asset {
	case s.Base:
		return s.Quote
	case s.Quote:
		return s.Base
	}
	return ""
}

func (a *asking) leverage(m *message.GetDynamicLeverageByIDReq) (message.Message, error) {
	if m.LeverageID != leverageID {
		return nil, refused("ENTITY_NOT_FOUND", "Leverage is not found")
	}
	return &message.GetDynamicLeverageByIDRes{CtidTraderAccountID: a.account(), Leverage: message.DynamicLeverage{
		LeverageID: leverageID, Tiers: []message.DynamicLeverageTier{{Volume: 1 << 40, Leverage: int32(a.book.Leverage * 100)}},
	}}, nil
}

// answerState answers requests about the state of the account.
func (a *asking) answerState(_ Knobs, req message.Message) (message.Message, error) {
	b, market := a.book, &a.s.market
	switch m := req.(type) {
	case *message.TraderReq:
		return &message.TraderRes{CtidTraderAccountID: b.account, Trader: b.trader(market)}, nil
	case *message.ReconcileReq:
		res := &message.ReconcileRes{CtidTraderAccountID: b.account}
		for _, p := range b.positions {
			res.Position = append(res.Position, *b.message(market, p))
		}
		for _, o := range b.orders {
			if o.pending() && (o.kind != message.OrderTypeStopLossTakeProfit || m.ReturnProtectionOrders.Or(false)) {
				res.Order = append(res.Order, *o.message())
			}
		}
		return res, nil
	case *message.GetPositionUnrealizedPnLReq:
		res := &message.GetPositionUnrealizedPnLRes{CtidTraderAccountID: b.account, MoneyDigits: uint32(b.digits())}
		for _, p := range b.positions {
			gross := b.unrealized(market, p)
			res.PositionUnrealizedPnL = append(res.PositionUnrealizedPnL, message.PositionUnrealizedPnL{
				PositionID: p.id, GrossUnrealizedPnL: gross, NetUnrealizedPnL: gross + p.commission,
			})
		}
		return res, nil
	case *message.ExpectedMarginReq:
		return a.expectedMargin(m)
	case *message.MarginCallListReq:
		return &message.MarginCallListRes{MarginCall: slices.Clone(b.calls)}, nil
	case *message.MarginCallUpdateReq:
		return a.updateMarginCall(m)
	}
	return nil, nil
}

func (a *asking) expectedMargin(m *message.ExpectedMarginReq) (message.Message, error) {
	quotes, err := a.s.symbols([]int64{m.SymbolID})
	if err != nil {
		return nil, err
	}
	res := &message.ExpectedMarginRes{CtidTraderAccountID: a.account(), MoneyDigits: a.book.moneyDigits()}
	for _, volume := range m.Volume {
		margin := a.book.margin(&a.s.market, quotes[0], volume)
		res.Margin = append(res.Margin, message.ExpectedMargin{Volume: volume, BuyMargin: margin, SellMargin: margin})
	}
	return res, nil
}

func (a *asking) updateMarginCall(m *message.MarginCallUpdateReq) (message.Message, error) {
	if level := m.MarginCall.MarginLevelThreshold; !(level > 0 && level < 1e6) { // nor is it a number then
		return nil, refused(invalidRequest, "Invalid threshold")
	}
	for i := range a.book.calls {
		if call := &a.book.calls[i]; call.MarginCallType == m.MarginCall.MarginCallType {
			call.MarginLevelThreshold = m.MarginCall.MarginLevelThreshold
			call.UTCLastUpdateTimestamp = message.Some(a.s.now().UnixMilli())
			a.s.publish(a.account(), &message.MarginCallUpdateEvent{CtidTraderAccountID: a.account(), MarginCall: *call})
			return &message.MarginCallUpdateRes{}, nil
		}
	}
	return nil, refused("ENTITY_NOT_FOUND", "Margin call is not found")
}
