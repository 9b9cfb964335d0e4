package openapi

import (
	"github.com/venuekey/venuekey/stream"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// events.go owns the two forms in which events come: handlers and streams.

// Emitter is what events come from: a Conn or a Client.
type Emitter interface{ events() *hub }

// Event says of P that it is *T and an event of the service, as *message.SpotEvent is.
// The compiler finds P by itself: it is never written out.
type Event[T any] interface {
	*T
	message.Message
}

// Handle has f called with every event of a type, on the goroutine that reads
// the connection, in the order of arrival, until stop is called:
//
//	stop := openapi.Handle(client, func(e *message.SpotEvent) { … })
//
// The event is f's until f returns: its room is then used for the next one, so
// copy what you keep, lists too. While f runs nothing else is read, no
// answer either: f must not wait for one. On a Client handlers live through
// reconnects.
func Handle[T any, P Event[T]](from Emitter, f func(P)) (stop func()) {
	return addListener[T](from.events(), nil, listener[P]{id: new(byte), deliver: func(m P, _ <-chan struct{}) { f(m) }})
}

// Events is a stream of every event of a type:
//
//	orders := openapi.Events[message.ExecutionEvent](client)
//
// An event that answered an order is among them. The stream of a Conn ends with
// it; that of a Client lives through reconnects and ends with Run. What happened
// while a Client was not connected is not in it: ask after each return to Ready.
func Events[T any, P Event[T]](from Emitter, b ...Buffer) *Stream[P] {
	h := from.events()
	var leave, remove func()
	s, sender := stream.New[P](first(b), func() { leave(); remove() })
	leave = addListener[T](h, nil, listener[P]{id: s, keeps: true, deliver: sender.Put})
	remove = h.ends.Add(sender.End)
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
	var leave, remove func()
	s, sender := stream.New[message.Message](Buffer{}, func() { leave(); remove() })
	leave = h.addMixed(mixedListener{types, listener[message.Message]{id: s, keeps: true, deliver: sender.Put}})
	remove = h.ends.Add(sender.End)
	return s
}

func first(b []Buffer) Buffer {
	if len(b) == 0 {
		return Buffer{}
	}
	return b[0]
}
