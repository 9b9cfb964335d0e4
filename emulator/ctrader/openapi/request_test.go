package openapi_test

import (
	"slices"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// filledIn are requests that need more than an account to be in order.
func filledIn(access string) map[message.PayloadType]message.Message {
	requests := []message.Message{
		appAuth("demo-client", "demo-secret"), accountAuth(demo, access), list(access), refresh("x"),
		&message.NewOrderReq{CtidTraderAccountID: demo, SymbolID: 1, OrderType: message.OrderTypeMarket, TradeSide: message.TradeSideBuy, Volume: 100000},
		&message.SymbolByIDReq{CtidTraderAccountID: demo, SymbolID: []int64{1, 41}},
		&message.SymbolsForConversionReq{CtidTraderAccountID: demo, FirstAssetID: 1, LastAssetID: 4},
		&message.SubscribeSpotsReq{CtidTraderAccountID: demo, SymbolID: []int64{1}},
		&message.UnsubscribeSpotsReq{CtidTraderAccountID: demo, SymbolID: []int64{1}},
		&message.SubscribeDepthQuotesReq{CtidTraderAccountID: demo, SymbolID: []int64{1}},
		&message.UnsubscribeDepthQuotesReq{CtidTraderAccountID: demo, SymbolID: []int64{1}},
		&message.SubscribeLiveTrendbarReq{CtidTraderAccountID: demo, SymbolID: 1, Period: message.TrendbarPeriodM1},
		&message.UnsubscribeLiveTrendbarReq{CtidTraderAccountID: demo, SymbolID: 1, Period: message.TrendbarPeriodM1},
		&message.GetTrendbarsReq{CtidTraderAccountID: demo, SymbolID: 1, Period: message.TrendbarPeriodH1},
		&message.GetTickDataReq{CtidTraderAccountID: demo, SymbolID: 1, Type: message.QuoteTypeBid},
		&message.ExpectedMarginReq{CtidTraderAccountID: demo, SymbolID: 1, Volume: []int64{100000}},
		&message.MarginCallUpdateReq{CtidTraderAccountID: demo, MarginCall: message.MarginCall{MarginCallType: message.NotificationTypeMarginLevelThreshold1, MarginLevelThreshold: 90}},
		&message.GetDynamicLeverageByIDReq{CtidTraderAccountID: demo, LeverageID: 1},
		&message.CashFlowHistoryListReq{CtidTraderAccountID: demo, ToTimestamp: message.MaxTimestamp},
		&message.CancelOrderReq{CtidTraderAccountID: demo}, &message.AmendOrderReq{CtidTraderAccountID: demo},
		&message.AmendPositionSLTPReq{CtidTraderAccountID: demo}, &message.ClosePositionReq{CtidTraderAccountID: demo},
		&message.OrderDetailsReq{CtidTraderAccountID: demo}, &message.DealOffsetListReq{CtidTraderAccountID: demo},
		&message.DealListByPositionIDReq{CtidTraderAccountID: demo}, &message.OrderListByPositionIDReq{CtidTraderAccountID: demo},
		&message.VersionReq{}, &message.AssetListReq{CtidTraderAccountID: demo}, &message.SymbolsListReq{CtidTraderAccountID: demo},
		&message.AssetClassListReq{CtidTraderAccountID: demo}, &message.TraderReq{CtidTraderAccountID: demo},
		&message.ReconcileReq{CtidTraderAccountID: demo}, &message.DealListReq{CtidTraderAccountID: demo}, &message.OrderListReq{CtidTraderAccountID: demo},
		&message.SymbolCategoryListReq{CtidTraderAccountID: demo}, &message.MarginCallListReq{CtidTraderAccountID: demo},
		&message.GetPositionUnrealizedPnLReq{CtidTraderAccountID: demo}, &message.AccountLogoutReq{CtidTraderAccountID: demo},
	}
	profile := new(message.GetCtidProfileByTokenReq)
	put(&profile.AccessToken, access)
	all := make(map[message.PayloadType]message.Message)
	for _, m := range append(requests, profile) {
		all[m.PayloadType()] = m
	}
	return all
}

// expected are the requests that cannot be in order here, and why.
func expected() map[message.PayloadType]string {
	return map[message.PayloadType]string{
		message.TypeApplicationAuthReq: "CH_CLIENT_ALREADY_AUTHENTICATED", message.TypeAccountAuthReq: "ALREADY_LOGGED_IN",
		message.TypeRefreshTokenReq: "CH_ACCESS_TOKEN_INVALID",
		message.TypeCancelOrderReq:  "ORDER_NOT_FOUND", message.TypeAmendOrderReq: "ORDER_NOT_FOUND", message.TypeOrderDetailsReq: "ORDER_NOT_FOUND",
		message.TypeAmendPositionSLTPReq: "POSITION_NOT_FOUND", message.TypeClosePositionReq: "POSITION_NOT_FOUND",
		message.TypeDealOffsetListReq: "ENTITY_NOT_FOUND",
	}
}

func TestEveryRequestIsAnswered(t *testing.T) {
	for _, json := range []bool{false, true} {
		k := quiet()
		k.Rate, k.HistoricalRate = -1, -1
		inBubble(t, k, func(t *testing.T, s *openapi.Server) {
			c := pipe(t, s, false, json)
			c.signIn(token(s, "trading").Access, demo)
			requests := filledIn(c.token)
			types := slices.DeleteFunc(message.All(), func(t message.PayloadType) bool { return !message.IsRequest(t) })
			// What ends a subscription or the session comes after what needs it.
			last := []message.PayloadType{message.TypeUnsubscribeSpotsReq, message.TypeAccountLogoutReq}
			types = append(slices.DeleteFunc(types, func(t message.PayloadType) bool { return slices.Contains(last, t) }), last...)
			for _, kind := range types {
				req := requests[kind]
				if req == nil {
					t.Errorf("%s is not in the table", kind)
					continue
				}
				answer := c.ask(req)
				if code := expected()[kind]; code != "" {
					wantCode(t, answer, code, "")
				} else if right, _ := message.Answer(kind); answer.PayloadType() != right {
					t.Errorf("%s: got %s %+v", kind, answer.PayloadType(), answer)
				}
			}
			for _, kind := range types { // and all that need a session are refused without it
				if accountNeeded(kind) {
					wantCode(t, c.ask(requests[kind]), "INVALID_REQUEST", "Trading account is not authorized")
				}
			}
		})
	}
}

func accountNeeded(t message.PayloadType) bool {
	return !slices.Contains([]message.PayloadType{
		message.TypeApplicationAuthReq, message.TypeAccountAuthReq, message.TypeVersionReq, message.TypeRefreshTokenReq,
		message.TypeGetAccountListByAccessTokenReq, message.TypeGetCtidProfileByTokenReq,
	}, t)
}

func TestReference(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		symbols := want[*message.SymbolsListRes](t, c.ask(&message.SymbolsListReq{CtidTraderAccountID: demo})).Symbol
		assets := want[*message.AssetListRes](t, c.ask(&message.AssetListReq{CtidTraderAccountID: demo})).Asset
		categories := want[*message.SymbolCategoryListRes](t, c.ask(&message.SymbolCategoryListReq{CtidTraderAccountID: demo})).SymbolCategory
		if len(symbols) != len(openapi.DefaultSymbols()) {
			t.Errorf("%d symbols", len(symbols))
		}
		for _, symbol := range symbols {
			base, quote := assets[symbol.BaseAssetID.Or(0)-1].Name, assets[symbol.QuoteAssetID.Or(0)-1].Name
			if name := symbol.SymbolName.Or(""); name != base+quote && name != "NOTRADE" {
				t.Errorf("%s is %s in %s", name, base, quote)
			}
			if category := symbol.SymbolCategoryID.Or(0); category < 1 || category > int64(len(categories)) {
				t.Errorf("category %d", category)
			}
		}
		conversion := func(from, to int64) int {
			return len(want[*message.SymbolsForConversionRes](t, c.ask(&message.SymbolsForConversionReq{CtidTraderAccountID: demo, FirstAssetID: from, LastAssetID: to})).Symbol)
		}
		if one, two := conversion(1, 2), conversion(3, 4); one != 1 || two != 2 { // EUR to USD, GBP by USD to JPY
			t.Errorf("chains of %d and %d", one, two)
		}
		wantCode(t, c.ask(&message.SymbolByIDReq{CtidTraderAccountID: demo, SymbolID: []int64{999}}), "SYMBOL_NOT_FOUND", "")
		wantCode(t, c.ask(&message.SymbolsForConversionReq{CtidTraderAccountID: demo, FirstAssetID: 99, LastAssetID: 1}), "ENTITY_NOT_FOUND", "")
	})
}

// Bars and ticks follow from the time alone, and mean what the client's helpers
// make of them.
func TestThePast(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		bars := func(count uint32) *message.GetTrendbarsRes {
			return want[*message.GetTrendbarsRes](t, c.ask(&message.GetTrendbarsReq{CtidTraderAccountID: demo, SymbolID: 1, Period: message.TrendbarPeriodM5, Count: message.Some(count)}))
		}
		ten := bars(10).Trendbar
		if len(ten) != 10 || len(bars(5000).Trendbar) != 1000 {
			t.Fatalf("%d bars", len(ten))
		}
		var before message.Bar
		for i := range ten {
			bar, err := ten[i].Bar()
			if err != nil || bar.High < max(bar.Open, bar.Close) || bar.Low > min(bar.Open, bar.Close) {
				t.Errorf("got %+v, %v", bar, err)
			}
			if i > 0 && (bar.Time.Sub(before.Time) != 5*time.Minute || bar.Open != before.Close) {
				t.Errorf("%+v after %+v", bar, before)
			}
			before = bar
		}
		for _, whole := range []bool{false, true} {
			s.Tune(func(k *openapi.Knobs) { k.TickPricesWhole, k.TickTimesPositive = whole, whole })
			now := s.Venue.Time().Now()
			res := want[*message.GetTickDataRes](t, c.ask(&message.GetTickDataReq{CtidTraderAccountID: demo, SymbolID: 1, Type: message.QuoteTypeAsk, FromTimestamp: message.Some(now.Add(-time.Minute).UnixMilli())}))
			ticks, err := message.Ticks(res.TickData, !whole)
			if err != nil || len(ticks) < 6 || res.HasMore {
				t.Fatalf("got %+v, %v", ticks, err)
			}
			for i, tick := range ticks {
				if tick.Price < 108000 || tick.Price > 109000 || i > 0 && ticks[i-1].Time.Sub(tick.Time) != 10*time.Second {
					t.Errorf("got %+v", tick)
				}
			}
		}
		wantCode(t, c.ask(&message.DealListReq{CtidTraderAccountID: demo, FromTimestamp: message.Some[int64](-1)}), "INCORRECT_BOUNDARIES", "")
	})
}

func TestSubscriptions(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		one := []int64{1}
		depth := &message.SubscribeDepthQuotesReq{CtidTraderAccountID: demo, SymbolID: one}
		bars := &message.SubscribeLiveTrendbarReq{CtidTraderAccountID: demo, SymbolID: 1, Period: message.TrendbarPeriodM1}
		spots := &message.SubscribeSpotsReq{CtidTraderAccountID: demo, SymbolID: one, SubscribeToSpotTimestamp: message.Some(true)}
		wantCode(t, c.ask(depth), "NOT_SUBSCRIBED_TO_SPOTS", "")
		wantCode(t, c.ask(bars), "NOT_SUBSCRIBED_TO_SPOTS", "")
		wantCode(t, c.ask(&message.SubscribeSpotsReq{CtidTraderAccountID: demo, SymbolID: []int64{1, 77}}), "SYMBOL_NOT_FOUND", "")
		c.ask(spots)
		if e := event[*message.SpotEvent](c); e.Bid.IsZero() || e.Ask.IsZero() || e.Timestamp.IsZero() {
			t.Errorf("got %+v", e)
		}
		wantCode(t, c.ask(spots), "ALREADY_SUBSCRIBED", "")
		c.ask(depth)
		before := event[*message.DepthEvent](c)
		wantCode(t, c.ask(depth), "ALREADY_SUBSCRIBED", "")
		c.ask(bars)
		s.Quote("EURUSD", 108500, 108512)
		e := event[*message.SpotEvent](c)
		if !e.Bid.IsZero() || e.Ask.Or(0) != 108512 || len(e.Trendbar) != 1 || e.Trendbar[0].Low.Or(0) != 108500 {
			t.Errorf("got %+v", e)
		}
		if after := event[*message.DepthEvent](c); len(after.DeletedQuotes) != len(before.NewQuotes) || after.DeletedQuotes[0] != before.NewQuotes[0].ID {
			t.Errorf("got %+v", after)
		}
		s.Quote("GBPUSD", 127000, 127050) // nobody wants to hear of it
		want[*message.UnsubscribeSpotsRes](t, c.ask(&message.UnsubscribeSpotsReq{CtidTraderAccountID: demo, SymbolID: one}))
		s.Quote("EURUSD", 108600, 108612)
		want[*message.TraderRes](t, c.ask(trader(demo)))
		wantCode(t, c.ask(depth), "NOT_SUBSCRIBED_TO_SPOTS", "")
	})
}

// The same seed gives the same walk, another one another.
func TestPricesWalk(t *testing.T) {
	walk := func(seed uint64) (prices []uint64) {
		inBubble(t, openapi.Knobs{Seed: seed, BothSides: true}, func(t *testing.T, s *openapi.Server) {
			c := signedIn(t, s, demo)
			start := time.Now()
			c.ask(&message.SubscribeSpotsReq{CtidTraderAccountID: demo, SymbolID: []int64{41}})
			for range 40 {
				e := event[*message.SpotEvent](c)
				if e.Ask.Or(0) <= e.Bid.Or(0) || e.Bid.Or(0)%1000 != 0 {
					t.Errorf("got %+v", e)
				}
				prices = append(prices, e.Bid.Or(0))
			}
			if took := time.Since(start); took < 9*time.Second || took > 15*time.Second {
				t.Errorf("40 prices took %s", took)
			}
		})
		return prices
	}
	first := walk(1)
	if !slices.Equal(first, walk(1)) || slices.Equal(first, walk(2)) {
		t.Error("a walk is not what its seed makes it")
	}
}
