package socket

import (
	"bytes"
	"encoding/json"
	"maps"
	"strconv"

	"github.com/venuekey/venuekey/venue/internal/link"
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
	deliver func(part json.RawMessage, stop <-chan struct{})
	end     func(cause error)
}

// parts are who wants what of market data.
type parts struct {
	wanted link.List[partListener]
	charts map[int64]topic // by the numbers that the venue gave them; of the reading goroutine
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
// valid; each part is copied once.
func (p *parts) market(data []byte, stop <-chan struct{}) {
	list := p.wanted.All()
	if len(list) == 0 {
		return
	}
	object, ok := open(data, '{')
	for ok && !object.atEnd('}') {
		f, known := feedOf(object.value())
		all, isList := open(object.value(), '[')
		for known && isList && !all.atEnd(']') {
			part := all.value()
			number, found := numberIn(part, f.key)
			if !found {
				continue
			}
			t := topic{feed: f, contract: number}
			if f == charts {
				t = p.charts[number]
			}
			p.deliver(list, t, part, stop)
		}
	}
}

func (p *parts) deliver(list []*partListener, t topic, part []byte, stop <-chan struct{}) {
	var kept json.RawMessage
	for _, one := range list {
		if one.topic != t {
			continue
		}
		if kept == nil {
			kept = bytes.Clone(part)
		}
		one.deliver(kept, stop)
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
