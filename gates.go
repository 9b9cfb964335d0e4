package venuekey

import (
	"context"
	"time"
)

// gates.go owns what a renewal passes before its claim: nobody else is at it, the app
// is known, there is a chance, the venue answers, and its turn has come.

// gate is where a renewal stands before its claim.
type gate int

const (
	passed   gate = iota // nothing is in the way of the claim
	waited               // a wait is over, and the record may be another by now
	atLease              // somebody else is renewing the token
	atApp                // nobody can say who the app is
	atChance             // what renews must not be presented, or not yet
	atVenue              // the venue does not answer
	atTurn               // the budget of renewals is used up
)

// waits is what a renewal has waited for already.
type waits struct {
	holder   leaseWatch
	answered bool // the venue was seen to answer
	turn     bool // it has its permit, or needs none
}

// pass takes an attempt to its claim, or says at which gate it stopped. What may take
// long ends with early.
func (k *Keeper) pass(ctx, early context.Context, a *attempt, w *waits, poll time.Duration) (_ gate, err error) {
	if a.record.Leased() && a.record.LeaseOwner != k.owner() && !w.holder.outlasted(a.record, k.lease()) {
		if err := pause(early, poll); err != nil {
			return atLease, err
		}
		return waited, nil
	}
	if a.venue, a.app, err = k.venueAndApp(early, a.id.Venue); err != nil {
		return atApp, err
	}
	a.policy, a.rollback = a.venue.Policy().forToken(a.token), k.rolledBack(ctx, k.readMarks(), a.token, a.record)
	switch c := a.chance(); {
	case c == none:
		return atChance, nil
	case c == afterProbe && !w.answered:
		if err := k.probeVenue(early, a.venue, a.app); err != nil {
			return atVenue, err
		}
		w.answered = true
		return waited, nil
	case !w.turn:
		if err := k.acquire(early, a.app, a.policy, needOf(a.token, time.Now())); err != nil {
			return atTurn, err
		}
		w.turn, w.answered = true, false // the wait may have been long
		return waited, nil
	}
	return passed, nil
}

// stopped is a renewal that was not begun, by the gate that it stopped at.
func (k *Keeper) stopped(ctx, early context.Context, a attempt, at gate, err error) error {
	if at == atChance {
		return k.noChance(ctx, a)
	}
	if given := givenUp(ctx, early); given != nil {
		return given
	}
	failure := annotate(err, a.id, "refresh")
	switch at {
	case atLease:
		return &Error{Class: ClassLater, Reason: "another program is renewing this token and does not finish", Err: err}
	case atVenue:
		return k.notAnswering(ctx, a, failure)
	case atTurn:
		return k.noTurn(ctx, a, failure)
	}
	return k.remember(ctx, a.byStore(a.record.afterDelay(a.token, failure)), failure)
}

// givenUp is an error if a renewal was given up before it began. Nothing is noted of
// that.
func givenUp(ctx, early context.Context) error {
	if early.Err() == nil || ctx.Err() != nil {
		return nil
	}
	return &Error{Class: ClassLater, Reason: "the program ends, and the renewal was not begun", Err: early.Err()}
}
