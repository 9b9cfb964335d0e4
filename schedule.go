package venuekey

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// schedule.go owns when a token is due. Everything in it is arithmetic, without a store
// or a venue.

const (
	// defaultRefreshAt is the fraction of its life at which a token is renewed if the
	// policy does not say.
	defaultRefreshAt = 0.8
	// jitter is the fraction of a token's life over which renewals are spread,
	// before the policy's moment and never after it.
	jitter = 0.05
	// unstatedLife is the lifetime to assume if neither the venue's answer nor its
	// policy states one: unknown never means forever.
	unstatedLife = time.Hour
	// leastBackOff and mostBackOff bound the wait between failed renewals.
	leastBackOff = time.Second
	mostBackOff  = 5 * time.Minute
	// mostSilence is the longest that a record is put off, whatever Retry-After says:
	// the budget may have been opened again meanwhile. An expired token is tried that
	// often.
	mostSilence = time.Hour
)

// withDefaults fills in what a venue's answer did not state.
func withDefaults(token Token, policy Policy) Token {
	if token.Issued.IsZero() {
		token.Issued = time.Now()
	}
	if token.Expires.IsZero() {
		token.Expires = token.Issued.Add(orElse(policy.DefaultLife, unstatedLife))
	}
	if token.RefreshIssued.IsZero() && token.Refresh != "" {
		token.RefreshIssued = token.Issued
	}
	return token
}

// clockWarning returns a warning if the local clock is wrong, or "".
func clockWarning(token Token) string {
	ahead, how := token.ClockAhead, "ahead of"
	if ahead < 0 {
		ahead, how = -ahead, "behind"
	}
	if ahead <= clockTolerance {
		return ""
	}
	return fmt.Sprintf("this machine's clock is %s %s the venue's: correct it", ahead, how)
}

// carriedOver returns the token that follows old: what the venue did not repeat is
// carried over. Without a new refresh token, the old one remains valid (RFC 6749 §6).
func carriedOver(old, got Token, policy Policy) Token {
	if got.Refresh == "" {
		got.Refresh = old.Refresh
	}
	// A repeated refresh token keeps its expiry, unless the venue states another.
	if got.Refresh == old.Refresh && got.RefreshExpires.IsZero() {
		got.RefreshExpires = old.RefreshExpires
	}
	if len(got.Scopes) == 0 {
		got.Scopes = old.Scopes
	}
	got.Asked = old.Asked
	if got.User == "" {
		got.User = old.User
	}
	got.SignedIn, got.began = old.SignedIn, later(old.began, got.began)
	got.Password, got.typed = old.Password, old.typed
	if got.Refresh == old.Refresh {
		got.refusedFirst = old.refusedFirst
	}
	got.RefreshIssued = refreshIssued(old, got)
	if got.Access == "" { // the new one cannot be used; the old one is good until it expires
		got.Access, got.Type, got.Issued, got.Expires, got.ended = old.Access, old.Type, old.Issued, old.Expires, old.ended
		if policy.KillsAccess {
			got.Access, got.Type, got.Expires = "", "", got.Issued
		}
	}
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

// nextRefresh returns when to renew a token; the zero time means that it cannot be
// renewed. draw is a random number in [0, 1) for the jitter.
func nextRefresh(token Token, policy Policy, now time.Time, draw float64) time.Time {
	if policy.RenewsWith == RenewWithRefreshToken && token.Refresh == "" {
		return time.Time{}
	}
	fraction := policy.RefreshAt
	if fraction <= 0 || fraction >= 1 {
		fraction = defaultRefreshAt
	}
	life := token.Life()
	// A refresh token that expires before the access token sets the pace, unless it has
	// just renewed the token after its stated expiry.
	if last := refreshEnds(token, policy); last.After(token.Issued) && last.Before(token.Expires) && policy.RenewsWith == RenewWithRefreshToken {
		life = last.Sub(token.Issued)
	}
	next := token.Issued.Add(time.Duration((fraction - jitter*draw) * float64(life)))
	// A token that is due as soon as it arrives must not be renewed in a loop.
	if soonest := now.Add(leastBackOff); next.Before(soonest) {
		next = soonest
	}
	return policy.Maintenance.plan(next, token, now, draw)
}

// refreshEnds returns when a refresh token expires, as the venue stated or documents;
// zero means unknown, or never.
func refreshEnds(token Token, policy Policy) time.Time {
	if token.RefreshExpires.IsZero() && policy.RenewalEnds == EndAfterIssue && policy.RenewalLife > 0 && !token.repeats() {
		return after(token.RefreshIssued, policy.RenewalLife)
	}
	return token.RefreshExpires
}

// isDue reports whether a record's token is due for renewal.
func isDue(record Record, now time.Time) bool {
	return !record.NextRefresh.IsZero() && !now.Before(record.NextRefresh)
}

// backOff returns how long to wait after the given number of failed renewals: it doubles
// each time, up to a maximum, is at least what the venue asked for, and has up to a
// quarter of jitter added.
func backOff(failures int, retryAfter time.Duration) time.Duration {
	wait := mostBackOff
	if failures < 10 {
		wait = min(leastBackOff<<max(failures-1, 0), mostBackOff)
	}
	wait = max(wait, retryAfter)
	return wait + time.Duration(rand.Float64()*float64(wait)/4)
}

// nextTry returns when to try again after the given wait. No wait outlasts the token:
// there is a last try shortly before it expires, and an expired one is tried every hour.
func nextTry(token Token, now time.Time, wait time.Duration) time.Time {
	next := now.Add(wait)
	if last := lastTry(token); now.Before(last) {
		return earlier(next, last)
	}
	if now.Before(token.Expires) {
		return earlier(next, token.Expires)
	}
	return earlier(next, now.Add(mostSilence))
}

// lastTry returns when a live token is tried whatever Retry-After says.
func lastTry(token Token) time.Time {
	return token.Expires.Add(-min(token.Life()/50, time.Minute))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
