package openapi

import (
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// book.go owns the book of an account: balance, orders, positions and deals, and how they
// are encoded in messages.

// Deposit is the initial state of an account.
type Deposit struct {
	// Currency is the account's deposit asset; empty means USD.
	Currency string
	// Balance is in the smallest unit of the currency; 0 means 10000 whole units.
	Balance int64
	// Leverage is, for example, 100 for 1:100. 0 means 100.
	Leverage int64
}

// DefaultDeposit returns 10000.00 USD at 1:100.
func DefaultDeposit() Deposit { return Deposit{Currency: "USD", Balance: 10_000_00, Leverage: 100} }

func (d Deposit) filled() Deposit {
	standard := DefaultDeposit()
	if d.Currency == "" {
		d.Currency = standard.Currency
	}
	if d.Balance == 0 {
		d.Balance = 10_000 * tenTo(digitsOf(d.Currency))
	}
	if d.Leverage <= 0 {
		d.Leverage = standard.Leverage
	}
	return d
}

// book is the state of one account. It is guarded by Server.mu.
type book struct {
	Deposit
	account   int64
	owner     emulator.Account
	opened    time.Time
	version   int64 // of the balance
	orders    []*order
	positions []*position
	deals     []*deal
	cash      []message.DepositWithdraw
	calls     []message.MarginCall
}

// bookOf returns the book of an account, and creates it if necessary.
func (s *Server) bookOf(account int64) *book {
	b := s.books[account]
	if b == nil {
		b = &book{Deposit: s.Deposits[account].filled(), account: account, opened: s.now()}
		for i, level := range []float64{100, 80, 60} {
			b.calls = append(b.calls, message.MarginCall{
				MarginCallType: message.NotificationTypeMarginLevelThreshold1 + message.NotificationType(i), MarginLevelThreshold: level,
			})
		}
		s.books[account] = b
		b.pay(s, b.Balance, 0, message.ChangeBalanceTypeBalanceDeposit)
	}
	return b
}

// pay records a change of the balance.
func (b *book) pay(s *Server, balance, before int64, kind message.ChangeBalanceType) message.DepositWithdraw {
	b.Balance = balance
	b.version++
	entry := message.DepositWithdraw{
		OperationType: kind, BalanceHistoryID: s.nextID(), Balance: balance, Delta: balance - before,
		ChangeBalanceTimestamp: s.now().UnixMilli(), BalanceVersion: message.Some(b.version),
		Equity: message.Some(balance), MoneyDigits: b.moneyDigits(),
	}
	b.cash = append(b.cash, entry)
	return entry
}

// Deposit adds an amount to the balance of an account, in the smallest unit of its currency,
// and sends its sessions an event. A negative amount is a withdrawal.
func (s *Server) Deposit(account, amount int64) {
	s.begin()
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bookOf(account)
	kind := message.ChangeBalanceTypeBalanceDeposit
	if amount < 0 {
		kind = message.ChangeBalanceTypeBalanceWithdraw
	}
	entry := b.pay(s, b.Balance+amount, b.Balance, kind)
	s.publish(account, &message.ExecutionEvent{
		CtidTraderAccountID: account, ExecutionType: message.ExecutionTypeDepositWithdraw, DepositWithdraw: &entry,
	})
	s.publish(account, &message.TraderUpdatedEvent{CtidTraderAccountID: account, Trader: b.trader(&s.market)})
	s.flush(nil, "", nil)
}

func (b *book) digits() int { return digitsOf(b.Currency) }

func (b *book) moneyDigits() message.Optional[uint32] { return message.Some(uint32(b.digits())) }

func (b *book) trader(m *market) message.Trader {
	return message.Trader{
		CtidTraderAccountID: b.account, Balance: b.Balance, BalanceVersion: message.Some(b.version),
		AccessRights: message.Some(message.AccessRightsFullAccess), DepositAssetID: idOf(m.assets(), b.Currency),
		LeverageInCents: message.Some(uint32(b.Leverage * 100)), MaxLeverage: message.Some(uint32(b.Leverage)),
		TotalMarginCalculationType: message.Some(message.TotalMarginCalculationTypeMax),
		AccountType:                message.Some(message.AccountTypeHedged),
		TraderLogin:                optional(b.owner.Login), BrokerName: optional(b.owner.Broker),
		RegistrationTimestamp: message.Some(b.opened.UnixMilli()), MoneyDigits: b.moneyDigits(),
	}
}

// order is an order in integers; a price of 0 means none.
type order struct {
	id, position     int64
	q                *quote
	kind             message.OrderType
	side             message.TradeSide
	status           message.OrderStatus
	volume, executed int64
	limit, stop      int64
	price            int64 // of execution
	slippage         int64 // in points
	base             int64 // the price from which slippage counts
	protection       protection
	relSL, relTP     int64
	closing          bool
	expires          time.Time
	force            message.TimeInForce
	label, comment   string
	clientID         string
	created, changed time.Time
}

// protection is the stop loss and take profit of an order or a position.
type protection struct {
	sl, tp   int64
	trailing bool
	trigger  message.OrderTriggerMethod
}

func (o *order) message() *message.Order {
	m := &message.Order{
		OrderID: o.id, OrderType: o.kind, OrderStatus: o.status,
		TradeData: message.TradeData{
			SymbolID: o.q.ID, Volume: o.volume, TradeSide: o.side, OpenTimestamp: message.Some(o.created.UnixMilli()),
			Label: optional(o.label), Comment: optional(o.comment),
		},
		ExecutionPrice: double(o.price), ExecutedVolume: message.Some(o.executed),
		UTCLastUpdateTimestamp: message.Some(o.changed.UnixMilli()),
		LimitPrice:             double(o.limit), StopPrice: double(o.stop),
		StopLoss: double(o.protection.sl), TakeProfit: double(o.protection.tp),
		RelativeStopLoss: optional(o.relSL), RelativeTakeProfit: optional(o.relTP),
		ClientOrderID: optional(o.clientID), TimeInForce: message.Some(o.force), PositionID: optional(o.position),
		BaseSlippagePrice: double(o.base), SlippageInPoints: optional(o.slippage),
		ClosingOrder: message.Some(o.closing), IsStopOut: message.Some(false),
		TrailingStopLoss: message.Some(o.protection.trailing), StopTriggerMethod: optional(o.protection.trigger),
	}
	if !o.expires.IsZero() {
		m.ExpirationTimestamp = message.Some(o.expires.UnixMilli())
	}
	return m
}

func (o *order) pending() bool { return o.status == message.OrderStatusAccepted }

// position is a position in integers.
type position struct {
	id              int64
	q               *quote
	side            message.TradeSide
	volume          int64
	price           int64
	commission      int64
	protection      protection
	guard           *order // represents the protection
	distance        int64  // of a trailing stop
	status          message.PositionStatus
	label, comment  string
	opened, changed time.Time
}

func (b *book) message(m *market, p *position) *message.Position {
	out := &message.Position{
		PositionID: p.id, PositionStatus: p.status, Swap: 0, Price: double(p.price),
		TradeData: message.TradeData{
			SymbolID: p.q.ID, Volume: p.volume, TradeSide: p.side, OpenTimestamp: message.Some(p.opened.UnixMilli()),
			Label: optional(p.label), Comment: optional(p.comment),
		},
		StopLoss: double(p.protection.sl), TakeProfit: double(p.protection.tp),
		UTCLastUpdateTimestamp: message.Some(p.changed.UnixMilli()), Commission: message.Some(p.commission),
		UsedMargin: message.Some(uint64(b.margin(m, p.q, p.volume))), MoneyDigits: b.moneyDigits(),
		TrailingStopLoss: message.Some(p.protection.trailing), StopLossTriggerMethod: optional(p.protection.trigger),
	}
	if p.status == message.PositionStatusClosed {
		out.TradeData.CloseTimestamp = message.Some(uint64(p.changed.UnixMilli()))
	}
	return out
}

// closes returns the price at which the position could be closed now.
func (p *position) closes() int64 {
	if p.side == message.TradeSideBuy {
		return p.q.bid
	}
	return p.q.ask
}

func (b *book) unrealized(m *market, p *position) int64 {
	return b.gain(m, p, p.closes(), p.volume)
}

func (b *book) gain(m *market, p *position, price, volume int64) int64 {
	if p.side == message.TradeSideBuy {
		return b.profit(m, p.q, p.price, price, volume)
	}
	return b.profit(m, p.q, price, p.price, volume)
}

// free returns the free margin: the equity minus the margin in use.
func (b *book) free(m *market) int64 {
	free := b.Balance
	for _, p := range b.positions {
		free += b.unrealized(m, p) - b.margin(m, p.q, p.volume)
	}
	return free
}

func (b *book) order(id int64) *order {
	for _, o := range b.orders {
		if o.id == id {
			return o
		}
	}
	return nil
}

func (b *book) position(id int64) *position {
	for _, p := range b.positions {
		if p.id == id {
			return p
		}
	}
	return nil
}

// deal is a deal, and, if it closed something, the deal that had opened it.
type deal struct {
	message.Deal
	opening int64
}
