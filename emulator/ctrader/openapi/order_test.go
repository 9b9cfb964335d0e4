package openapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// lot of EURUSD.
const lot = 100_000_00

func order(kind message.OrderType, side message.TradeSide, volume int64, change ...func(*message.NewOrderReq)) *message.NewOrderReq {
	m := &message.NewOrderReq{CtidTraderAccountID: demo, SymbolID: 1, OrderType: kind, TradeSide: side, Volume: volume}
	for _, f := range change {
		f(m)
	}
	return m
}

func limit(price float64) func(*message.NewOrderReq) {
	return func(m *message.NewOrderReq) { m.LimitPrice = message.Some(price) }
}

func stop(price float64) func(*message.NewOrderReq) {
	return func(m *message.NewOrderReq) { m.StopPrice = message.Some(price) }
}

const (
	buy  = message.TradeSideBuy
	sell = message.TradeSideSell
)

func market(side message.TradeSide, volume int64, change ...func(*message.NewOrderReq)) *message.NewOrderReq {
	return order(message.OrderTypeMarket, side, volume, change...)
}

// execute wants the first event as the answer and the others after it.
func execute(c *client, m message.Message, types ...message.ExecutionType) []*message.ExecutionEvent {
	c.t.Helper()
	events := []*message.ExecutionEvent{want[*message.ExecutionEvent](c.t, c.ask(m))}
	for range types[1:] {
		events = append(events, event[*message.ExecutionEvent](c))
	}
	return checked(c, events, types)
}

// happens expects the events, unsolicited.
func happens(c *client, types ...message.ExecutionType) []*message.ExecutionEvent {
	c.t.Helper()
	var events []*message.ExecutionEvent
	for range types {
		events = append(events, event[*message.ExecutionEvent](c))
	}
	return checked(c, events, types)
}

func checked(c *client, events []*message.ExecutionEvent, types []message.ExecutionType) []*message.ExecutionEvent {
	c.t.Helper()
	for i, e := range events {
		if e.ExecutionType != types[i] {
			c.t.Errorf("event %d is %s, want %s", i, e.ExecutionType, types[i])
		}
	}
	return events
}

const (
	accepted  = message.ExecutionTypeOrderAccepted
	filled    = message.ExecutionTypeOrderFilled
	replaced  = message.ExecutionTypeOrderReplaced
	cancelled = message.ExecutionTypeOrderCancelled
	expired   = message.ExecutionTypeOrderExpired
)

func balance(c *client) int64 {
	c.t.Helper()
	return want[*message.TraderRes](c.t, c.ask(trader(demo))).Trader.Balance
}

// A lot is bought at 1.08510 and sold in two parts at 1.08600: 90 USD less
// commission.
func TestAPositionFromBeginningToEnd(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c, watcher := signedIn(t, s, demo), signedIn(t, s, demo)
		heard := make(chan message.ExecutionType, 100)
		go func() {
			for {
				m, _, err := watcher.read()
				if err != nil {
					return
				}
				if e, ok := m.(*message.ExecutionEvent); ok {
					heard <- e.ExecutionType
				}
			}
		}()
		opened := execute(c, market(buy, lot), accepted, filled)[1]
		p := opened.Position
		if p.Price.Or(0) != 1.0851 || p.TradeData.Volume != lot || p.UsedMargin.Or(0) != 1085_00 || opened.Deal.ExecutionPrice.Or(0) != 1.0851 || p.Commission.Or(0) != -3_26 {
			t.Errorf("got %+v", opened)
		}
		s.Quote("EURUSD", 108600, 108610)
		pnl := want[*message.GetPositionUnrealizedPnLRes](t, c.ask(&message.GetPositionUnrealizedPnLReq{CtidTraderAccountID: demo})).PositionUnrealizedPnL
		if len(pnl) != 1 || pnl[0].GrossUnrealizedPnL != 90_00 || pnl[0].NetUnrealizedPnL != 86_74 {
			t.Errorf("got %+v", pnl)
		}
		wantCode(t, c.ask(&message.ClosePositionReq{CtidTraderAccountID: demo, PositionID: p.PositionID, Volume: 2 * lot}), "TRADING_BAD_VOLUME", "")
		part := execute(c, &message.ClosePositionReq{CtidTraderAccountID: demo, PositionID: p.PositionID, Volume: lot * 4 / 10}, accepted, filled)[1]
		if part.Position.TradeData.Volume != lot*6/10 || part.Deal.ClosePositionDetail.GrossProfit != 36_00 {
			t.Errorf("got %+v", part.Deal.ClosePositionDetail)
		}
		rest := execute(c, &message.ClosePositionReq{CtidTraderAccountID: demo, PositionID: p.PositionID, Volume: lot * 6 / 10}, accepted, filled)[1]
		if rest.Position.PositionStatus != message.PositionStatusClosed {
			t.Errorf("got %+v", rest.Position)
		}
		if got := balance(c); got != 10_000_00+90_00-3_26-3_25 { // 1.30 and 1.95 to close
			t.Errorf("balance %d", got)
		}
		reconciled := want[*message.ReconcileRes](t, c.ask(&message.ReconcileReq{CtidTraderAccountID: demo}))
		deals := want[*message.DealListRes](t, c.ask(&message.DealListReq{CtidTraderAccountID: demo})).Deal
		orders := want[*message.OrderListByPositionIDRes](t, c.ask(&message.OrderListByPositionIDReq{CtidTraderAccountID: demo, PositionID: p.PositionID})).Order
		if len(reconciled.Position) != 0 || len(deals) != 3 || len(orders) != 3 {
			t.Errorf("%d positions, %d deals, %d orders", len(reconciled.Position), len(deals), len(orders))
		}
		offsets := want[*message.DealOffsetListRes](t, c.ask(&message.DealOffsetListReq{CtidTraderAccountID: demo, DealID: deals[0].DealID}))
		details := want[*message.OrderDetailsRes](t, c.ask(&message.OrderDetailsReq{CtidTraderAccountID: demo, OrderID: deals[0].OrderID}))
		if len(offsets.OffsetBy) != 2 || len(details.Deal) != 1 {
			t.Errorf("got %+v, %+v", offsets, details)
		}
		synctest.Wait()
		if len(heard) != 6 {
			t.Errorf("the other session heard %d events", len(heard))
		}
	})
}

func TestPendingOrdersFillWhenThePriceIsThere(t *testing.T) {
	for _, test := range []struct {
		name     string
		order    *message.NewOrderReq
		bid, ask int64 // at which it does not fill
		then     [2]int64
		price    float64 // at which it does; 0: never
	}{
		{"buy limit", order(message.OrderTypeLimit, buy, lot/10, limit(1.08)), 107999, 108001, [2]int64{107985, 107995}, 1.07995},
		{"sell limit", order(message.OrderTypeLimit, sell, lot/10, limit(1.09)), 108999, 109009, [2]int64{109000, 109010}, 1.09},
		{"buy stop", order(message.OrderTypeStop, buy, lot/10, stop(1.09)), 108980, 108990, [2]int64{108995, 109005}, 1.09005},
		{"sell stop", order(message.OrderTypeStop, sell, lot/10, stop(1.08)), 108001, 108011, [2]int64{107990, 108000}, 1.0799},
		{"stop limit", order(message.OrderTypeStopLimit, buy, lot/10, stop(1.09), slippage(5)), 109000, 109010, [2]int64{108990, 109004}, 1.09004},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
				c := signedIn(t, s, demo)
				execute(c, test.order, accepted)
				s.Quote("EURUSD", test.bid, test.ask)
				if orders := want[*message.ReconcileRes](t, c.ask(&message.ReconcileReq{CtidTraderAccountID: demo})).Order; len(orders) != 1 {
					t.Fatalf("%d orders wait", len(orders))
				}
				s.Quote("EURUSD", test.then[0], test.then[1])
				if e := happens(c, filled)[0]; e.Order.ExecutionPrice.Or(0) != test.price {
					t.Errorf("filled at %s", e.Order.ExecutionPrice)
				}
			})
		})
	}
}

func slippage(points int32) func(*message.NewOrderReq) {
	return func(m *message.NewOrderReq) { m.SlippageInPoints = message.Some(points) }
}

func TestOrdersThatDoNotWait(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		ioc := func(m *message.NewOrderReq) { m.TimeInForce = message.Some(message.TimeInForceImmediateOrCancel) }
		base := func(m *message.NewOrderReq) { m.BaseSlippagePrice = message.Some(1.085) }
		execute(c, order(message.OrderTypeLimit, buy, lot/10, limit(1.09)), accepted, filled)
		execute(c, order(message.OrderTypeLimit, buy, lot/10, limit(1.08), ioc), accepted, cancelled)
		execute(c, order(message.OrderTypeMarketRange, buy, lot/10, base, slippage(10)), accepted, filled)
		execute(c, order(message.OrderTypeMarketRange, buy, lot/10, base, slippage(9)), accepted, cancelled)
	})
}

func TestAmendCancelAndExpiry(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		id := execute(c, order(message.OrderTypeLimit, buy, lot, limit(1.08)), accepted)[0].Order.OrderID
		amended := execute(c, &message.AmendOrderReq{CtidTraderAccountID: demo, OrderID: id, LimitPrice: message.Some(1.07), Volume: message.Some[int64](lot / 2)}, replaced)[0].Order
		if amended.LimitPrice.Or(0) != 1.07 || amended.TradeData.Volume != lot/2 {
			t.Errorf("got %+v", amended)
		}
		wantCode(t, c.ask(&message.AmendOrderReq{CtidTraderAccountID: demo, OrderID: id, LimitPrice: message.Some(-1.0)}), "TRADING_BAD_PRICES", "")
		execute(c, &message.CancelOrderReq{CtidTraderAccountID: demo, OrderID: id}, cancelled)
		wantCode(t, c.ask(&message.CancelOrderReq{CtidTraderAccountID: demo, OrderID: id}), "ORDER_NOT_FOUND", "")
		soon := func(m *message.NewOrderReq) {
			m.ExpirationTimestamp = message.Some(time.Now().Add(time.Minute).UnixMilli())
		}
		execute(c, order(message.OrderTypeStop, buy, lot, stop(1.10), soon), accepted)
		s.Venue.Time().Advance(2 * time.Minute)
		s.Quote("EURUSD", 109999, 110009)
		happens(c, expired)
		wantCode(t, c.ask(order(message.OrderTypeStop, buy, lot, stop(1.11), soon)), "TRADING_BAD_EXPIRATION_DATE", "")
	})
}

func TestProtection(t *testing.T) {
	for _, test := range []struct {
		name     string
		bid, ask int64
		profit   int64
	}{{"stop loss", 108300, 108310, -210_00}, {"take profit", 108800, 108810, 290_00}} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
				c := signedIn(t, s, demo)
				relative := func(m *message.NewOrderReq) {
					m.RelativeStopLoss, m.RelativeTakeProfit = message.Some[int64](500), message.Some[int64](500)
				}
				events := execute(c, market(buy, lot, relative), accepted, filled, accepted)
				p := events[2].Position
				if p.StopLoss.Or(0) != 1.0801 || p.TakeProfit.Or(0) != 1.0901 || events[2].Order.OrderType != message.OrderTypeStopLossTakeProfit {
					t.Errorf("got %+v", p)
				}
				amend := &message.AmendPositionSLTPReq{CtidTraderAccountID: demo, PositionID: p.PositionID, StopLoss: message.Some(1.083), TakeProfit: message.Some(1.088)}
				execute(c, amend, replaced)
				amend.StopLoss = message.Some(1.09)
				wantCode(t, c.ask(amend), "TRADING_BAD_STOPS", "")
				res := want[*message.ReconcileRes](t, c.ask(&message.ReconcileReq{CtidTraderAccountID: demo, ReturnProtectionOrders: message.Some(true)}))
				if len(res.Order) != 1 {
					t.Errorf("got %+v", res.Order)
				}
				s.Quote("EURUSD", test.bid, test.ask)
				if e := happens(c, filled)[0]; e.Deal.ClosePositionDetail.GrossProfit != test.profit {
					t.Errorf("got %+v", e.Deal.ClosePositionDetail)
				}
			})
		})
	}
}

func TestATrailingStopFollows(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		p := execute(c, market(sell, lot), accepted, filled)[1].Position
		execute(c, &message.AmendPositionSLTPReq{CtidTraderAccountID: demo, PositionID: p.PositionID, StopLoss: message.Some(1.0871), TrailingStopLoss: message.Some(true)}, accepted)
		s.Quote("EURUSD", 108200, 108210)
		if e := event[*message.TrailingSLChangedEvent](c); e.StopPrice != 1.0841 {
			t.Errorf("got %+v", e)
		}
		s.Quote("EURUSD", 108400, 108410)
		happens(c, filled)
	})
}

func TestOrdersOnAPosition(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		id := execute(c, market(buy, lot), accepted, filled)[1].Position.PositionID
		on := func(m *message.NewOrderReq) { m.PositionID = message.Some(id) }
		s.Quote("EURUSD", 108600, 108610)
		if p := execute(c, market(buy, lot, on), accepted, filled)[1].Position; p.PositionID != id || p.TradeData.Volume != 2*lot || p.Price.Or(0) != 1.0856 {
			t.Errorf("got %+v", p)
		}
		wantCode(t, c.ask(market(sell, 3*lot, on)), "TRADING_BAD_VOLUME", "")
		if e := execute(c, market(sell, 2*lot, on), accepted, filled)[1]; e.Position.PositionStatus != message.PositionStatusClosed || e.Deal.ClosePositionDetail.GrossProfit != 80_00 {
			t.Errorf("got %+v", e.Position)
		}
		wantCode(t, c.ask(market(sell, lot, on)), "POSITION_NOT_FOUND", "")
	})
}

func TestRefusedOrders(t *testing.T) {
	symbol := func(id int64) func(*message.NewOrderReq) {
		return func(m *message.NewOrderReq) { m.SymbolID = id }
	}
	for _, test := range []struct {
		order *message.NewOrderReq
		code  string
	}{
		{market(buy, 0), "TRADING_BAD_VOLUME"},
		{market(buy, 1), "TRADING_BAD_VOLUME"},
		{market(buy, lot+1), "TRADING_BAD_VOLUME"},
		{market(buy, 1000*lot), "TRADING_BAD_VOLUME"},
		{market(buy, 100*lot), "NOT_ENOUGH_MONEY"},
		{market(buy, lot, symbol(999)), "SYMBOL_NOT_FOUND"},
		{market(buy, lot, symbol(201)), "TRADING_DISABLED"},
		{market(9, lot), "INVALID_REQUEST"},
		{market(buy, lot, limit(1.08)), "TRADING_BAD_PRICES"},
		{order(message.OrderTypeLimit, buy, lot), "TRADING_BAD_PRICES"},
		{order(message.OrderTypeLimit, buy, lot, limit(-1)), "TRADING_BAD_PRICES"},
		{order(message.OrderTypeLimit, buy, lot, limit(1.085001)), "TRADING_BAD_PRICES"},
		{order(message.OrderTypeStop, buy, lot, limit(1.08)), "TRADING_BAD_PRICES"},
		{order(99, buy, lot), "INVALID_REQUEST"},
		{market(buy, lot, func(m *message.NewOrderReq) { m.StopLoss = message.Some(1.0) }), "INVALID_REQUEST"},
		{order(message.OrderTypeLimit, buy, lot, limit(1.08), func(m *message.NewOrderReq) { m.StopLoss = message.Some(1.09) }), "TRADING_BAD_STOPS"},
		{order(message.OrderTypeLimit, buy, lot, limit(1.08), func(m *message.NewOrderReq) { m.TimeInForce = message.Some(message.TimeInForceGoodTillDate) }), "TRADING_BAD_EXPIRATION_DATE"},
	} {
		t.Run(fmt.Sprint(test.code), func(t *testing.T) {
			inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
				c := signedIn(t, s, demo)
				answer := c.ask(test.order)
				want[*message.OrderErrorEvent](t, answer)
				wantCode(t, answer, test.code, "")
				s.Tune(func(k *openapi.Knobs) { k.OrderErrorsPlain = true })
				want[*message.ErrorRes](t, c.ask(test.order))
				if n := len(details(s, openapi.OrderEvent)); n != 0 {
					t.Errorf("%d events", n)
				}
			})
		})
	}
}

func TestATokenToLookDoesNotTrade(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := pipe(t, s, false, false)
		c.signIn(token(s, "accounts").Access, demo)
		want[*message.TraderRes](t, c.ask(trader(demo)))
		wantCode(t, c.ask(market(buy, lot)), "TRADING_NOT_ALLOWED", "")
		s.Tune(func(k *openapi.Knobs) { k.ViewScopeCode = "INVALID_REQUEST" })
		wantCode(t, c.ask(&message.CancelOrderReq{CtidTraderAccountID: demo}), "INVALID_REQUEST", "")
	})
}

// Profits and margins in a currency that is not that of the symbol.
func TestMoneyIsConverted(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		s.Deposits = map[int64]openapi.Deposit{demo: {Currency: "JPY", Leverage: 30}}
		s.Knobs.MarginEvents = true
		c := signedIn(t, s, demo)
		res := want[*message.TraderRes](t, c.ask(trader(demo))).Trader
		if res.Balance != 10_000 || res.MoneyDigits.Or(9) != 0 || res.LeverageInCents.Or(0) != 3000 {
			t.Errorf("got %+v", res)
		}
		s.Deposit(demo, 90_000)
		margin := want[*message.ExpectedMarginRes](t, c.ask(&message.ExpectedMarginReq{CtidTraderAccountID: demo, SymbolID: 1, Volume: []int64{lot / 10}})).Margin
		if margin[0].BuyMargin != 54_294 { // 10000 EUR * 1.08500 * 150.123 / 30, rounded
			t.Errorf("got %+v", margin)
		}
		execute(c, market(buy, lot/10), accepted, filled)
		if e := event[*message.MarginChangedEvent](c); e.UsedMargin != 54_294 {
			t.Errorf("got %+v", e)
		}
		cash := want[*message.CashFlowHistoryListRes](t, c.ask(&message.CashFlowHistoryListReq{CtidTraderAccountID: demo, ToTimestamp: message.MaxTimestamp})).DepositWithdraw
		if len(cash) != 2 || cash[1].Delta != 90_000 {
			t.Errorf("got %+v", cash)
		}
	})
}

// The same requests at the same prices give the same log of events.
func TestTradingIsDeterministic(t *testing.T) {
	run := func() (log string) {
		inBubble(t, openapi.Knobs{Seed: 7}, func(t *testing.T, s *openapi.Server) {
			c := signedIn(t, s, demo)
			execute(c, order(message.OrderTypeStop, buy, lot, stop(1.08515)), accepted)
			execute(c, order(message.OrderTypeLimit, buy, lot, limit(1.08490)), accepted)
			time.Sleep(20 * time.Second)
			log = fmt.Sprint(balance(c)) + strings.Join(details(s, openapi.OrderEvent), " ")
			for _, p := range want[*message.ReconcileRes](t, c.ask(&message.ReconcileReq{CtidTraderAccountID: demo})).Position {
				log += fmt.Sprint(p.PositionID, p.Price)
			}
		})
		return log
	}
	if first, again := run(), run(); first != again || !strings.Contains(first, "FILLED") {
		t.Errorf("%s\n%s", first, again)
	}
}

func TestMarginCallsAreKept(t *testing.T) {
	inBubble(t, quiet(), func(t *testing.T, s *openapi.Server) {
		c := signedIn(t, s, demo)
		call := message.MarginCall{MarginCallType: message.NotificationTypeMarginLevelThreshold2, MarginLevelThreshold: 77}
		want[*message.MarginCallUpdateRes](t, c.ask(&message.MarginCallUpdateReq{CtidTraderAccountID: demo, MarginCall: call}))
		event[*message.MarginCallUpdateEvent](c)
		calls := want[*message.MarginCallListRes](t, c.ask(&message.MarginCallListReq{CtidTraderAccountID: demo})).MarginCall
		if !slices.ContainsFunc(calls, func(m message.MarginCall) bool { return m.MarginLevelThreshold == 77 }) {
			t.Errorf("got %+v", calls)
		}
	})
}
