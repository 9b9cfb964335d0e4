package venuekey

import (
	"context"
	"errors"
	"time"
)

// gates.go owns the gates that a renewal passes before its claim: no other program is
// renewing, the app is known, there is a chance, the venue answers, and its turn has
// come.

// gate is where a renewal stands before its claim.
type gate int

const (
	passed    gate = iota // nothing is in the way of the claim
	waited                // a wait is over, and the record may have changed
	atLease               // another program is renewing the token
	atApp                 // the app could not be found
	atChance              // the refresh token must not be presented, or not yet
	atSession             // the session is over, and nothing else renews
	atRest                // the user is not signed in again by itself yet
	atVenue               // the venue does not answer
	atTrouble             // the venue is still in trouble, and its quota is short
	atTurn                // the budget of renewals is used up
)

// waits is what a renewal has already waited for.
type waits struct {
	holder   leaseWatch
	answered bool // the venue answered a probe
	turn     bool // it has its permit, or needs none
	session  sessionVerdict
	slot     time.Time // its place in the venue's quota
	looked   bool      // the venue was looked at before a place was taken
	lane     bool      // it holds up those that can wait
	detour   bool      // there is no permit for the access token, so the refresh token goes
}

// pass takes an attempt through the gates, or returns the gate at which it stopped.
// Waits end with the context early.
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
	if w.session == notLooked && a.mustLook(time.Now()) {
		w.session = k.lookAtSession(early, *a)
		return waited, nil
	}
	if _, can := a.venue.(Examiner); can && a.why == accessRefused {
		w.session = sessionOver // or there would be no such renewal
	}
	a.knowing(w.session, time.Now())
	a.way = a.wayOf(a.venue.Policy(), w.detour, time.Now())
	a.policy, a.rollback = a.venue.Policy().forWay(a.way), k.rolledBack(ctx, k.readMarks(), a.token, a.record)
	if err := a.rests(time.Now()); err != nil {
		return atRest, err
	}
	switch c := a.chance(); {
	case c == none:
		return atChance, nil
	case w.session == sessionOver && a.way == RenewWithAccessToken && a.why != accessRefused && a.why != insisting:
		return atSession, nil
	case c == afterProbe && !w.answered:
		if err := k.probeVenue(early, a.venue, a.app); err != nil {
			return atVenue, err
		}
		w.answered = true
		return waited, nil
	case a.limited() && w.slot.IsZero() && (a.record.Failures > 0 || k.inTrouble(a.id.Venue)) && !w.looked:
		w.looked = true
		if err := k.lookAtVenue(early, *a); err != nil {
			return atTrouble, err
		}
		return waited, nil
	case !w.turn || a.limited() && w.slot.IsZero():
		err := k.takeTurn(early, *a, w)
		if errors.Is(err, errLookFirst) {
			return waited, nil
		}
		if err != nil && k.mayDetour(early, *a, err) {
			w.detour, err = true, nil
		}
		if err != nil {
			return atTurn, err
		}
		w.turn, w.answered = true, false // the wait may have been long
		return waited, nil
	}
	a.slot = w.slot
	return passed, nil
}

// takeTurn waits for a place in the venue's quota, or in the app's pace.
func (k *Keeper) takeTurn(ctx context.Context, a attempt, w *waits) (err error) {
	if a.limited() {
		w.slot, err = k.takeSlot(ctx, a, w)
		return err
	}
	policy := a.policy
	policy.Quota = Quota{} // which is of the other way, or less than the app knows
	return k.acquire(ctx, a.app, policy, needOf(a.token, time.Now()))
}

// mayDetour reports whether the refresh token is the way out for a renewal whose turn does
// not come before the access token expires: the quota is one of renewals with the access
// token. A pause that the venue asked for is kept.
func (k *Keeper) mayDetour(ctx context.Context, a attempt, noTurn error) bool {
	if policy := a.venue.Policy(); policy.RenewsWith != RenewWithAccessToken || a.token.Refresh == "" || !a.record.unused(policy) {
		return false
	}
	var known *Error
	if errors.As(noTurn, &known) && time.Now().Add(known.RetryAfter).Before(lastTry(a.token)) {
		return false
	}
	until, err := k.Vault.closedUntil(ctx, k.budgetKey(a.app, a.policy))
	return err == nil && until.IsZero()
}

// stopped returns the error of a renewal that stopped at a gate, and records it.
func (k *Keeper) stopped(ctx, early context.Context, a attempt, at gate, err error) error {
	if at == atChance {
		return k.noChance(ctx, a)
	}
	if given := givenUp(ctx, early); given != nil {
		return given
	}
	failure := annotate(err, a.id, "refresh")
	switch at {
	case atSession:
		return k.sessionEnded(ctx, a)
	case atLease:
		return &Error{Class: ClassLater, Reason: "another program is renewing this token and does not finish", Err: err}
	case atVenue:
		return k.notAnswering(ctx, a, failure)
	case atTurn:
		return k.noTurn(ctx, a, failure)
	case atRest:
		if a.putOff() {
			return failure
		}
		return k.remember(ctx, a, a.record.afterRest(failure), failure)
	}
	return k.remember(ctx, a, a.record.afterDelay(a.token, failure), failure)
}

// givenUp returns an error if Leave cancelled a renewal before its claim. Nothing is
// recorded for that.
func givenUp(ctx, early context.Context) error {
	if early.Err() == nil || ctx.Err() != nil {
		return nil
	}
	return &Error{Class: ClassLater, Reason: "the program is ending, and the renewal was not started", Err: early.Err()}
}
