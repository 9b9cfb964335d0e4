package socket

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/tradovate/message"
)

// feeds.go owns the streams of market data, typed and as the venue sends them.

// Quotes subscribes to the quotes of a contract, by its number, and streams them as they
// come. The other side of the name is contract/find. Closing the stream gives the
// subscription up. One that cannot be read is logged and left out.
func (c *Client) Quotes(ctx context.Context, contract int64, b ...Buffer) (*Stream[message.Quote], error) {
	var read message.Quote
	return subscribed(ctx, c, topic{feed: quotes, contract: contract}, b, func(p *part) (message.Quote, error) {
		q := p.quote
		if q == nil {
			if err := read.Decode(p.text); err != nil {
				return message.Quote{}, err
			}
			q = &read
		}
		quote := *q
		quote.Unknown = slices.Clone(q.Unknown[:len(q.Unknown):len(q.Unknown)])
		return quote, nil
	})
}

// Depth subscribes to the depth of market of a contract, as Quotes does.
func (c *Client) Depth(ctx context.Context, contract int64, b ...Buffer) (*Stream[message.Depth], error) {
	var read message.Depth
	return subscribed(ctx, c, topic{feed: doms, contract: contract}, b, func(p *part) (message.Depth, error) {
		err := read.Decode(p.text)
		d := read
		d.Bids, d.Offers, d.Unknown = slices.Clone(d.Bids), slices.Clone(d.Offers), slices.Clone(d.Unknown)
		return d, err
	})
}

// Histograms subscribes to the histogram of a contract, as Quotes does.
func (c *Client) Histograms(ctx context.Context, contract int64, b ...Buffer) (*Stream[message.Histogram], error) {
	var read message.Histogram
	return subscribed(ctx, c, topic{feed: histograms, contract: contract}, b, func(p *part) (message.Histogram, error) {
		err := read.Decode(p.text)
		h := read
		h.Items, h.Unknown = slices.Clone(h.Items), slices.Clone(h.Unknown)
		return h, err
	})
}

// Chart is what md/getChart is asked beside the contract.
type Chart struct {
	Description any `json:"chartDescription"` // such as the type of bar and its size
	TimeRange   any `json:"timeRange"`        // from when, or how many
}

// Chart subscribes to a chart of a contract, and streams its bars or ticks in the packets
// in which they come: first what was, whose end a packet with EndOfHistory marks, and then
// what is. After an interruption what was comes again.
func (c *Client) Chart(ctx context.Context, contract int64, chart Chart, b ...Buffer) (*Stream[message.Chart], error) {
	t, err := topicOf(contract, chart)
	if err != nil {
		return nil, err
	}
	return subscribed(ctx, c, t, b, func(p *part) (packet message.Chart, err error) {
		err = packet.Decode(p.text)
		return packet, err
	})
}

// Feed is a kind of market data.
type Feed int

// The feeds.
const (
	FeedQuotes Feed = iota
	FeedDepth
	FeedHistograms
)

// Raw is Quotes, Depth or Histograms, with what the venue sends as it stands.
func (c *Client) Raw(ctx context.Context, f Feed, contract int64, b ...Buffer) (*Stream[json.RawMessage], error) {
	t := topic{feed: quotes, contract: contract}
	switch f {
	case FeedDepth:
		t.feed = doms
	case FeedHistograms:
		t.feed = histograms
	}
	return subscribed(ctx, c, t, b, (*part).raw)
}

// RawChart is Chart, with what the venue sends as it stands.
func (c *Client) RawChart(ctx context.Context, contract int64, chart Chart, b ...Buffer) (*Stream[json.RawMessage], error) {
	t, err := topicOf(contract, chart)
	if err != nil {
		return nil, err
	}
	return subscribed(ctx, c, t, b, (*part).raw)
}

// topicOf is that of a chart.
func topicOf(contract int64, chart Chart) (topic, error) {
	text, err := json.Marshal(chart)
	if err != nil {
		return topic{}, &Error{Request: charts.subscribe, Class: venuekey.ClassDeclined, Err: err}
	}
	return topic{feed: charts, contract: contract, chart: string(text)}, nil
}
