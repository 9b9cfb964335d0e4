package venuekey

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
)

// chance.go owns the question that loses sign-ins: may what renews be presented
// once more, when nobody knows whether an earlier request used it up, or when the
// venue refused it?

// chance is what may be done with what renews.
type chance int

const (
	// none: it is not presented any more, or not yet.
	none chance = iota
	// afterProbe: it is presented, but only once the venue was seen to answer, since
	// this is a chance that does not come again.
	afterProbe
	// allowed: it is presented.
	allowed
)

// chanceOf judges a record that nobody is renewing. A record with an open intent
// was presented by somebody who did not live, or did not hear, to tell the
// outcome; it is uncertain, not free. Alive is whether there is an access token to
// lose.
func chanceOf(record Record, policy Policy, alive bool) chance {
	switch {
	case record.Condition == ConditionDead:
		return none
	case policy.reuseIsHarmless():
		return allowed
	case record.IntentAt.IsZero() && record.Failures > 0 && !(alive && policy.RenewsWith == RenewWithAccessToken):
		return afterProbe // it did not answer the last time, and must not swallow this
	case record.IntentAt.IsZero():
		return allowed
	case record.Attempt < policy.attempts() && record.ReadAt.Before(endOfGrace(record, policy)):
		return afterProbe
	case !alive && record.Attempt <= policy.attempts():
		// The last chance. The access token is dead and a human is needed anyway:
		// under any policy one more presentation can only win.
		return afterProbe
	}
	return none
}

// chance is what may be done with what renews. Somebody who insists, and
// credentials that are others than those of the refusal, give it one more chance.
func (a attempt) chance() chance {
	alive := a.token.Valid(time.Now()) && a.why != accessRefused
	is := chanceOf(a.record, a.policy, alive)
	switch {
	case a.why == insisting:
		return max(is, afterProbe)
	case a.rollback.refusal(a.token, a.policy) != nil:
		return none
	case is == none && a.token.refusedUnder != "" && a.token.refusedUnder != a.app.credentials():
		return afterProbe
	}
	return is
}

// after is the same look some time later.
func (a attempt) after(d time.Duration) attempt {
	a.record.ReadAt = a.record.ReadAt.Add(d)
	return a
}

// forToken is the policy for one token. A living access token is not used up by renewing
// with it, so where no refresh token is at stake its reuse is at worst refused.
func (p Policy) forToken(token Token) Policy {
	if p.RenewsWith == RenewWithAccessToken && token.Refresh == "" && p.AfterLostAnswer != RetryFreely {
		p.AfterLostAnswer = RetryUntilRefused
	}
	return p
}

// reuseIsHarmless says that a second presentation is at worst refused.
func (p Policy) reuseIsHarmless() bool {
	return p.AfterLostAnswer == RetryUntilRefused || p.AfterLostAnswer == RetryFreely
}

// attempts is how often one refresh token may be presented while there is
// something to lose, where reuse is not harmless.
func (p Policy) attempts() int {
	if p.AfterLostAnswer == RetryOnce {
		return 2
	}
	return 1
}

// endOfGrace is until when a second presentation is forgiven, with room for its
// way to the venue.
func endOfGrace(record Record, policy Policy) time.Time {
	if policy.Grace <= 0 {
		return record.ReadAt.Add(mostBackOff) // no end is known
	}
	return record.IntentAt.Add(policy.Grace - min(policy.Grace/5, 5*time.Second))
}

// nextChance is when a record whose answer was lost is looked at again; next is
// when back-off would. The zero time means never.
func nextChance(record Record, token Token, policy Policy, next time.Time) time.Time {
	if policy.reuseIsHarmless() {
		return next
	}
	if record.Attempt < policy.attempts() {
		end := endOfGrace(record, policy)
		if policy.Grace <= 0 {
			return next
		}
		now := time.Now()
		if next = earlier(next, now.Add(policy.Grace/8)); next.Before(end) {
			return next
		}
	}
	switch now := time.Now(); {
	case record.Attempt > policy.attempts():
		return time.Time{}
	case token.Valid(now):
		return token.Expires
	default:
		return next
	}
}

// whyNoChance says why a record without a chance is not presented.
func (r Record) whyNoChance() *Error {
	if r.Condition == ConditionDead {
		return &Error{Class: ClassRefused, Reason: r.because()}
	}
	return &Error{Class: ClassRefused, Reason: "the answer to a renewal sent at " + r.IntentAt.UTC().Format(time.RFC3339) +
		" was lost, and the refresh token may be used up"}
}

// credentials names what an app identifies itself with, without telling it. A
// refusal may have been about them; it is looked at again when they change.
func (a App) credentials() string {
	parts := []string{a.ClientID, string(a.ClientSecret)}
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		parts = append(parts, name, string(a.Params[name]))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
