package venuekey

import (
	"context"
	"iter"
	"sync"
	"time"
)

// events.go owns what a program learns about sign-ins while it runs.

// EventKind is what happened, in one word.
type EventKind string

const (
	// EventFound: so a sign-in stood when the events began, and nothing is wrong.
	EventFound EventKind = "found"
	// EventSignedIn: somebody signed in, for the first time or again.
	EventSignedIn EventKind = "signed in"
	// EventRenewed: there is a new token.
	EventRenewed EventKind = "renewed"
	// EventChanged: the state, or its reason, is another one.
	EventChanged EventKind = "changed"
	// EventWarning: the sign-in will end and no program can prevent it; or, where
	// the ID names a venue alone, its queue of renewals outlives tokens.
	EventWarning EventKind = "warning"
	// EventTrouble: renewing fails, an answer was lost, the token is dead, only a
	// human can help. It is reported once, and again when it gets worse.
	EventTrouble EventKind = "trouble"
	// EventRecovered: what was reported as trouble, or warned of, is over.
	EventRecovered EventKind = "recovered"
	// EventSignedOut: the sign-in was forgotten; only its ID is known.
	EventSignedOut EventKind = "signed out"
)

// Event is something that happened to a sign-in, whoever caused or found it. It
// never carries a token.
type Event struct {
	Kind EventKind
	// At is when it was seen.
	At time.Time
	// Status is how the sign-in stands now.
	Status Status
	// Before is the state that was seen before; "" means none was.
	Before State
	// Reason is what happened, in one line.
	Reason string
	// Remedy is the one command that helps; "" where nothing has to be done.
	Remedy string
}

// Events tells what happens to all sign-ins of the vault, or to those named,
// until the context ends or the loop over it is left:
//
//	for event := range keeper.Events(ctx, alice) {
//		if event.Kind == venuekey.EventTrouble {
//			page(event.Status.ID, event.Reason, event.Remedy)
//		}
//	}
//
// It begins with how each stands: EventFound, or EventTrouble where something is
// wrong already. What comes after is seen in the store, so it does not matter
// which program renewed, signed in or met the trouble, and nothing is reported
// before it is durable. If the store reports changes (Watcher), that is at once, else
// within some seconds. Only what becomes of a venue's queue of renewals, which is
// known to no store, is reported by the Keeper whose Run works on it.
//
// A slow reader holds nobody up and misses no trouble: what happened meanwhile
// is reported as the one step from what it knew to what is true now. Every call looks
// at the store for itself, and remembers some hundred bytes of each sign-in.
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
		// The store reports changes before all is looked at, so that none falls
		// between the two.
		for o.sleep(ctx); ctx.Err() == nil && o.deliver(ctx, yield); o.sleep(ctx) {
		}
	}
}

// join lets a reader hear of what no store knows.
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

// announce tells all readers of a venue's queue.
func (k *Keeper) announce(event Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queues[event.Status.ID.Venue] = event
	for o := range k.readers {
		o.noteQueue(event)
	}
}

// severity orders trouble by how much it asks of a human; zero is none.
type severity int

const (
	untroubled severity = iota
	failing
	unanswered
	dead
	dying // nothing renews it, and the old token is served while it lives
	lost
	unreadable
)

// severityOf judges how a sign-in stands. One that merely expired, because nobody
// asked for it, gets a moment to be renewed.
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

// remedy is the one command that helps where a human has to do something.
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
