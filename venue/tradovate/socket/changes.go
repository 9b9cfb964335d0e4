package socket

import (
	"time"

	"github.com/venuekey/venuekey/stream"
	"github.com/venuekey/venuekey/venue/tradovate/message"
)

// changes.go owns the user sync as entities: what there was, and what became of it.

// KindGap is a Change without an entity: what happened between From and To is in none, and if
// there is a user sync its new snapshot follows.
const KindGap message.Kind = "Gap"

// Change is an entity of a user sync and what became of it, or a gap.
type Change struct {
	message.Change
	From, To time.Time // of a gap
}

// Changes is a stream of the entities of the user sync: those of the snapshot, one by one, and
// then what becomes of them. What cannot be read as what it is comes as *message.Other.
func (c *Client) Changes(b Buffer) *Stream[Change] {
	var leave, remove func()
	s, sender := stream.New[Change](b, func() { leave(); remove() })
	deliver := func(e Event, stop <-chan struct{}) {
		for _, change := range changesOf(e) {
			sender.Put(change, stop)
		}
	}
	leave = c.hub.list.Add(&listener{[]string{EventSnapshot, EventProps, EventGap}, deliver})
	remove = c.hub.ends.Add(sender.End)
	return s
}

// changesOf reads an event of a user sync.
func changesOf(e Event) (list []Change) {
	if e.Kind == EventGap {
		return []Change{{Change: message.Change{Kind: KindGap}, From: e.From, To: e.To}}
	}
	read := message.Changes
	if e.Kind == EventSnapshot {
		read = message.Snapshot
	}
	changes, err := read(e.Data)
	if err != nil {
		changes = []message.Change{{Entity: &message.Other{Type: e.Kind, Raw: e.Data, Err: err}}}
	}
	for _, change := range changes {
		list = append(list, Change{Change: change})
	}
	return list
}
