package message

import (
	"math"
	"time"
)

// bars.go owns decoding differences: trend bars and lists of ticks.

// Bar is a trend bar with absolute prices, all in 1/100000.
type Bar struct {
	Open, High, Low, Close int64
	// Volume is the number of ticks.
	Volume int64
	// Time is the start of the bar, or the zero time if the bar does not state it.
	Time   time.Time
	Period Optional[TrendbarPeriod]
}

// Bar returns the bar with absolute prices: on the wire, open, high and close are
// differences from the low, and an absent difference is zero. The error is a
// *DecodeError: the bar has no low, or a sum overflows.
func (m *Trendbar) Bar() (Bar, error) {
	low, ok := m.Low.Get()
	if !ok {
		return Bar{}, &DecodeError{"Trendbar", "low", -1, "is missing, so the bar has no prices"}
	}
	bar := Bar{Low: low, Volume: m.Volume, Period: m.Period}
	for _, sum := range []struct {
		to    *int64
		delta Optional[uint64]
		field string
	}{
		{&bar.Open, m.DeltaOpen, "deltaOpen"}, {&bar.High, m.DeltaHigh, "deltaHigh"}, {&bar.Close, m.DeltaClose, "deltaClose"},
	} {
		delta := sum.delta.Or(0)
		// The subtraction is correct in unsigned 64 bits for any low.
		if delta > uint64(math.MaxInt64)-uint64(low) {
			return Bar{}, &DecodeError{"Trendbar", sum.field, -1, "is too large"}
		}
		*sum.to = int64(uint64(low) + delta)
	}
	if minutes, ok := m.UTCTimestampInMinutes.Get(); ok {
		bar.Time = time.Unix(int64(minutes)*60, 0).UTC()
	}
	return bar, nil
}

// Tick is one price, in 1/100000, at its time.
type Tick struct {
	Time  time.Time
	Price int64
}

// Ticks returns a list of ticks with absolute times, newest first, as the service sends
// it. On the wire the first tick has its time, and each other tick the difference to the
// tick before it; since the list goes back in time, the difference is subtracted whatever
// its sign is.
//
// The documentation does not say whether prices are differences too. Clients in use treat
// them as such, which is what pricesAreDifferences = true does; false takes every price as
// it is. Compare the second tick of a first answer with the market before you rely on
// either.
//
// The error is a *DecodeError: a sum overflows.
func Ticks(list []TickData, pricesAreDifferences bool) ([]Tick, error) {
	ticks := make([]Tick, 0, len(list))
	var at, price int64
	for i, tick := range list {
		fits := true
		if i == 0 {
			at = tick.Timestamp
		} else {
			at, fits = sum(at, -size(tick.Timestamp))
		}
		if !fits {
			return nil, &DecodeError{"TickData", "timestamp", -1, "is too large"}
		}
		if i > 0 && pricesAreDifferences {
			price, fits = sum(price, tick.Tick)
		} else {
			price = tick.Tick
		}
		if !fits {
			return nil, &DecodeError{"TickData", "tick", -1, "is too large"}
		}
		ticks = append(ticks, Tick{Time(at), price})
	}
	return ticks, nil
}

func sum(a, b int64) (int64, bool) {
	c := a + b
	return c, (c > a) == (b > 0)
}

// size returns the absolute value of a number. That of the smallest does not fit, so it is
// the largest number instead.
func size(a int64) int64 {
	switch {
	case a == math.MinInt64:
		return math.MaxInt64
	case a < 0:
		return -a
	}
	return a
}
