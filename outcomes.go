package venuekey

import (
	"cmp"
	"math/rand/v2"
	"time"
)

// outcomes.go owns what becomes of a record: each method is one step, and one line of
// the table of outcomes in doc/design.md. A method that begins with "after" follows
// what happened to a renewal. None of them reads or writes a store.

// afterClaim is a record that a program is about to present: it has a lease and an
// open intent.
func (r Record) afterClaim(owner string, lease time.Duration) Record {
	r.LeaseOwner, r.LeaseUntil = owner, r.ReadAt.Add(lease)
	r.Attempt, r.IntentAt = min(r.Attempt, mostTries)+1, r.ReadAt
	return r
}

// afterGrant is the record of a token that just arrived: nothing is held against it,
// and its next refresh is drawn, once.
func (r Record) afterGrant(token Token, policy Policy) Record {
	r = r.free()
	r.Attempt, r.IntentAt = 0, time.Time{}
	r.Condition, r.Failures, r.Text = ConditionGood, 0, ""
	r.NextRefresh = nextRefresh(token, policy, time.Now(), rand.Float64())
	return r
}

// afterUseless is the record of a sign-in that was renewed with a token that nobody can
// use. It goes on counting the failures so far: a venue that goes on like that is asked
// less and less.
func (r Record) afterUseless(failures int, token Token, failure *Error) Record {
	r.Failures = failures
	return r.afterDelay(token, failure)
}

// afterFailure is the record of a claim that brought no token, by the class of the
// failure.
func (r Record) afterFailure(before Record, token Token, policy Policy, failure *Error) Record {
	switch {
	case failure.Class == ClassRefused:
		return r.afterRefusal(token, failure)
	case failure.Class == ClassUnknown && policy.AfterLostAnswer != RetryFreely:
		return r.afterLost(token, policy, failure)
	default:
		return r.afterDelay(token, failure).givenBack(before)
	}
}

// afterRefusal is a record that the venue will not renew: it stays, dead, for a human
// to see.
func (r Record) afterRefusal(token Token, failure *Error) Record {
	r = r.afterDelay(token, failure)
	r.Condition, r.IntentAt, r.NextRefresh = ConditionDead, time.Time{}, time.Time{}
	return r
}

// afterLost is a record whose answer was lost. What renews may be used up, so the
// intent stays open, and the policy says when there is another chance.
func (r Record) afterLost(token Token, policy Policy, failure *Error) Record {
	r = r.afterDelay(token, failure)
	r.Condition = ConditionUncertain
	r.NextRefresh = nextChance(r, token, policy, r.NextRefresh)
	return r
}

// afterDelay is a record after a failure that burns nothing: free again, and due after
// a while.
func (r Record) afterDelay(token Token, failure *Error) Record {
	r = r.free()
	r.Failures = min(max(r.Failures, 0), mostTries) + 1
	r.Text = cmp.Or(failure.Reason, failure.Class.String())
	r.NextRefresh = nextTry(token, time.Now(), backOff(r.Failures, min(failure.RetryAfter, mostSilence)))
	return r
}

// afterNoTurn is a record whose turn did not come: free again, due when it may. Of
// those that are put off, the ones with the least of their lives left come first,
// and the ones that died already last.
func (r Record) afterNoTurn(token Token, failure *Error) Record {
	r = r.free()
	share := 1.0
	if left := time.Until(token.Expires); left > 0 && left < token.Life() {
		share = float64(left) / float64(token.Life())
	}
	wait := min(failure.RetryAfter, mostSilence)
	r.NextRefresh = nextTry(token, time.Now(), wait+time.Duration(share*float64(wait)/4))
	return r
}

// afterSilence is a record whose chance is saved up, since the venue does not answer.
func (r Record) afterSilence(token Token, policy Policy, failure *Error) Record {
	next := r.afterDelay(token, failure)
	if r.Condition == ConditionDead { // why it is dead stays known
		next.Text = r.because()
		return next
	}
	next.Condition = ConditionUncertain
	next.NextRefresh = nextChance(next, token, policy, next.NextRefresh)
	return next
}

// afterNoChance is a record that is not presented any more, or not yet: the old access
// token is served while it lives, and the reason stays. What has a last chance is due
// at its end, which is added to why; until then only a human can help.
func (r Record) afterNoChance(token Token, policy Policy, why *Error) Record {
	next := time.Time{}
	if r.Condition != ConditionDead {
		next = nextChance(r, token, policy, time.Now().Add(leastBackOff))
	}
	if !next.IsZero() {
		why.Reason += "; it is presented once more when the access token is dead and nothing is left to lose"
	}
	r = r.abandoned(why)
	r.NextRefresh = next
	return r
}

// abandoned is a record that only a human can help.
func (r Record) abandoned(why *Error) Record {
	r = r.free()
	if r.Condition != ConditionDead {
		r.Condition = ConditionUncertain
	}
	r.Text, r.NextRefresh = why.Reason, time.Time{}
	return r
}

// givenBack is a claimed record of which nothing was burnt: what was known before the
// claim is true again.
func (r Record) givenBack(before Record) Record {
	r = r.free()
	r.Attempt, r.IntentAt, r.Condition = before.Attempt, before.IntentAt, before.Condition
	return r
}

// free is a record that nobody holds.
func (r Record) free() Record {
	r.LeaseOwner, r.LeaseUntil = "", time.Time{}
	return r
}
