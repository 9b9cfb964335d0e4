package message

// bars.go owns what is coded as differences: trend bars and lists of ticks.

import (
	"math"
	"time"
)

// Bar is a trend bar with its prices written out, all in 1/100000.
type Bar struct {
	Open, High, Low, Close int64
	// Volume is a number of ticks.
	Volume int64
	// Time is the start of the bar, the zero time if the bar does not say.
	Time   time.Time
	Period Optional[TrendbarPeriod]
}

// Bar adds up what a trend bar carries as differences to its low. A difference
// that is absent is none. The error is a *DecodeError: the bar has no low, or
// a sum does not fit.
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
		// The difference of the largest number and low is right in 64 bits
		// without a sign, whatever low is.
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

// Ticks writes out a list of ticks, the newest first, as it comes. The first
// one's time is whole and each other one's is a difference to the tick before
// it; since the list goes back in time, the difference is taken off whatever
// its sign.
//
// Whether the prices are differences as well the documentation does not say.
// Clients that are in use take them so, which is what true means here; false
// takes every price as it stands. Compare the second tick of a first answer
// with the market before relying on either.
//
// The error is a *DecodeError: a sum does not fit.
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

// size is a number without its sign; the smallest one has none and is taken as
// the largest.
func size(a int64) int64 {
	switch {
	case a == math.MinInt64:
		return math.MaxInt64
	case a < 0:
		return -a
	}
	return a
}
