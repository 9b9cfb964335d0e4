package venuekey

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// flight.go owns one renewal that many callers wait for.

// flight is one renewal that any number of callers wait for.
type flight struct {
	generation int64
	why        urgency
	presenting atomic.Bool // the venue is being asked
	leave      func()      // gives up what comes before the claim
	before     *flight     // that of an older generation, until it landed
	done       chan struct{}
	token      *Token
	err        error
}

// urgency is why a renewal is made: what is due waits for its turn, what
// somebody asked for does not. Where the venue refuses the access token, it is
// dead whatever its times say; and who insists is given a chance that the policy
// would not give.
type urgency int

const (
	whenDue urgency = iota
	onDemand
	accessRefused
	insisting
)

// fly starts the renewal of a generation, or joins the one under way. It runs
// on a context of its own: a caller that leaves stops waiting, nothing more.
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
	k.goLocked(func() {
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

// work runs something that Close waits for. A WaitGroup will not do: a program may
// ask for a renewal in the very moment in which it calls Close.
func (k *Keeper) work(do func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.goLocked(do)
}

// goLocked is work while k.mu is held.
func (k *Keeper) goLocked(do func()) {
	k.working++
	go func() {
		defer func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			if k.working--; k.working == 0 {
				k.atRest.Broadcast()
			}
		}()
		do()
	}()
}

// rest waits until nothing is being worked at.
func (k *Keeper) rest() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.working > 0 {
		k.atRest.Wait()
	}
}

// Leave gives up the renewals that have not begun: those that wait for another
// program, for their turn, or for what says who the app is. Nothing is lost with
// them. A program calls it when it has to end, before or while it calls Close,
// which waits for what was begun.
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

// await waits for a flight, until the caller's context ends, or the caller has waited
// long enough.
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
