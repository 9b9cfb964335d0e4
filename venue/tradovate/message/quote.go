// Package message has the market data of Tradovate as Go types, and reads them from what
// the streams of package socket carry. It reads in one pass and without reflection; what it
// does not know it keeps.
package message

import (
	"bytes"
	"encoding/json"
	"time"
)

// quote.go owns quotes and depth of market.

// Field is one that this package does not know, as the venue sent it.
type Field struct {
	Name  string // with where it is, such as entries.Bid.venue
	Value json.RawMessage
}

// Level is a price and how much there is at it. Either may be absent.
type Level struct{ Price, Size Number }

// Quote is what is known of a contract at a time. An entry that is absent is unchanged.
type Quote struct {
	ContractID int64
	Timestamp  time.Time // zero if absent

	Bid, Offer, Trade              Level
	HighPrice, LowPrice            Level
	OpeningPrice, SettlementPrice  Level
	OpenInterest, TotalTradeVolume Level

	Unknown []Field // empty for none
}

// Depth is the depth of market of a contract, the best price of each side first.
type Depth struct {
	ContractID   int64
	Timestamp    time.Time // zero if absent
	Bids, Offers []Level
	Unknown      []Field // empty for none
}

// Decode reads a quote, and forgets what was there before. It keeps nothing of the text.
// After an error what was read so far is there.
func (q *Quote) Decode(text []byte) error {
	s := scanner{text: text}
	return s.finish(q.scan(&s))
}

func (q *Quote) scan(s *scanner) error {
	*q = Quote{Unknown: q.Unknown[:0]}
	return s.object(func(key []byte) error {
		switch string(key) {
		case "contractId":
			return within("contractId", s.integer(&q.ContractID))
		case "timestamp":
			return within("timestamp", s.time(&q.Timestamp))
		case "entries":
			return within("entries", s.entries(q))
		}
		return s.unknown("", key, &q.Unknown)
	})
}

// Quotes reads a list of quotes with which a text begins into the room of another, and returns
// what stands behind it. Their unknown fields use that room again as well.
func Quotes(text []byte, room []Quote) (quotes []Quote, rest []byte, err error) {
	quotes = room[:0]
	s := scanner{text: text}
	err = s.list(func() error {
		if len(quotes) < cap(quotes) {
			quotes = quotes[:len(quotes)+1]
		} else {
			quotes = append(quotes, Quote{})
		}
		return quotes[len(quotes)-1].scan(&s)
	})
	return quotes, text[s.at:], err
}

// Decode reads a depth of market into what is there, whose room it uses again.
func (d *Depth) Decode(text []byte) error {
	s := scanner{text: text}
	return s.finish(d.scan(&s))
}

func (d *Depth) scan(s *scanner) error {
	*d = Depth{Bids: d.Bids[:0], Offers: d.Offers[:0], Unknown: d.Unknown[:0]}
	return s.object(func(key []byte) error {
		switch string(key) {
		case "contractId":
			return within("contractId", s.integer(&d.ContractID))
		case "timestamp":
			return within("timestamp", s.time(&d.Timestamp))
		case "bids":
			return within("bids", s.levels("bids.", &d.Bids, &d.Unknown))
		case "offers":
			return within("offers", s.levels("offers.", &d.Offers, &d.Unknown))
		}
		return s.unknown("", key, &d.Unknown)
	})
}

// entry is where an entry of a quote goes; nil for one that nobody knows.
func (q *Quote) entry(name []byte) *Level {
	switch string(name) {
	case "Bid":
		return &q.Bid
	case "Offer":
		return &q.Offer
	case "Trade":
		return &q.Trade
	case "HighPrice":
		return &q.HighPrice
	case "LowPrice":
		return &q.LowPrice
	case "OpeningPrice":
		return &q.OpeningPrice
	case "SettlementPrice":
		return &q.SettlementPrice
	case "OpenInterest":
		return &q.OpenInterest
	case "TotalTradeVolume":
		return &q.TotalTradeVolume
	}
	return nil
}

// entries takes those of a quote. Of a key that comes twice the last counts.
func (s *scanner) entries(q *Quote) error {
	*q = Quote{ContractID: q.ContractID, Timestamp: q.Timestamp, Unknown: q.Unknown}
	if null, err := s.null(); null {
		return err
	}
	return s.object(func(name []byte) error {
		level := q.entry(name)
		if level == nil {
			return s.unknown("entries.", name, &q.Unknown)
		}
		if err := s.level("entries.", name, level, &q.Unknown); err != nil {
			return within(string(name), err)
		}
		return nil
	})
}

// level takes a price and a size.
func (s *scanner) level(where string, name []byte, to *Level, unknown *[]Field) error {
	*to = Level{}
	if null, err := s.null(); null {
		return err
	}
	return s.object(func(key []byte) error {
		switch string(key) {
		case "price":
			return within("price", s.float(&to.Price))
		case "size":
			return within("size", s.float(&to.Size))
		}
		return s.unknown(where+string(name)+".", key, unknown)
	})
}

// levels takes a side of a depth of market.
func (s *scanner) levels(where string, to *[]Level, unknown *[]Field) error {
	*to = (*to)[:0]
	if null, err := s.null(); null {
		return err
	}
	return s.list(func() error {
		*to = append(*to, Level{})
		return s.level(where, []byte("level"), &(*to)[len(*to)-1], unknown)
	})
}

// unknown keeps a field that nobody knows.
func (s *scanner) unknown(where string, key []byte, to *[]Field) error {
	name := where + string(key)
	value, err := s.value()
	if err != nil {
		return err
	}
	*to = append(*to, Field{name, bytes.Clone(value)})
	return nil
}
