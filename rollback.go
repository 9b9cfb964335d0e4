package venuekey

import (
	"cmp"
	"context"
	"fmt"
)

// rollback.go owns the question whether a vault went back in time: whether an older copy
// of it was restored, whose refresh tokens are used up.

// rollback is how far a record is behind what this machine has seen of its sign-in; zero
// if it is not behind.
type rollback struct{ stored, seen int64 }

// rolledBack compares a record with its mark. A mark that seems ahead may come from a
// save after the record was read, so the store is read once more.
func (k *Keeper) rolledBack(ctx context.Context, marks *markReader, token Token, record Record) rollback {
	if k.Marks == "" || token.SignedIn.IsZero() {
		return rollback{}
	}
	seen := marks.seen(record.Key, token)
	if seen <= record.Generation {
		return rollback{}
	}
	again, err := k.Vault.Store.Get(ctx, record.Key)
	if err != nil || again.Generation != record.Generation {
		return rollback{}
	}
	return rollback{record.Generation, seen}
}

func (l rollback) found() bool { return l.seen > 0 }

func (l rollback) reason() string {
	return fmt.Sprintf("the vault went back in time: generation %d is stored and %d was seen, so an older copy was put back and its refresh token is used up", l.stored, l.seen)
}

const rollbackRemedy = "put the newest copy of the vault back, or sign in again"

// refusal returns why a token may not be presented, or nil if it may: it is used up, and
// its venue takes reuse for theft, which would end the sign-in in the newest copy of the
// vault too. This reason comes before any other.
func (l rollback) refusal(token Token, policy Policy) *Error {
	if !l.found() || !punishes(policy) || token.Refresh == "" {
		return nil
	}
	return &Error{Class: ClassRefused, Reason: l.reason() + "; it is not presented again", Remedy: rollbackRemedy}
}

// explain adds the cause to a refusal if a used token was presented, which is harmless at
// its venue.
func (l rollback) explain(failure *Error) {
	if l.found() && failure.Class == ClassRefused {
		failure.Reason = cmp.Or(failure.Reason, "refused") + "; " + l.reason()
		failure.Remedy = rollbackRemedy
	}
}

// punishes reports whether a venue takes the reuse of a refresh token for theft.
func punishes(policy Policy) bool {
	return policy.AfterLostAnswer == RetryNever || policy.AfterLostAnswer == RetryOnce
}

// reportRollback adds to a status that the vault went back.
func (k *Keeper) reportRollback(ctx context.Context, marks *markReader, s *Status, token Token, record Record) {
	if s.Spilled { // a newer token waits
		return
	}
	l := k.rolledBack(ctx, marks, token, record)
	if !l.found() {
		return
	}
	s.Behind, s.Reason = true, l.reason()
	venue, err := k.Venue(s.ID.Venue)
	if err != nil || l.refusal(token, venue.Policy()) == nil {
		return
	}
	switch s.State {
	case StateFresh, StateDue, StateDegraded:
		s.State = StateUncertain
	case StateExpired:
		s.State = StateNeedsSignIn
	}
}
