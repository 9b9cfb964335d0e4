package message

import (
	"strconv"
	"time"
)

// chart.go owns histograms and charts.

// Date is the day of a trading session.
type Date struct{ Year, Month, Day int64 }

// Volume is how much was traded at a price, told in ticks from a histogram's base.
type Volume struct {
	Ticks int64
	Size  Number
}

// Histogram is how much was traded at which price.
type Histogram struct {
	ContractID int64
	Timestamp  time.Time // zero if absent
	TradeDate  Date
	Base       Number
	Items      []Volume // in the venue's order
	Refresh    bool     // what was known before is to be forgotten
	Unknown    []Field  // empty for none
}

// Bar is one of a chart.
type Bar struct {
	Timestamp              time.Time // zero if absent
	Open, High, Low, Close Number
	UpVolume, DownVolume   Number
	UpTicks, DownTicks     Number
	BidVolume, OfferVolume Number
}

// Chart is a packet of a chart. Ticks are in Unknown, as the venue sent them.
type Chart struct {
	ID           int64
	TradeDate    int64 // such as 20261103
	Bars         []Bar
	EndOfHistory bool
	Unknown      []Field // empty for none
}

// Decode reads a histogram into what is there, whose room it uses again.
func (h *Histogram) Decode(text []byte) error {
	*h = Histogram{Items: h.Items[:0], Unknown: h.Unknown[:0]}
	s := scanner{text: text}
	err := s.object(func(key []byte) error {
		switch string(key) {
		case "contractId":
			return within("contractId", s.integer(&h.ContractID))
		case "timestamp":
			return within("timestamp", s.time(&h.Timestamp))
		case "tradeDate":
			return within("tradeDate", s.date(h))
		case "base":
			return within("base", s.float(&h.Base))
		case "items":
			return within("items", s.items(h))
		case "refresh":
			return within("refresh", s.truth(&h.Refresh))
		}
		return s.unknown("", key, &h.Unknown)
	})
	if err != nil {
		return err
	}
	return s.end()
}

// Decode reads a packet of a chart into what is there, whose room it uses again.
func (c *Chart) Decode(text []byte) error {
	*c = Chart{Bars: c.Bars[:0], Unknown: c.Unknown[:0]}
	s := scanner{text: text}
	err := s.object(func(key []byte) error {
		switch string(key) {
		case "id":
			return within("id", s.integer(&c.ID))
		case "td":
			return within("td", s.integer(&c.TradeDate))
		case "bars":
			return within("bars", s.bars(c))
		case "eoh":
			return within("eoh", s.truth(&c.EndOfHistory))
		}
		return s.unknown("", key, &c.Unknown)
	})
	if err != nil {
		return err
	}
	return s.end()
}

// truth takes a true or false; null is false.
func (s *scanner) truth(to *bool) error {
	*to = false
	switch s.peek() {
	case 't':
		*to = true
		return s.word("true")
	case 'n':
		return s.word("null")
	}
	return s.word("false")
}

func (s *scanner) date(h *Histogram) error {
	h.TradeDate = Date{}
	if null, err := s.null(); null {
		return err
	}
	return s.object(func(key []byte) error {
		switch string(key) {
		case "year":
			return within("year", s.integer(&h.TradeDate.Year))
		case "month":
			return within("month", s.integer(&h.TradeDate.Month))
		case "day":
			return within("day", s.integer(&h.TradeDate.Day))
		}
		return s.unknown("tradeDate.", key, &h.Unknown)
	})
}

func (s *scanner) items(h *Histogram) error {
	h.Items = h.Items[:0]
	if null, err := s.null(); null {
		return err
	}
	return s.object(func(key []byte) error {
		ticks, err := strconv.ParseInt(string(key), 10, 64)
		if err != nil {
			return s.unknown("items.", key, &h.Unknown)
		}
		h.Items = append(h.Items, Volume{Ticks: ticks})
		return within(string(key), s.float(&h.Items[len(h.Items)-1].Size))
	})
}

func (s *scanner) bars(c *Chart) error {
	c.Bars = c.Bars[:0]
	if null, err := s.null(); null {
		return err
	}
	if err := s.open('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.next(first, ']')
		if err != nil || !more {
			return err
		}
		c.Bars = append(c.Bars, Bar{})
		if err := s.bar(&c.Bars[len(c.Bars)-1], &c.Unknown); err != nil {
			return err
		}
	}
}

func (s *scanner) bar(b *Bar, unknown *[]Field) error {
	return s.object(func(key []byte) error {
		if string(key) == "timestamp" {
			return within("timestamp", s.time(&b.Timestamp))
		}
		if to := b.number(key); to != nil {
			if err := s.float(to); err != nil {
				return within(string(key), err)
			}
			return nil
		}
		return s.unknown("bars.", key, unknown)
	})
}

// number is where a number of a bar goes; nil for one that nobody knows.
func (b *Bar) number(key []byte) *Number {
	switch string(key) {
	case "open":
		return &b.Open
	case "high":
		return &b.High
	case "low":
		return &b.Low
	case "close":
		return &b.Close
	case "upVolume":
		return &b.UpVolume
	case "downVolume":
		return &b.DownVolume
	case "upTicks":
		return &b.UpTicks
	case "downTicks":
		return &b.DownTicks
	case "bidVolume":
		return &b.BidVolume
	case "offerVolume":
		return &b.OfferVolume
	}
	return nil
}
