package venuekey

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// When a token is due, and what its record says of it: everything here is
// arithmetic, without a store or a venue.

const (
	// defaultRefreshAt is the fraction of its life at which a token is renewed
	// where the policy does not say.
	defaultRefreshAt = 0.8
	// jitter is the fraction of a token's life over which renewals are spread,
	// before the policy's moment and never after it.
	jitter = 0.05
	// unstatedLife is for a venue whose answers and policy both name no life:
	// unknown is never forever.
	unstatedLife = time.Hour
	// leastBackOff and mostBackOff bound the wait between failed renewals.
	leastBackOff = time.Second
	mostBackOff  = 5 * time.Minute
)

// withDefaults fills in what a venue's answer left open.
func withDefaults(token Token, policy Policy) Token {
	if token.Issued.IsZero() {
		token.Issued = time.Now()
	}
	if token.Expires.IsZero() {
		token.Expires = token.Issued.Add(orElse(policy.DefaultLife, unstatedLife))
	}
	return token
}

// clockWarning is what to tell where the local clock is wrong.
func clockWarning(token Token) string {
	ahead, how := token.ClockAhead, "ahead of"
	if ahead < 0 {
		ahead, how = -ahead, "behind"
	}
	if ahead <= ClockTolerance {
		return ""
	}
	return fmt.Sprintf("this machine's clock is %s %s the venue's: set it right", ahead, how)
}

// successor is the token that follows old: what the venue did not repeat stays
// true. A venue that sends no new refresh token means the old one to be kept
// (RFC 6749 §6).
func successor(old, got Token, policy Policy) Token {
	if got.Refresh == "" {
		got.Refresh, got.RefreshExpires = old.Refresh, old.RefreshExpires
	}
	if len(got.Scopes) == 0 {
		got.Scopes = old.Scopes
	}
	if got.User == "" {
		got.User = old.User
	}
	got.SignedIn = old.SignedIn
	extras := make(map[string]Secret, len(old.Extras)+len(got.Extras))
	for name, value := range old.Extras {
		extras[name] = value
	}
	for name, value := range got.Extras {
		extras[name] = value
	}
	if len(extras) > 0 {
		got.Extras = extras
	}
	return withDefaults(got, policy)
}

// granted is the record of a token that just arrived: nothing is held against
// it and its next refresh is drawn, once.
func granted(record Record, token Token, policy Policy) Record {
	record.LeaseOwner, record.LeaseUntil = "", time.Time{}
	record.Attempt, record.IntentAt = 0, time.Time{}
	record.Condition, record.Failures, record.Reason = Good, 0, ""
	record.NextRefresh = nextRefresh(token, policy, time.Now(), rand.Float64())
	return record
}

// nextRefresh draws when a token is to be renewed. The zero time means that it
// cannot be. The draw is between 0 and 1.
func nextRefresh(token Token, policy Policy, now time.Time, draw float64) time.Time {
	if policy.RenewsWith == WithRefreshToken && token.Refresh == "" {
		return time.Time{}
	}
	fraction := policy.RefreshAt
	if fraction <= 0 || fraction >= 1 {
		fraction = defaultRefreshAt
	}
	life := token.Life()
	// A refresh token that dies before the access token sets the pace.
	if last := token.RefreshExpires; !last.IsZero() && last.Before(token.Expires) && policy.RenewsWith == WithRefreshToken {
		life = last.Sub(token.Issued)
	}
	next := token.Issued.Add(time.Duration((fraction - jitter*draw) * float64(life)))
	// A token that is due as soon as it arrives must not be renewed in a loop.
	if soonest := now.Add(leastBackOff); next.Before(soonest) {
		next = soonest
	}
	return next
}

// isDue reports whether a record's token is to be renewed.
func isDue(record Record, now time.Time) bool {
	return !record.NextRefresh.IsZero() && !now.Before(record.NextRefresh)
}

// backOff is how long to wait after so many failed renewals: twice as long each
// time, spread by a quarter, and never less than the venue asked for.
func backOff(failures int, retryAfter time.Duration) time.Duration {
	wait := mostBackOff
	if failures < 10 {
		wait = min(leastBackOff<<max(failures-1, 0), mostBackOff)
	}
	wait = max(wait, retryAfter)
	return wait + time.Duration(rand.Float64()*float64(wait)/4)
}

// attemptsAllowed is how often one refresh token may be presented.
func (p Policy) attemptsAllowed() int {
	switch p.AfterLostAnswer {
	case Once:
		return 2
	case UntilRefused, Freely:
		return int(^uint(0) >> 1)
	default:
		return 1
	}
}

// spent judges a record that nobody is renewing: nil when its token may be
// presented, else why it may not. A record with an open intent was presented
// by somebody who did not live, or did not hear, to tell the outcome; it is
// uncertain, not free.
func spent(record Record, policy Policy) *Error {
	if record.Condition == Dead {
		return &Error{Class: Refused, Reason: record.Reason}
	}
	if record.IntentAt.IsZero() || record.Attempt < policy.attemptsAllowed() {
		return nil
	}
	return &Error{Class: Refused, Reason: "the answer to a renewal sent at " + record.IntentAt.UTC().Format(time.RFC3339) +
		" was lost; the refresh token may be used up and is not presented again"}
}

// judged is the record after spent said no: nothing renews it any more, the
// old access token is served while it lives, and the reason stays.
func judged(record Record, verdict *Error) Record {
	if record.Condition != Dead {
		record.Condition = Uncertain
	}
	record.Reason = verdict.Reason
	record.NextRefresh = time.Time{}
	record.LeaseOwner, record.LeaseUntil = "", time.Time{}
	return record
}

// released is the record of a claim that brought no token. What was not burnt
// is as it was before the claim; what may be burnt keeps its intent open; what
// is refused is dead, and stays for a human to see.
func released(before, claimed Record, policy Policy, failure *Error) Record {
	if failure.Class == Refused && !before.IntentAt.IsZero() {
		failure.Reason = orReason(failure.Reason, "refused") + "; the answer to the renewal before was lost"
	}
	next := postponed(claimed, failure)
	switch {
	case failure.Class == Refused:
		next.Condition, next.IntentAt, next.NextRefresh = Dead, time.Time{}, time.Time{}
	case failure.Class == Unknown && policy.AfterLostAnswer != Freely:
		next.Condition = Uncertain
	default:
		next.Attempt, next.IntentAt, next.Condition = before.Attempt, before.IntentAt, before.Condition
	}
	return next
}

// unsent is a record whose claim is given back, since nothing was presented.
func unsent(before, claimed Record) Record {
	claimed.LeaseOwner, claimed.LeaseUntil = "", time.Time{}
	claimed.Attempt, claimed.IntentAt = before.Attempt, before.IntentAt
	return claimed
}

// postponed is a record after a failure: free again, and due after a while.
func postponed(record Record, failure *Error) Record {
	record.LeaseOwner, record.LeaseUntil = "", time.Time{}
	record.Failures++
	record.Reason = orReason(failure.Reason, failure.Class.String())
	record.NextRefresh = time.Now().Add(backOff(record.Failures, failure.RetryAfter))
	return record
}

// putOff is a record whose turn did not come: free again, due when it may.
func putOff(record Record, failure *Error) Record {
	record.LeaseOwner, record.LeaseUntil = "", time.Time{}
	record.NextRefresh = time.Now().Add(failure.RetryAfter + time.Duration(rand.Float64()*float64(failure.RetryAfter)/4))
	return record
}

func orReason(reason, otherwise string) string {
	if reason == "" {
		return otherwise
	}
	return reason
}
