package openapi

import (
	"errors"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// topic.go owns what can be subscribed to, and the requests that subscribe and
// unsubscribe.

// topic is one thing to subscribe to.
type topic struct {
	kind            message.PayloadType // of the subscribe request
	account, symbol int64
	period          message.TrendbarPeriod
}

func topicsOf(req message.Message) ([]topic, error) {
	var topics []topic
	switch req := req.(type) {
	case *message.SubscribeSpotsReq:
		for _, symbol := range req.SymbolID {
			topics = append(topics, topic{kind: req.PayloadType(), account: req.CtidTraderAccountID, symbol: symbol})
		}
	case *message.SubscribeDepthQuotesReq:
		for _, symbol := range req.SymbolID {
			topics = append(topics, topic{kind: req.PayloadType(), account: req.CtidTraderAccountID, symbol: symbol})
		}
	case *message.SubscribeLiveTrendbarReq:
		topics = []topic{{kind: req.PayloadType(), account: req.CtidTraderAccountID, symbol: req.SymbolID, period: req.Period}}
	default:
		return nil, &Error{Request: req.PayloadType(), Class: venuekey.ClassDeclined, Err: errors.New("not a subscription request")}
	}
	return topics, nil
}

// stages returns the topics in the order in which they can be subscribed to: first
// spots, then what requires them.
func stages(topics []topic) [][]topic {
	s := make([][]topic, 2)
	for _, t := range topics {
		if t.kind == message.TypeSubscribeSpotsReq {
			s[0] = append(s[0], t)
		} else {
			s[1] = append(s[1], t)
		}
	}
	return s
}

// batches groups the topics that can share one request, and keeps their order.
func batches(topics []topic) [][]topic {
	var list [][]topic
	at := map[topic]int{} // by what they have in common
	for _, t := range topics {
		common := t
		if t.kind != message.TypeSubscribeLiveTrendbarReq { // which takes one symbol
			common.symbol = 0
		}
		i, ok := at[common]
		if !ok {
			i = len(list)
			at[common], list = i, append(list, nil)
		}
		list[i] = append(list[i], t)
	}
	return list
}

// subscribeRequests returns as few requests as possible to subscribe to topics.
func subscribeRequests(topics []topic) []message.Message {
	var list []message.Message
	for _, batch := range batches(topics) {
		list = append(list, subscribeRequest(batch...))
	}
	return list
}

// subscribeRequest returns the request that subscribes to one batch.
func subscribeRequest(batch ...topic) message.Message {
	t := batch[0]
	switch t.kind {
	case message.TypeSubscribeSpotsReq:
		return &message.SubscribeSpotsReq{CtidTraderAccountID: t.account, SymbolID: symbolsOf(batch), SubscribeToSpotTimestamp: message.Some(true)}
	case message.TypeSubscribeDepthQuotesReq:
		return &message.SubscribeDepthQuotesReq{CtidTraderAccountID: t.account, SymbolID: symbolsOf(batch)}
	}
	return &message.SubscribeLiveTrendbarReq{CtidTraderAccountID: t.account, SymbolID: t.symbol, Period: t.period}
}

// unsubscribeRequest returns the request that unsubscribes from one batch, or nil if the
// batch is empty.
func unsubscribeRequest(batch []topic) message.Message {
	if len(batch) == 0 {
		return nil
	}
	t := batch[0]
	switch t.kind {
	case message.TypeSubscribeSpotsReq:
		return &message.UnsubscribeSpotsReq{CtidTraderAccountID: t.account, SymbolID: symbolsOf(batch)}
	case message.TypeSubscribeDepthQuotesReq:
		return &message.UnsubscribeDepthQuotesReq{CtidTraderAccountID: t.account, SymbolID: symbolsOf(batch)}
	}
	return &message.UnsubscribeLiveTrendbarReq{CtidTraderAccountID: t.account, SymbolID: t.symbol, Period: t.period}
}

func symbolsOf(batch []topic) []int64 {
	symbols := make([]int64, len(batch))
	for i, t := range batch {
		symbols[i] = t.symbol
	}
	return symbols
}
