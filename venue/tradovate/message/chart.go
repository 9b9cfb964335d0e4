package message

import (
	"strconv"
	"time"
)

// chart.go owns histograms and charts.

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

// Tick is one of a chart: a trade, and what was bid and offered then.
type Tick struct {
	ID         int64
	Timestamp  time.Time
	Trade      Level
	Bid, Offer Level // absent if the venue does not say
}

// Chart is a packet of a chart: bars or ticks. The ticks of one packet may be out of order.
type Chart struct {
	ID           int64
	TradeDate    int64 // such as 20261103
	Bars         []Bar
	Ticks        []Tick
	TickSize     Number  // of the contract; with ticks only
	Source       string  // where ticks come from, such as "db"
	EndOfHistory bool    // what follows is happening now
	Unknown      []Field // empty for none
}

// Decode reads a histogram into what is there, whose room it uses again.
func (h *Histogram) Decode(text []byte) error {
	s := scanner{text: text}
	return s.finish(h.scan(&s))
}

func (h *Histogram) scan(s *scanner) error {
	*h = Histogram{Items: h.Items[:0], Unknown: h.Unknown[:0]}
	return s.object(func(key []byte) error {
		switch string(key) {
		case "contractId":
			return within("contractId", s.integer(&h.ContractID))
		case "timestamp":
			return within("timestamp", s.time(&h.Timestamp))
		case "tradeDate":
			return within("tradeDate", s.date(&h.TradeDate, "tradeDate.", &h.Unknown))
		case "base":
			return within("base", s.float(&h.Base))
		case "items":
			return within("items", s.items(h))
		case "refresh":
			return within("refresh", s.truth(&h.Refresh))
		}
		return s.unknown("", key, &h.Unknown)
	})
}

// base is what the ticks of a packet are told from: a price in ticks, and a time in
// milliseconds.
type base struct {
	price        Number
	milliseconds int64
}

// Decode reads a packet of a chart into what is there, whose room it uses again.
func (c *Chart) Decode(text []byte) error {
	s := scanner{text: text}
	return s.finish(c.scan(&s))
}

func (c *Chart) scan(s *scanner) error {
	*c = Chart{Bars: c.Bars[:0], Ticks: c.Ticks[:0], Unknown: c.Unknown[:0]}
	var from base
	err := s.object(func(key []byte) error {
		switch string(key) {
		case "id":
			return within("id", s.integer(&c.ID))
		case "td":
			return within("td", s.number64(&c.TradeDate))
		case "bars":
			return within("bars", s.bars(c))
		case "tks":
			return within("tks", s.ticks(c))
		case "bp":
			return within("bp", s.float(&from.price))
		case "bt":
			return within("bt", s.integer(&from.milliseconds))
		case "ts":
			return within("ts", s.float(&c.TickSize))
		case "s":
			return within("s", s.str(&c.Source))
		case "eoh":
			return within("eoh", s.truth(&c.EndOfHistory))
		}
		return s.unknown("", key, &c.Unknown)
	})
	c.count(from)
	return err
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
	return s.list(func() error {
		c.Bars = append(c.Bars, Bar{})
		return s.bar(&c.Bars[len(c.Bars)-1], &c.Unknown)
	})
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
