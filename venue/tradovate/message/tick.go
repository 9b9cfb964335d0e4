package message

import "time"

// tick.go owns the ticks of a chart. The venue tells prices in ticks from a base, and times in
// milliseconds from another, which may follow behind them (tradovate/example-api-js, EX-11).

func (s *scanner) ticks(c *Chart) error {
	c.Ticks = c.Ticks[:0]
	if null, err := s.null(); null {
		return err
	}
	return s.list(func() error {
		c.Ticks = append(c.Ticks, Tick{})
		return s.tick(&c.Ticks[len(c.Ticks)-1], &c.Unknown)
	})
}

// tick takes one as it stands: count makes prices and a time of it.
func (s *scanner) tick(t *Tick, unknown *[]Field) error {
	return s.object(func(key []byte) error {
		switch string(key) {
		case "id":
			return within("id", s.integer(&t.ID))
		case "t":
			var after int64
			err := s.integer(&after)
			t.Timestamp = time.UnixMilli(after)
			return within("t", err)
		case "p":
			return within("p", s.float(&t.Trade.Price))
		case "s":
			return within("s", s.float(&t.Trade.Size))
		case "b":
			return within("b", s.float(&t.Bid.Price))
		case "bs":
			return within("bs", s.float(&t.Bid.Size))
		case "a":
			return within("a", s.float(&t.Offer.Price))
		case "as":
			return within("as", s.float(&t.Offer.Size))
		}
		return s.unknown("tks.", key, unknown)
	})
}

// count makes prices and times of what the ticks tell from a base.
func (c *Chart) count(from base) {
	for i := range c.Ticks {
		t := &c.Ticks[i]
		t.Timestamp = t.Timestamp.Add(time.Duration(from.milliseconds) * time.Millisecond).UTC()
		for _, price := range []*Number{&t.Trade.Price, &t.Bid.Price, &t.Offer.Price} {
			if price.Set {
				price.Value = (from.price.Value + price.Value) * c.TickSize.Value
			}
		}
	}
}
