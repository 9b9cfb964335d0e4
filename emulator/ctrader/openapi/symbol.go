package openapi

import (
	"slices"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// symbol.go owns what is traded: symbols and assets.

// Symbol is a tradable symbol. Volumes are in 1/100 of a unit and prices in 1/100000, as in
// the protocol.
type Symbol struct {
	ID          int64
	Name        string
	Description string
	Base, Quote string // the assets
	Class       string // of assets, such as "Forex"
	Category    string
	Digits      int
	Pip         int
	// Bid and Spread are the initial prices.
	Bid, Spread int64
	// Lot is the size of a lot; Min, Max and Step limit the volume of an order.
	Lot, Min, Max, Step int64
	// Disabled refuses all orders.
	Disabled bool
}

// DefaultSymbols returns the symbols of a server whose Symbols are empty.
func DefaultSymbols() []Symbol {
	forex := func(id int64, name string, bid int64, digits int, description string) Symbol {
		return Symbol{
			ID: id, Name: name, Description: description, Base: name[:3], Quote: name[3:],
			Class: "Forex", Category: "Majors", Digits: digits, Pip: digits - 1, Bid: bid,
			Spread: 10 * tenTo(5-digits), Lot: 100_000_00, Min: 1_000_00, Max: 10_000_000_00, Step: 1_000_00,
		}
	}
	return []Symbol{
		forex(1, "EURUSD", 1_08500, 5, "Euro vs US Dollar"),
		forex(2, "GBPUSD", 1_27000, 5, "British Pound vs US Dollar"),
		forex(3, "EURGBP", 85400, 5, "Euro vs British Pound"),
		forex(4, "USDJPY", 150_12300, 3, "US Dollar vs Japanese Yen"),
		{
			ID: 41, Name: "XAUUSD", Description: "Gold vs US Dollar", Base: "XAU", Quote: "USD", Class: "Metals", Category: "Spot Metals",
			Digits: 2, Pip: 1, Bid: 2350_10000, Spread: 20000, Lot: 100_00, Min: 1_00, Max: 5_000_00, Step: 1_00,
		},
		{
			ID: 101, Name: "BTCUSD", Description: "Bitcoin vs US Dollar", Base: "BTC", Quote: "USD", Class: "Crypto Currency", Category: "Crypto",
			Digits: 2, Pip: 1, Bid: 65_000_00000, Spread: 1000000, Lot: 1_00, Min: 1, Max: 50_00, Step: 1,
		},
		{
			ID: 201, Name: "NOTRADE", Description: "Trading is disabled", Base: "USD", Quote: "EUR", Class: "Forex", Category: "Exotics",
			Digits: 5, Pip: 4, Bid: 92000, Spread: 100, Lot: 100_000_00, Min: 1_000_00, Max: 10_000_000_00, Step: 1_000_00, Disabled: true,
		},
	}
}

func tenTo(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// point returns the smallest step of the price.
func (s Symbol) point() int64 { return tenTo(5 - s.Digits) }

// digitsOf returns how many decimal places amounts of an asset have.
func digitsOf(asset string) int {
	switch asset {
	case "JPY":
		return 0
	case "BTC":
		return 8
	}
	return 2
}

// names returns the distinct values of a property of the symbols, in their order. The ID of
// a value is its index plus one.
func (m *market) names(of func(Symbol) []string) []string {
	var list []string
	for _, q := range m.quotes {
		for _, name := range of(q.Symbol) {
			if !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

func (m *market) assets() []string {
	return m.names(func(s Symbol) []string { return []string{s.Base, s.Quote} })
}

func (m *market) classes() []string {
	return m.names(func(s Symbol) []string { return []string{s.Class} })
}

func (m *market) categories() []string {
	return m.names(func(s Symbol) []string { return []string{s.Category} })
}

func idOf(list []string, name string) int64 { return int64(slices.Index(list, name) + 1) }

func (m *market) light(s Symbol) message.LightSymbol {
	return message.LightSymbol{
		SymbolID: s.ID, SymbolName: message.Some(s.Name), Enabled: message.Some(true),
		BaseAssetID:      message.Some(idOf(m.assets(), s.Base)),
		QuoteAssetID:     message.Some(idOf(m.assets(), s.Quote)),
		SymbolCategoryID: message.Some(idOf(m.categories(), s.Category)),
		Description:      optional(s.Description),
	}
}

func (s Symbol) full() message.Symbol {
	mode := message.TradingModeEnabled
	if s.Disabled {
		mode = message.TradingModeDisabledWithoutPendingsExecution
	}
	return message.Symbol{
		SymbolID: s.ID, Digits: int32(s.Digits), PipPosition: int32(s.Pip),
		EnableShortSelling: message.Some(true), GuaranteedStopLoss: message.Some(false),
		MaxVolume: message.Some(s.Max), MinVolume: message.Some(s.Min), StepVolume: message.Some(s.Step),
		LotSize: message.Some(s.Lot), TradingMode: message.Some(mode),
		CommissionType:               message.Some(message.CommissionTypeUSDPerMillionUSD),
		PreciseTradingCommissionRate: message.Some[int64](commissionPerMillion * 100_000_000),
		PreciseMinCommission:         message.Some[int64](0),
		LeverageID:                   message.Some[int64](leverageID),
		ScheduleTimeZone:             message.Some("UTC"),
		Schedule:                     []message.Interval{{StartSecond: 0, EndSecond: 7 * 24 * 3600}},
	}
}
