package agent

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
)

// ring.go owns the events of the agent: it follows the Keeper's, keeps the last ones for clients
// that were away, and wakes whoever waits.

// ringSize is how many events are kept.
const ringSize = 1024

// happening is an event with its number.
type happening struct {
	number int64
	id     venuekey.ID
	kind   string
	form   eventForm
}

// ring has the last events. Numbers begin anew with each process, whose mark is part of the ID
// of an event, so that a client of an earlier one is told to read everything again.
type ring struct {
	mark string

	mu    sync.Mutex
	last  int64 // the number of the last event
	kept  []happening
	known map[venuekey.ID]*happening // the last one of each sign-in
	next  chan struct{}              // closed by the next event
	// awaited has what the next event of a sign-in closes, of those for which somebody has waited.
	awaited map[venuekey.ID]chan struct{}
	// seen is what was known a moment ago, in the order of the IDs, which streams that begin share: a
	// hundred thousand sign-ins are not copied for each.
	seen   []*happening
	seenAt int64 // the number of the last event that is in it
	seenBy time.Time
}

// seenFor is how long what was known is shared. What has happened since follows as events.
const seenFor = time.Second

func newRing() *ring {
	return &ring{mark: rand.Text()[:8], known: map[venuekey.ID]*happening{}, awaited: map[venuekey.ID]chan struct{}{}, next: make(chan struct{})}
}

// follow takes in what happens until the context ends, and passes it on unless happened is nil.
func (r *ring) follow(ctx context.Context, keeper *venuekey.Keeper, happened func(venuekey.Event)) {
	for event := range keeper.Events(ctx) {
		r.add(event)
		if happened != nil {
			happened(event)
		}
	}
}

func (r *ring) add(e venuekey.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := e.Status.ID
	switch {
	case e.Kind == venuekey.EventSignedOut:
		delete(r.known, id)
	case id.Name != "":
		r.known[id] = &happening{id: id, kind: "found", form: eventFormOf(e)}
	}
	r.last++
	if len(r.kept) == ringSize {
		copy(r.kept, r.kept[1:])
		r.kept = r.kept[:ringSize-1]
	}
	r.kept = append(r.kept, happening{r.last, id, kindOf(e.Kind), eventFormOf(e)})
	close(r.next)
	r.next = make(chan struct{})
	if awaited := r.awaited[id]; awaited != nil {
		close(awaited)
		delete(r.awaited, id)
	}
}

// changed is closed by the next event of a sign-in: those who wait for one are not woken by all others.
func (r *ring) changed(id venuekey.ID) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.awaited[id]
	if next == nil {
		next = make(chan struct{})
		r.awaited[id] = next
	}
	return next
}

// stateOf is the last known state of a sign-in, "" if none is.
func (r *ring) stateOf(id venuekey.ID) venuekey.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.known[id]; known != nil {
		return venuekey.State(known.form.State)
	}
	return ""
}

// found returns what is known of every sign-in, in the order of their IDs, and the number of the last
// event that is in it, which is still kept. Nobody changes it.
func (r *ring) found() (all []*happening, at int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seenBy.IsZero() || time.Since(r.seenBy) > seenFor || r.last-r.seenAt > ringSize/2 {
		r.seen = slices.SortedFunc(maps.Values(r.known), func(a, b *happening) int { return strings.Compare(a.form.ID, b.form.ID) })
		r.seenAt, r.seenBy = r.last, time.Now()
	}
	return r.seen, r.seenAt
}

// since returns the events after a number, and what the next one closes. lost says that some of
// them are not kept any more.
func (r *ring) since(number int64) (events []happening, lost bool, next <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if number > r.last {
		return nil, true, r.next
	}
	first := r.last - int64(len(r.kept)) // the number before the first that is kept
	if number < first {
		return nil, true, r.next
	}
	return append(events, r.kept[number-first:]...), false, r.next
}

// eventForm is an event as clients read it.
type eventForm struct {
	Kind       string    `json:"kind"`
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	State      string    `json:"state,omitempty"`
	Before     string    `json:"before,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	Remedy     string    `json:"remedy,omitempty"`
	Generation int64     `json:"generation,omitempty"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	EndsAt     time.Time `json:"sign_in_ends_at,omitzero"`
}

// kinds are the words of events on the wire.
var kinds = map[venuekey.EventKind]string{
	venuekey.EventFound: "found", venuekey.EventSignedIn: "signed_in", venuekey.EventRenewed: "rotated", venuekey.EventChanged: "changed",
	venuekey.EventWarning: "warning", venuekey.EventTrouble: "trouble", venuekey.EventRecovered: "recovered", venuekey.EventSignedOut: "signed_out",
}

func kindOf(k venuekey.EventKind) string {
	if word := kinds[k]; word != "" {
		return word
	}
	return string(k)
}

func eventFormOf(e venuekey.Event) eventForm {
	id := e.Status.ID.String()
	if e.Status.ID.Name == "" {
		id = e.Status.ID.Venue
	}
	return eventForm{Kind: kindOf(e.Kind), ID: id, At: e.At.UTC(), State: string(e.Status.State), Before: string(e.Before), Reason: e.Reason,
		Remedy: e.Remedy, Generation: e.Status.Generation, ExpiresAt: e.Status.Expires.UTC(), EndsAt: e.Status.SignInEnds.UTC()}
}
