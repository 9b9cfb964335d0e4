package venuekey

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
)

// chance.go owns the question that loses sign-ins if it is answered wrongly: may a
// refresh token (or whatever the venue renews with) be presented once more, if an
// earlier request may have used it up, or if the venue refused it?

// chance says whether the refresh token may be presented.
type chance int

const (
	// none: it is not presented any more, or not yet.
	none chance = iota
	// afterProbe: it is presented, but only once the venue has been seen to answer,
	// since there will be no second chance.
	afterProbe
	// allowed: it is presented.
	allowed
)

// chanceOf judges a record that no program is renewing. A record with an open intent
// was presented by a program that died, or received no answer, before it could record
// the outcome; it is uncertain, not free. One that was presented without an answer stays
// so after a renewal with the access token. alive says whether there is an access token
// to lose.
func chanceOf(record Record, policy Policy, way Renewal, alive bool) chance {
	switch {
	case record.Condition == ConditionDead:
		return none
	case policy.reuseIsHarmless() && way != policy.RenewsWith && record.Failures > 0:
		// The access token is dead and nothing has been used up yet: a venue that does
		// not answer must not swallow the refresh token as well.
		return afterProbe
	case policy.reuseIsHarmless():
		return allowed
	case record.IntentAt.IsZero() && record.Failures > 0 && !(alive && way == RenewWithAccessToken):
		return afterProbe // the venue did not answer last time, and must not swallow this one
	case record.IntentAt.IsZero() && record.Attempt == 0:
		return allowed
	case record.Attempt < policy.attempts() && record.ReadAt.Before(endOfGrace(record, policy)):
		return afterProbe
	case !alive && record.Attempt <= policy.attempts():
		// The last chance. The access token has expired and a human is needed anyway:
		// under any policy one more presentation can only help.
		return afterProbe
	}
	return none
}

// chance says whether an attempt may present the refresh token. A caller that insists,
// and app credentials other than those it was refused under, give it one more chance.
func (a attempt) chance() chance {
	alive := a.token.Valid(time.Now()) && a.why != accessRefused
	is := chanceOf(a.record, a.policy, a.way, alive)
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

// after returns the attempt as it would stand some time later.
func (a attempt) after(d time.Duration) attempt {
	a.record.ReadAt = a.record.ReadAt.Add(d)
	return a
}

// reuseIsHarmless reports whether a second presentation is at worst refused.
func (p Policy) reuseIsHarmless() bool {
	return p.AfterLostAnswer == RetryUntilRefused || p.AfterLostAnswer == RetryFreely
}

// attempts returns how often one refresh token may be presented while there is
// something to lose, if reuse is not harmless.
func (p Policy) attempts() int {
	if p.AfterLostAnswer == RetryOnce {
		return 2
	}
	return 1
}

// endOfGrace returns the time until which the venue forgives a second presentation,
// less a margin for the request to get there.
func endOfGrace(record Record, policy Policy) time.Time {
	if policy.Grace <= 0 {
		return record.ReadAt.Add(mostBackOff) // no end is known
	}
	return record.IntentAt.Add(policy.Grace - min(policy.Grace/5, 5*time.Second))
}

// nextChance returns when to try again after a lost answer; next is when back-off
// would. The zero time means never.
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

// whyNoChance returns the reason why a refresh token is not presented.
func (r Record) whyNoChance() *Error {
	if r.Condition == ConditionDead {
		return &Error{Class: ClassRefused, Reason: r.because()}
	}
	if r.IntentAt.IsZero() {
		return &Error{Class: ClassRefused, Reason: "the answer to an earlier renewal was lost, and the refresh token may be used up"}
	}
	return &Error{Class: ClassRefused, Reason: "the answer to a renewal sent at " + r.IntentAt.UTC().Format(time.RFC3339) +
		" was lost, and the refresh token may be used up"}
}

// credentials returns a fingerprint of what the app authenticates with. A refusal may
// have been about the app's credentials; it is reconsidered when they change.
func (a App) credentials() string {
	parts := []string{a.ClientID, string(a.ClientSecret)}
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		parts = append(parts, name, string(a.Params[name]))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
