package openapi

import (
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// events.go owns the two forms in which events are had: handlers and streams.

// Handle has f called with every event of a type, on the goroutine that reads
// the connection, in the order of arrival, until stop is called:
//
//	stop := openapi.Handle(client, func(e *message.SpotEvent) { … })
//
// The event is f's until f returns: its room is then used for the next one, so
// copy what is to be kept, lists too. While f runs nothing else is read, no
// answer either: f must not wait for one. On a Client handlers live through
// reconnects.
func Handle[T any, P event[T]](from Source, f func(P)) (stop func()) {
	return join[T](from.events(), nil, target[P]{id: new(byte), give: func(m P, _ <-chan struct{}) { f(m) }})
}

// Events is a stream of every event of a type:
//
//	orders := openapi.Events[message.ExecutionEvent](client)
//
// An event that answered an order is among them. The stream of a Conn ends with
// it; that of a Client lives through reconnects and ends with Run. What happened
// while a Client was not connected is not in it: ask after each return to Ready.
func Events[T any, P event[T]](from Source, b ...Buffer) *Stream[P] {
	return streamOf[T, P](from.events(), nil, b)
}

func streamOf[T any, P event[T]](h *hub, key *topicKey, b []Buffer) *Stream[P] {
	s := newStream[P](first(b))
	s.leave = join[T](h, key, target[P]{id: s, keep: true, give: s.put})
	h.onEnd(s, s.finish)
	return s
}

// Notify is a stream of the events of some types, or of all if none is named.
// It has the errors that answered no request, too.
func (c *Conn) Notify(types ...message.PayloadType) *Stream[message.Message] {
	return c.hub.notify(types)
}

// Notify is a stream of the events of some types, or of all if none is named.
// It has the errors that answered no request, too, and lives through
// reconnects.
func (c *Client) Notify(types ...message.PayloadType) *Stream[message.Message] {
	return c.hub.notify(types)
}

func (h *hub) notify(types []message.PayloadType) *Stream[message.Message] {
	s := newStream[message.Message](Buffer{})
	s.leave = h.joinMixed(mixed{types, target[message.Message]{id: s, keep: true, give: s.put}})
	h.onEnd(s, s.finish)
	return s
}

func first(b []Buffer) Buffer {
	if len(b) == 0 {
		return Buffer{}
	}
	return b[0]
}
