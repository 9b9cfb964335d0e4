package main

import (
	"context"
	"iter"
	"sync"

	"github.com/venuekey/venuekey"
)

// untold.go owns the events of an agent that a person and the hook have not been told yet. The agent's server
// takes them in, so that the vault is read, and kept in mind, once; and it waits for nobody who tells them.

// untold has the last event of each sign-in. The zero value is ready to use.
type untold struct {
	mu    sync.Mutex
	last  map[venuekey.ID]venuekey.Event
	order []venuekey.ID
	more  chan struct{} // holds an item if there may be some
}

// waiting returns what is sent to when there are more; u.mu is held.
func (u *untold) waiting() chan struct{} {
	if u.more == nil {
		u.more, u.last = make(chan struct{}, 1), map[venuekey.ID]venuekey.Event{}
	}
	return u.more
}

// add takes an event that somebody has to be told of. It takes the place of an earlier one of its sign-in
// that nobody was told of, as if that had been one step.
func (u *untold) add(event venuekey.Event) {
	if !isWorthTelling(event.Kind) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	more, id := u.waiting(), event.Status.ID
	if _, known := u.last[id]; !known {
		u.order = append(u.order, id)
	}
	u.last[id] = event
	select {
	case more <- struct{}{}:
	default:
	}
}

// all are the events, as they come, until the context ends.
func (u *untold) all(ctx context.Context) iter.Seq[venuekey.Event] {
	return func(yield func(venuekey.Event) bool) {
		for {
			u.mu.Lock()
			more, events := u.waiting(), u.take()
			u.mu.Unlock()
			for _, event := range events {
				if !yield(event) {
					return
				}
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			}
		}
	}
}

// take takes those that are there; u.mu is held.
func (u *untold) take() (events []venuekey.Event) {
	for _, id := range u.order {
		events = append(events, u.last[id])
	}
	clear(u.last)
	u.order = nil
	return events
}

// isWorthTelling reports whether a person and the hook are told of events of a kind.
func isWorthTelling(kind venuekey.EventKind) bool {
	return kind == venuekey.EventTrouble || kind == venuekey.EventWarning || kind == venuekey.EventRecovered
}
