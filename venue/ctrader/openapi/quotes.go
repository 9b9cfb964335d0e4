package openapi

import (
	"context"
	"slices"

	"github.com/venuekey/venuekey/stream"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// quotes.go owns the streams of quotes: subscribing and reading in one.

// Spots subscribes to the quotes of symbols of an account, with the time of each,
// and streams them. Closing the stream gives the subscription up. A field that
// is absent is unchanged.
func (c *Client) Spots(ctx context.Context, account int64, symbols []int64, b ...Buffer) (*Stream[*message.SpotEvent], error) {
	return streamQuotes(ctx, c, first(b), spotTopics(account, symbols), nil, stream.Sender[*message.SpotEvent].Put)
}

// Depth subscribes to the order books of symbols of an account, and to their
// spots, without which the service gives no depth, and streams the changes of
// the books. Closing the stream gives both up.
func (c *Client) Depth(ctx context.Context, account int64, symbols []int64, b ...Buffer) (*Stream[*message.DepthEvent], error) {
	var more []topic
	for _, symbol := range symbols {
		more = append(more, topic{kind: message.TypeSubscribeDepthQuotesReq, account: account, symbol: symbol})
	}
	return streamQuotes(ctx, c, first(b), spotTopics(account, symbols), more, stream.Sender[*message.DepthEvent].Put)
}

// Trendbars subscribes to the bars of a period of a symbol of an account, and to
// its spots, with which the bars come, and streams the bars. The bar of the
// moment comes again with each change. Closing the stream gives both up.
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

// streamQuotes makes a stream that hears of what it is subscribed to, before it subscribes.
// What an event brings give puts into it.
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
