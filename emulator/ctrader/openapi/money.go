package openapi

import (
	"math"
	"math/big"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// money.go owns money: exact until the last step, which rounds.

const (
	priceUnit  = 100_000
	volumeUnit = 100
	// commissionPerMillion is in USD, for each side of a trade of a million USD.
	commissionPerMillion = 30
	leverageID           = 1
)

func ratio(a, b int64) *big.Rat { return big.NewRat(a, b) }

func times(a *big.Rat, more ...*big.Rat) *big.Rat {
	product := new(big.Rat).Set(a)
	for _, b := range more {
		product.Mul(product, b)
	}
	return product
}

// rounded returns an amount in the smallest unit of money with that many digits, and rounds
// half away from zero.
func rounded(amount *big.Rat, digits int) int64 {
	scaled := times(amount, ratio(tenTo(digits), 1))
	half := ratio(int64(scaled.Sign()), 2)
	scaled.Add(scaled, half)
	return new(big.Int).Quo(scaled.Num(), scaled.Denom()).Int64()
}

// rate returns the price of one asset in another. If no symbol has both, it goes through
// USD; if that fails too, the rate is 1.
func (m *market) rate(from, to string) *big.Rat {
	if r := m.direct(from, to); r != nil {
		return r
	}
	first, second := m.direct(from, "USD"), m.direct("USD", to)
	if first == nil || second == nil {
		return ratio(1, 1)
	}
	return times(first, second)
}

func (m *market) direct(from, to string) *big.Rat {
	if from == to {
		return ratio(1, 1)
	}
	for _, q := range m.quotes {
		if q.Disabled {
			continue
		}
		switch {
		case q.Base == from && q.Quote == to:
			return ratio(q.bid, priceUnit)
		case q.Base == to && q.Quote == from:
			return ratio(priceUnit, q.ask)
		}
	}
	return nil
}

// profit returns the profit of a volume bought at one price and sold at another.
func (b *book) profit(m *market, q *quote, bought, sold, volume int64) int64 {
	amount := times(ratio(sold-bought, priceUnit), ratio(volume, volumeUnit), m.rate(q.Quote, b.Currency))
	return rounded(amount, b.digits())
}

// margin returns the margin that a volume requires, on either side.
func (b *book) margin(m *market, q *quote, volume int64) int64 {
	amount := times(ratio(volume, volumeUnit), m.rate(q.Base, b.Currency), ratio(1, b.Leverage))
	return rounded(amount, b.digits())
}

// commission returns the commission, which is never positive.
func (b *book) commission(m *market, q *quote, volume int64) int64 {
	amount := times(ratio(volume, volumeUnit), m.rate(q.Base, "USD"), ratio(commissionPerMillion, 1_000_000), m.rate("USD", b.Currency))
	return -rounded(amount, b.digits())
}

// price converts a price from a double, and reports whether the symbol can have that price.
func (s Symbol) price(f message.Optional[float64]) (int64, bool) {
	value := f.Or(0)
	scaled := math.Round(value * priceUnit)
	if !(scaled > 0 && scaled < 1<<50) || math.Abs(value*priceUnit-scaled) > 1e-3 {
		return 0, false
	}
	p := int64(scaled)
	return p, p%s.point() == 0
}

// double returns the nearest double to a price, the form of prices in orders and positions.
func double(price int64) message.Optional[float64] {
	if price == 0 {
		return message.Optional[float64]{}
	}
	return message.Some(float64(price) / priceUnit)
}
