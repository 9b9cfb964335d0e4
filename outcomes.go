package venuekey

import (
	"cmp"
	"math/rand/v2"
	"time"
)

// outcomes.go owns the transitions of a record: each method is one, and one line in the
// table of outcomes in doc/design.md. A method that begins with "after" follows the
// outcome of a renewal. None of them reads or writes a store.

// afterClaim returns a record of which a token is about to be presented: it has a lease
// and an open intent. Only presentations of the refresh token are counted.
func (r Record) afterClaim(owner string, lease time.Duration, way Renewal) Record {
	r.LeaseOwner, r.LeaseUntil = owner, r.ReadAt.Add(lease)
	r.IntentAt = r.ReadAt
	if way == RenewWithRefreshToken {
		r.Attempt = min(r.Attempt, mostTries) + 1
	}
	return r
}

// afterGrant returns the record of a token that just arrived: nothing is known against
// it, and its next refresh is drawn, once. A refresh token whose answer was lost keeps its
// count if the access token brought the grant.
func (r Record) afterGrant(token Token, policy Policy, way Renewal) Record {
	r = r.free()
	r.IntentAt = time.Time{}
	if way == RenewWithRefreshToken || token.Refresh == "" {
		r.Attempt = 0
	}
	r.Condition, r.Failures, r.Text = ConditionGood, 0, ""
	now, draw := time.Now(), rand.Float64()
	r.NextRefresh = r.earlyOr(nextRefresh(token, policy, now, draw), token, policy, now, draw)
	return r
}

// afterUseless returns the record of a sign-in whose renewal brought an access token
// that cannot be used. It goes on counting failures, so that a venue that keeps sending
// such tokens is asked less and less often.
func (r Record) afterUseless(failures int, token Token, failure *Error) Record {
	r.Failures = failures
	return r.afterDelay(token, failure)
}

// afterFailure returns the record of a claim that brought no token, by the class of
// the failure.
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

// afterEarly returns a record whose refresh token was not renewed early: nothing is urgent,
// because the access token is young. A refusal that is in doubt is tested once more when
// the doubt is over, and everything else waits for the next renewal with the access token.
func (r Record) afterEarly(token Token, policy Policy) Record {
	now, draw := time.Now(), rand.Float64()
	r.NextRefresh = nextRefresh(token, policy, now, draw)
	if again := token.refusedFirst.Add(policy.Doubt + time.Duration((1+draw)*float64(time.Minute))); !token.refusedFirst.IsZero() && now.Before(again) {
		r.NextRefresh = earlier(r.NextRefresh, again)
	}
	return r
}

// afterRefusal returns a record that the venue will not renew: it stays, dead, for a
// human to see.
func (r Record) afterRefusal(token Token, failure *Error) Record {
	r = r.afterDelay(token, failure)
	r.Condition, r.IntentAt, r.NextRefresh = ConditionDead, time.Time{}, time.Time{}
	return r
}

// afterLost returns a record after a lost answer. Its refresh token may be used up, so
// the intent stays open, and the policy says when there is another chance.
func (r Record) afterLost(token Token, policy Policy, failure *Error) Record {
	r = r.afterDelay(token, failure)
	r.Condition = ConditionUncertain
	r.NextRefresh = nextChance(r, token, policy, r.NextRefresh)
	return r
}

// afterDelay returns a record after a failure that used nothing up: without a lease, and
// due after the back-off.
func (r Record) afterDelay(token Token, failure *Error) Record {
	r = r.free()
	r.Failures = min(max(r.Failures, 0), mostTries) + 1
	r.Text = cmp.Or(failure.Reason, failure.Class.String())
	r.NextRefresh = nextTry(token, time.Now(), backOff(r.Failures, min(failure.RetryAfter, mostSilence)))
	return r
}

// afterNoTurn returns a record whose turn did not come: without a lease, and due when
// the budget allows. Of the records put off, those with the least of their lives left
// come first, and those already expired last.
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

// afterSignIn returns a record whose user could not be signed in with the kept password: a
// venue is not asked often, and what a person has to mend is tried once in an hour.
func (r Record) afterSignIn(failure *Error) Record {
	wait := leastSignInWait
	if failure.Class == ClassDeclined || failure.Class == ClassMisconfigured {
		wait = mostSilence
	}
	if at := time.Now().Add(wait); !r.NextRefresh.IsZero() {
		r.NextRefresh = later(r.NextRefresh, at)
	}
	return r
}

// afterRest returns a record whose user is not signed in again by itself yet: it is due as
// soon as that may be, spread over a minute, and nothing has failed.
func (r Record) afterRest(failure *Error) Record {
	r = r.free()
	r.Text = failure.Reason
	r.NextRefresh = time.Now().Add(min(failure.RetryAfter, mostSilence) + time.Duration(rand.Float64()*float64(leastSignInWait)))
	return r
}

// afterSilence returns a record whose chance is saved, since the venue does not answer
// a probe.
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

// afterNoChance returns a record whose refresh token is not presented any more, or not
// yet: the old access token is served until it expires, and the reason stays. If there
// is a last chance, the record is due when the access token expires, and why says so;
// until then only a human can help.
func (r Record) afterNoChance(token Token, policy Policy, why *Error) Record {
	next := time.Time{}
	if r.Condition != ConditionDead {
		next = nextChance(r, token, policy, time.Now().Add(leastBackOff))
	}
	if !next.IsZero() {
		why.Reason += "; it is presented once more when the access token has expired and nothing is left to lose"
	}
	r = r.abandoned(why)
	r.NextRefresh = next
	return r
}

// abandoned returns a record that only a human can help.
func (r Record) abandoned(why *Error) Record {
	r = r.free()
	if r.Condition != ConditionDead {
		r.Condition = ConditionUncertain
	}
	r.Text, r.NextRefresh = why.Reason, time.Time{}
	return r
}

// givenBack returns a claimed record under which nothing was used up: what was known
// before the claim is true again.
func (r Record) givenBack(before Record) Record {
	r = r.free()
	r.Attempt, r.IntentAt, r.Condition = before.Attempt, before.IntentAt, before.Condition
	return r
}

// free returns a record without a lease.
func (r Record) free() Record {
	r.LeaseOwner, r.LeaseUntil = "", time.Time{}
	return r
}
