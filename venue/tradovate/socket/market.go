package socket

import (
	"bytes"
	"encoding/json"
	"maps"
	"strconv"

	"github.com/venuekey/venuekey/venue/internal/link"
	"github.com/venuekey/venuekey/venue/tradovate/message"
)

// market.go owns market data on its way to the streams: which part of an event is about
// which topic.

// feed is a kind of market data: the list in an event that has it, what is about whom in
// that, and the requests.
type feed struct{ list, key, subscribe, unsubscribe string }

var (
	quotes     = feed{`"quotes"`, `"contractId"`, "md/subscribeQuote", "md/unsubscribeQuote"}
	doms       = feed{`"doms"`, `"contractId"`, "md/subscribeDOM", "md/unsubscribeDOM"}
	histograms = feed{`"histograms"`, `"contractId"`, "md/subscribeHistogram", "md/unsubscribeHistogram"}
	charts     = feed{`"charts"`, `"id"`, "md/getChart", "md/cancelChart"}
)

// feedOf is the feed of a list, by its key in an event.
func feedOf(list []byte) (feed, bool) {
	for _, f := range [...]feed{quotes, doms, histograms, charts} {
		if f.list == string(list) {
			return f, true
		}
	}
	return feed{}, false
}

// partListener is one that wants the parts of events that are about a topic.
type partListener struct {
	topic
	// deliver takes a part. Its error says that the part is not what the topic has.
	deliver func(p *part, stop <-chan struct{}) error
	end     func(cause error)
	raw     bool // it wants the text
}

// part is a piece of market data about a topic: its text, or a quote that was read already.
type part struct {
	text  []byte
	quote *message.Quote  // nil if it was not read
	copy  json.RawMessage // of the text, for those who want that
}

// raw is a copy of the text, which all who want one share.
func (p *part) raw() (json.RawMessage, error) {
	if p.copy == nil {
		p.copy = bytes.Clone(p.text)
	}
	return p.copy, nil
}

// parts are who wants what of market data.
type parts struct {
	wanted link.List[partListener]
	charts map[int64]topic // by the numbers that the venue gave them; of the reading goroutine
	quotes []message.Quote // room for those of a frame; of the reading goroutine
	bad    int             // how many parts could not be read; of the reading goroutine
}

// endPart ends the streams of a topic.
func (p *parts) endPart(t topic, cause error) {
	for _, one := range p.wanted.All() {
		if one.topic == t {
			one.end(cause)
		}
	}
}

// begin notes under which numbers a chart comes, and returns the one that ends it.
func (p *parts) begin(t topic, answer []byte) int64 {
	if t.feed != charts {
		return 0
	}
	var numbers struct{ HistoricalID, RealtimeID int64 }
	_ = json.Unmarshal(answer, &numbers)
	if p.charts == nil {
		p.charts = map[int64]topic{}
	}
	p.charts[numbers.HistoricalID], p.charts[numbers.RealtimeID] = t, t
	return numbers.RealtimeID
}

// forgetChart forgets the numbers of a chart that was ended. A next one has others.
func (p *parts) forgetChart(t topic) {
	if t.feed == charts {
		maps.DeleteFunc(p.charts, func(_ int64, one topic) bool { return one == t })
	}
}

// forgetCharts forgets the numbers of an earlier connection. Nobody reads meanwhile.
func (p *parts) forgetCharts() { p.charts = nil }

// market hands the parts of an event to those who want them. The data are the frame's and
// valid.
func (p *parts) market(c *Conn, data []byte) {
	list := p.wanted.All()
	if len(list) == 0 {
		return
	}
	object, ok := open(data, '{')
	for ok && !object.atEnd('}') {
		f, known := feedOf(object.value())
		all, isList := open(object.value(), '[')
		for known && isList && !all.atEnd(']') {
			text := all.value()
			number, found := numberIn(text, f.key)
			if !found {
				continue
			}
			t := topic{feed: f, contract: number}
			if f == charts {
				t = p.charts[number]
			}
			p.deliver(c, list, t, &part{text: text})
		}
	}
}

// quoteHead and quoteTail enclose the quotes of the frame that comes more often than all others.
const (
	quoteHead = `[{"e":"md","d":{"quotes":`
	quoteTail = `}}]`
)

// quick hands on the quotes of a frame in one pass. It is false, and nothing has happened, if
// the frame is another, if one of its quotes cannot be read, or if somebody wants their text.
func (p *parts) quick(c *Conn, text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte(quoteHead))
	if !ok {
		return false
	}
	list := p.wanted.All()
	for _, one := range list {
		if one.raw && one.feed == quotes {
			return false
		}
	}
	read, rest, err := message.Quotes(rest, p.quotes)
	if p.quotes = read; err != nil || string(rest) != quoteTail {
		return false
	}
	for i := range read {
		p.deliver(c, list, topic{feed: quotes, contract: read[i].ContractID}, &part{quote: &read[i]})
	}
	return true
}

// deliver hands a part to all who want its topic. What cannot be read is logged, less and less
// often.
func (p *parts) deliver(c *Conn, list []*partListener, t topic, of *part) {
	for _, one := range list {
		if one.topic != t {
			continue
		}
		if err := one.deliver(of, c.done); err != nil {
			if p.bad++; p.bad&(p.bad-1) == 0 {
				c.opts.Log.Warn("market data could not be read", "request", t.feed.subscribe, "error", err, "times", p.bad)
			}
		}
	}
}

// numberIn is the number under a key of an object.
func numberIn(text []byte, key string) (int64, bool) {
	object, ok := open(text, '{')
	for ok && !object.atEnd('}') {
		name, value := object.value(), object.value()
		if string(name) == key {
			n, err := strconv.ParseInt(string(value), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
