package openapi

import (
	"github.com/venuekey/venuekey/stream"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// events.go owns the two ways to receive events: handlers and streams.

// Emitter is a source of events: a Conn or a Client.
type Emitter interface{ events() *hub }

// Event is the constraint that P is *T and a message of the service, such as
// *message.SpotEvent. The compiler infers P, so you never write it.
type Event[T any] interface {
	*T
	message.Message
}

// Handle calls f with every event of a type, in the order of arrival, on the goroutine
// that reads the connection, until stop is called:
//
//	stop := openapi.Handle(client, func(e *message.SpotEvent) { … })
//
// The event is valid until f returns, and its memory is then reused: copy what you keep,
// including slices. Nothing else is read while f runs, so f must not wait for the answer
// to a request. Handlers of a Client survive reconnects.
func Handle[T any, P Event[T]](from Emitter, f func(P)) (stop func()) {
	return addListener[T](from.events(), nil, listener[P]{id: new(byte), deliver: func(m P, _ <-chan struct{}) { f(m) }})
}

// Events returns a stream of every event of a type:
//
//	orders := openapi.Events[message.ExecutionEvent](client)
//
// It includes events that answered an order. The stream of a Conn ends with the Conn;
// that of a Client survives reconnects and ends with Run. It lacks what happened while
// the Client was not connected: query the state each time the Client returns to
// PhaseReady. Close the stream when you no longer need it. Of b, the first element
// counts; without one, the zero Buffer does.
func Events[T any, P Event[T]](from Emitter, b ...Buffer) *Stream[P] {
	h := from.events()
	var leave, remove func()
	s, sender := stream.New[P](first(b), func() { leave(); remove() })
	leave = addListener[T](h, nil, listener[P]{id: s, keeps: true, deliver: sender.Put})
	remove = h.ends.Add(sender.End)
	return s
}

// Notify returns a stream of the events of the given types, or of all types if none is
// given, in the order of arrival. It includes errors that answer no request.
func (c *Conn) Notify(types ...message.PayloadType) *Stream[message.Message] {
	return c.hub.notify(types)
}

// Notify returns a stream of the events of the given types, or of all types if none is
// given, in the order of arrival. It includes errors that answer no request, and
// survives reconnects.
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
