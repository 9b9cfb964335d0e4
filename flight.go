package venuekey

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// flight.go owns renewals in flight, which many callers share.

// flight is one renewal that any number of callers wait for.
type flight struct {
	generation int64
	why        urgency
	presenting atomic.Bool // the request is with the venue
	leave      func()      // cancels everything before the claim
	before     *flight     // the previous flight of this ID, until it has landed
	done       chan struct{}
	token      *Token
	err        error
}

// urgency is why a renewal is made. One that is merely due waits for its turn; one that
// a caller demanded does not. An access token that the venue refused counts as expired,
// whatever its times say. A caller that insists gets a chance that the policy would not
// give.
type urgency int

const (
	whenDue urgency = iota
	onDemand
	accessRefused
	insisting
)

// fly starts the renewal of a generation, or joins the one in flight. The renewal has
// its own context: a caller that leaves stops waiting, nothing more.
func (k *Keeper) fly(ctx context.Context, id ID, generation int64, why urgency) *flight {
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.entry(id)
	before := e.flight
	if before != nil && before.generation == generation && (why <= onDemand || why <= before.why) {
		return before
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*k.lease())
	early, leave := context.WithCancel(ctx)
	f := &flight{generation: generation, why: why, leave: leave, before: before, done: make(chan struct{})}
	e.flight = f
	k.workLocked(func() {
		defer cancel()
		if before != nil {
			<-before.done
			k.mu.Lock()
			f.before = nil
			k.mu.Unlock()
		}
		token, err := k.renew(ctx, early, id, f)
		k.land(id, f, token, err)
	})
	return f
}

// Leave cancels the renewals that have not reached their claim: those that wait for
// another program, for their turn, or for Keeper.Apps. Nothing is lost with them. Call
// it on shutdown, before or during Close, which waits for the renewals that have
// claimed a record.
func (k *Keeper) Leave() {
	k.init()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.entries {
		for f := e.flight; f != nil; f = f.before {
			f.leave()
		}
	}
}

// land ends a flight and wakes its waiters.
func (k *Keeper) land(id ID, f *flight, token Token, err error) {
	k.mu.Lock()
	if e := k.entry(id); e.flight == f {
		e.flight = nil
	}
	k.mu.Unlock()
	if err == nil {
		f.token = token.handedOut()
	} else {
		f.err = annotate(err, id, "refresh")
	}
	close(f.done)
}

// await waits for a flight until it lands, the caller's context ends, or enough fires.
func (k *Keeper) await(ctx context.Context, f *flight, enough <-chan time.Time) (*Token, error) {
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return nil, &Error{Op: "refresh", Class: ClassLater, Reason: "the renewal goes on, but the caller stopped waiting", Err: ctx.Err()}
	case <-enough:
		return nil, &Error{Op: "refresh", Class: ClassLater, Err: errSlow}
	}
}

var errSlow = errors.New("the renewal takes long")
