package openapi

import (
	"context"
	"slices"

	"github.com/venuekey/venuekey/stream"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// quotes.go owns the streams of quotes, which subscribe and read in one step.

// Spots subscribes to the quotes of symbols of an account, including the time of each
// quote, and streams them. It returns once the service has confirmed. A field that is
// absent from an event is unchanged. The subscription survives reconnects; closing the
// stream ends it. Errors are *Error.
func (c *Client) Spots(ctx context.Context, account int64, symbols []int64, b ...Buffer) (*Stream[*message.SpotEvent], error) {
	return streamQuotes(ctx, c, first(b), spotTopics(account, symbols), nil, stream.Sender[*message.SpotEvent].Put)
}

// Depth subscribes to the order books of symbols of an account, and to their spots,
// which the service requires for depth, and streams the changes of the books. Closing
// the stream ends both subscriptions. Errors are *Error.
func (c *Client) Depth(ctx context.Context, account int64, symbols []int64, b ...Buffer) (*Stream[*message.DepthEvent], error) {
	var more []topic
	for _, symbol := range symbols {
		more = append(more, topic{kind: message.TypeSubscribeDepthQuotesReq, account: account, symbol: symbol})
	}
	return streamQuotes(ctx, c, first(b), spotTopics(account, symbols), more, stream.Sender[*message.DepthEvent].Put)
}

// Trendbars subscribes to the bars of one period of one symbol of an account, and to its
// spots, whose events carry the bars, and streams the bars. The current bar is sent again
// each time it changes. Closing the stream ends both subscriptions. Errors are *Error.
func (c *Client) Trendbars(ctx context.Context, account, symbol int64, period message.TrendbarPeriod, b ...Buffer) (*Stream[*message.Trendbar], error) {
	give := func(to stream.Sender[*message.Trendbar], m *message.SpotEvent, stop <-chan struct{}) {
		for i := range m.Trendbar {
			if m.Trendbar[i].Period.Or(message.TrendbarPeriodM1) == period {
				to.Put(&m.Trendbar[i], stop)
			}
		}
	}
	more := []topic{{kind: message.TypeSubscribeLiveTrendbarReq, account: account, symbol: symbol, period: period}}
	return streamQuotes(ctx, c, first(b), spotTopics(account, []int64{symbol}), more, give)
}

func spotTopics(account int64, symbols []int64) []topic {
	var topics []topic
	for _, symbol := range symbols {
		topics = append(topics, topic{kind: message.TypeSubscribeSpotsReq, account: account, symbol: symbol})
	}
	return topics
}

// streamQuotes creates a stream, connects it to the events, and only then subscribes, so
// that it misses none. give puts what an event contains into the stream.
func streamQuotes[T any, M any, P Event[T]](ctx context.Context, c *Client, b Buffer, spots, more []topic, give func(stream.Sender[M], P, <-chan struct{})) (*Stream[M], error) {
	var subscription *Subscription
	var leaves []func()
	s, sender := stream.New[M](b, func() {
		for _, leave := range leaves {
			leave()
		}
		if subscription != nil {
			subscription.Close()
		}
	})
	hears := listener[P]{id: s, keeps: true, deliver: func(m P, stop <-chan struct{}) { give(sender, m, stop) }}
	symbols := map[topicKey]bool{}
	for _, one := range spots {
		key := topicKey{one.account, one.symbol}
		if !symbols[key] {
			symbols[key] = true
			leaves = append(leaves, addListener[T](&c.hub, &key, hears))
		}
	}
	leaves = append(leaves, c.hub.ends.Add(sender.End))
	var err error
	if subscription, err = c.subscribe(ctx, slices.Concat(spots, more), sender.End); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}
