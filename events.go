package venuekey

import (
	"context"
	"iter"
	"sync"
	"time"
)

// events.go owns the events that report what happens to sign-ins.

// EventKind says what happened, in a word or two.
type EventKind string

const (
	// EventFound: the sign-in existed when the events began, and nothing is wrong.
	EventFound EventKind = "found"
	// EventSignedIn: a user signed in, for the first time or again.
	EventSignedIn EventKind = "signed in"
	// EventRenewed: there is a new token.
	EventRenewed EventKind = "renewed"
	// EventChanged: the state or its reason changed, or one more renewal failed.
	EventChanged EventKind = "changed"
	// EventWarning: the sign-in will end and no program can prevent it. If the ID
	// names only a venue: tokens will expire before the queue of renewals at this
	// venue reaches them.
	EventWarning EventKind = "warning"
	// EventTrouble: renewals fail, an answer was lost, the token expired, or the user
	// has to sign in again. It is reported once, and again when it gets worse.
	EventTrouble EventKind = "trouble"
	// EventRecovered: what an EventTrouble or EventWarning reported is over.
	EventRecovered EventKind = "recovered"
	// EventSignedOut: the sign-in was forgotten; only its ID is known.
	EventSignedOut EventKind = "signed out"
)

// Event reports something that happened to a sign-in, whichever program caused it. It
// never carries a token.
type Event struct {
	Kind EventKind
	// At is when it was noticed.
	At time.Time
	// Status is the status of the sign-in now.
	Status Status
	// Before is the state before; "" if none was known.
	Before State
	// Reason is what happened, in one line.
	Reason string
	// Remedy is the one command that helps; "" if nothing has to be done.
	Remedy string
}

// Presentation is a renewal that was asked of a venue.
type Presentation struct {
	ID ID
	// Generation is that of the token that was to be replaced.
	Generation int64
	// Began is when the request began, and Took how long it was until the outcome was known.
	Began time.Time
	Took  time.Duration
	// Err is nil if the venue granted a token; its class says what became of the request.
	Err error
}

// tellPresented tells whoever counts renewals.
func (k *Keeper) tellPresented(a attempt, began time.Time, failure *Error) {
	if k.Presented == nil {
		return
	}
	p := Presentation{ID: a.id, Generation: a.record.Generation, Began: began, Took: time.Since(began)}
	if failure != nil {
		p.Err = failure
	}
	k.Presented(p)
}

// Events reports what happens to the given sign-ins, or to all sign-ins of the vault
// if none is given, until the context ends or the loop is left:
//
//	for event := range keeper.Events(ctx, alice) {
//		if event.Kind == venuekey.EventTrouble {
//			page(event.Status.ID, event.Reason, event.Remedy)
//		}
//	}
//
// It begins with the status of each: EventFound, or EventTrouble if something is
// already wrong. Later events are found in the store, so it does not matter which
// program renewed, signed in or met the trouble, and nothing is reported before it is
// durable. They come at once if the store reports changes (Watcher), otherwise within
// seconds. Only the state of a venue's queue of renewals, which is not in the store,
// is reported by the Keeper whose Run works on it.
//
// A slow reader blocks no one and misses no trouble: what happened meanwhile is
// reported as one step, from what the reader knew to what is true now. Every call
// reads the store on its own and keeps a few hundred bytes per sign-in.
func (k *Keeper) Events(ctx context.Context, only ...ID) iter.Seq[Event] {
	k.init()
	return func(yield func(Event) bool) {
		o := newObserver(k, only)
		k.join(o)
		defer k.leave(o)
		ctx, cancel := context.WithCancel(ctx)
		var listening sync.WaitGroup
		defer listening.Wait()
		defer cancel()
		listening.Go(func() { o.listen(ctx) })
		// Changes are watched before the first full read, so that none falls between
		// the two.
		for o.sleep(ctx); ctx.Err() == nil && o.deliver(ctx, yield); o.sleep(ctx) {
		}
	}
}

// join subscribes a reader to the events of queues, which are not in the store.
func (k *Keeper) join(o *observer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.readers[o] = true
	for _, event := range k.queues {
		if event.Kind == EventWarning {
			o.noteQueue(event)
		}
	}
}

func (k *Keeper) leave(o *observer) {
	k.mu.Lock()
	delete(k.readers, o)
	k.mu.Unlock()
}

// announce sends an event about a venue's queue to all readers.
func (k *Keeper) announce(event Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queues[event.Status.ID.Venue] = event
	for o := range k.readers {
		o.noteQueue(event)
	}
}

// severity orders trouble by how much it demands of a human; zero is none.
type severity int

const (
	untroubled severity = iota
	failing
	unanswered
	dead
	dying // it cannot be renewed, and the old token is served until it expires
	lost
	unreadable
)

// severityOf judges the status of a sign-in. One that merely expired, because no
// program asked for it, gets some time to be renewed.
func severityOf(s Status, overdue bool) severity {
	switch {
	case s.Err != nil:
		return unreadable
	case s.State == StateNeedsSignIn:
		return lost
	case s.State == StateUncertain && s.NextRefresh.IsZero(), s.Behind:
		return dying
	case s.State == StateExpired && (s.Failures > 0 || overdue):
		return dead
	case s.State == StateUncertain:
		return unanswered
	case s.State == StateDegraded, s.Spilled:
		return failing
	}
	return untroubled
}

// remedy returns the one command that helps, or "" if a human need not act.
func (s Status) remedy() string {
	switch {
	case s.Err != nil, s.Spilled:
		return "venuekey doctor"
	case s.Behind:
		return rollbackRemedy + ": venuekey login " + s.ID.String()
	case s.State == StateNeedsSignIn, s.State == StateUncertain && s.NextRefresh.IsZero():
		return "venuekey login " + s.ID.String()
	case s.State == StateDegraded, s.State == StateExpired:
		return "venuekey refresh " + s.ID.String()
	}
	return ""
}
