package venuekey

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// remember.go owns what is written after a renewal that brought no token.

// failed ends a renewal that was presented and brought no token.
func (k *Keeper) failed(ctx context.Context, a attempt, claimed Record, failure *Error) error {
	a.rollback.explain(failure)
	if failure.Class == ClassNotSent {
		k.returnSlot(ctx, a)
	}
	if failure.Class == ClassLater && failure.RetryAfter > 0 && !failure.OfUser {
		k.closeFor(ctx, a.app, a.policy, failure.RetryAfter)
	}
	if a.limited() && isTrouble(failure) {
		k.noteTrouble(a.id.Venue, true)
	}
	if failure.Class == ClassRefused && !a.record.IntentAt.IsZero() {
		failure.Reason = cmp.Or(failure.Reason, "refused") + "; the answer to the previous renewal was lost"
	}
	suspected := a.token.suspected
	a.reseal = k.believe(ctx, &a, failure) || a.reseal
	next := claimed.afterFailure(a.record, a.token, a.policy, failure)
	switch {
	case errors.Is(failure, errOtherWay):
		next.NextRefresh = time.Now()
	case suspected.IsZero() && !a.token.suspected.IsZero():
		next.NextRefresh = earlier(time.Now().Add(secondLook), a.token.Expires)
	case a.way == bySigningIn:
		next = next.afterSignIn(failure)
	case a.way == RenewWithRefreshToken && a.stillRenews(time.Now()):
		next = next.afterEarly(a.token, a.venue.Policy())
	}
	if failure.Class == ClassUnknown && next.NextRefresh.IsZero() {
		failure.Class = ClassRefused // it was the last chance
	}
	return k.rememberFinal(ctx, a, next, failure)
}

// noChance ends a renewal that has no chance left, or none yet.
func (k *Keeper) noChance(ctx context.Context, a attempt) error {
	if why := a.rollback.refusal(a.token, a.policy); why != nil {
		return k.rememberFinal(ctx, a, a.record.abandoned(why), why)
	}
	why := a.record.whyNoChance()
	next := a.record.afterNoChance(a.token, a.policy, why)
	if a.record.Condition == ConditionDead && a.record.NextRefresh.IsZero() && a.record.LeaseOwner == "" {
		return why // the record already says so
	}
	return k.rememberFinal(ctx, a, next, why)
}

// notAnswering saves the chance for later, since the venue does not answer.
func (k *Keeper) notAnswering(ctx context.Context, a attempt, failure *Error) error {
	failure.Class, failure.Reason = ClassLater, "the venue does not answer yet: "+cmp.Or(failure.Reason, failure.Class.String())
	if !a.record.IntentAt.IsZero() {
		failure.Reason = "the answer to a renewal was lost, and " + failure.Reason
	}
	if a.record.Condition == ConditionDead && a.why == insisting {
		return failure // the record stays as it is: only a human tries again
	}
	return k.remember(ctx, a, a.record.afterSilence(a.token, a.policy, failure), failure)
}

// noTurn puts off a renewal whose turn did not come. A record that is already put off is
// not written again, however often callers ask.
func (k *Keeper) noTurn(ctx context.Context, a attempt, failure *Error) error {
	if a.putOff() {
		return failure
	}
	return k.remember(ctx, a, a.record.afterNoTurn(a.token, failure), failure)
}

// putOff reports whether the record already says when the renewal is tried next.
func (a attempt) putOff() bool {
	return !a.reseal && a.record.LeaseOwner == "" && !a.record.NextRefresh.IsZero() && !isDue(a.record, time.Now())
}

// sessionEnded ends a renewal whose session is over and which has no other way. It may have
// been an outage after all, so the session is looked at until shortly before the token
// expires, when it is tried once more.
func (k *Keeper) sessionEnded(ctx context.Context, a attempt) error {
	why := &Error{ID: a.id, Op: "refresh", Class: ClassRefused,
		Reason: "the venue answers this token as it does that of a session that was ended: by another sign-in of the same user, " +
			"or because the user's limit is used up"}
	next := a.record.afterDelay(a.token, why)
	next.NextRefresh = nextTry(a.token, time.Now(), laterLooks)
	return k.remember(ctx, a, next, why)
}

// rememberFinal writes the record of a renewal that may have been the last. A token that
// is not tried again is sealed with a fingerprint of the app's credentials, because the
// refusal may have been about those.
func (k *Keeper) rememberFinal(ctx context.Context, a attempt, after Record, failure *Error) error {
	if after.NextRefresh.IsZero() {
		a.token.refusedUnder, a.reseal = a.app.credentials(), true
	}
	return k.remember(ctx, a, after, failure)
}

// remember writes a record without a new token, and returns the failure. What is known
// against the token is sealed with it. A record that changed meanwhile is newer than what
// we know, and stays.
func (k *Keeper) remember(ctx context.Context, a attempt, record Record, failure *Error) error {
	if a.reseal {
		if sealed, err := k.Vault.sealed(record, sealedFrom(a.token)); err == nil {
			record = sealed
		}
		k.Source(a.id).invalidate()
	}
	record.NextRefresh = a.policy.Maintenance.noLater(record.NextRefresh, time.Now(), rand.Float64())
	if _, err := k.Vault.Store.Put(ctx, a.byStore(record)); err != nil && !errors.Is(err, ErrConflict) {
		// The intent stays open: the next program treats it as uncertain.
		k.log().Error("the store does not answer", "id", failure.ID, "error", systemError(err))
	}
	return failure
}

// byStore corrects a record's due date if the store's clock, which claims go by, is ahead
// of this machine's: otherwise no wait would be one, and Run would try again at once.
func (a attempt) byStore(record Record) Record {
	if ahead := a.record.ReadAt.Sub(a.looked); ahead > clockTolerance && !record.NextRefresh.IsZero() {
		record.NextRefresh = record.NextRefresh.Add(ahead)
	}
	return record
}
