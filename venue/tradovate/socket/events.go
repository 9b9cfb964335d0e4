package socket

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/venuekey/venuekey/stream"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// events.go owns what comes unasked, and who hears of it.

// The kinds of events. The venue may send others, which come as they are.
const (
	EventProps    = "props"    // an entity of a user sync was Created, Updated or Deleted
	EventMarket   = "md"       // quotes, doms or histograms
	EventChart    = "chart"    // charts
	EventClock    = "clock"    // of a replay; Data is a string
	EventShutdown = "shutdown" // the venue is about to close the connection

	// EventSnapshot is the answer to a user sync, or a part of it: the state that
	// later EventProps change. It is not the venue's word, nor is the next.
	EventSnapshot = "snapshot"
	// EventGap is told by a Client that is ready again after it was not: what happened
	// meanwhile is in no event. Data is null. If there is a user sync its new snapshot
	// comes after it.
	EventGap = "gap"
)

// Event is something that nobody asked for.
type Event struct {
	// Kind is the venue's word for it, or EventSnapshot or EventGap.
	Kind string
	// Data is what it carries. It is shared with other streams and must not be changed.
	Data json.RawMessage
	// From and To are when a Client lost its connection and when it was ready again, for
	// EventGap.
	From, To time.Time
}

// Stream is events in the order in which they came; see package stream.
type Stream[M any] = stream.Stream[M]

// Buffer is the room of a Stream and what happens when it is full. The zero value is
// ready.
type Buffer = stream.Buffer

// Events is a stream of the events of some kinds, or of all if none is named. It ends
// with the connection.
func (c *Conn) Events(b Buffer, kinds ...string) *Stream[Event] { return c.hub.events(b, kinds) }

// hub hands events out.
type hub struct {
	list link.List[listener]
	ends link.Ends // of the streams

	parts // market.go
}

// listener is one that wants events of some kinds, or of all if there are none.
type listener struct {
	kinds   []string
	deliver func(e Event, stop <-chan struct{})
}

func (l *listener) wants(kind string) bool {
	return len(l.kinds) == 0 || slices.Contains(l.kinds, kind)
}

// wants reports whether anybody wants events of a kind.
func (h *hub) wants(kind string) bool {
	return slices.ContainsFunc(h.list.All(), func(one *listener) bool { return one.wants(kind) })
}

// dispatch hands an event to all that want it. The data are the frame's, so they are
// copied, once.
func (h *hub) dispatch(c *Conn, e Event, data []byte) {
	for _, one := range h.list.All() {
		if !one.wants(e.Kind) {
			continue
		}
		if e.Data == nil && data != nil {
			e.Data = bytes.Clone(data)
		}
		one.deliver(e, c.done)
	}
}

func (h *hub) events(b Buffer, kinds []string) *Stream[Event] {
	var leave, remove func()
	s, sender := stream.New[Event](b, func() { leave(); remove() })
	leave = h.list.Add(&listener{slices.Clone(kinds), sender.Put})
	remove = h.ends.Add(sender.End)
	return s
}
