package venuekey

import "time"

// way.go owns which token a renewal presents, at a venue that renews with the access token
// and issues refresh tokens as well. It is decided before the claim, because the intent
// means something else: a renewal with the access token uses nothing up, whatever becomes
// of its answer, and a refresh token works once. The venue gets only what it may present.
//
// The refresh token is renewed by itself when half of its life is over, shortly after a
// renewal with the access token, while nothing is wrong: otherwise it would expire unused,
// and an outage that outlasts the access token would end the sign-in. If that fails, the
// access token still renews.

// bySigningIn is the way of a renewal that signs the user in anew, with a kept password. No
// policy renews with it.
const bySigningIn Renewal = -1

const (
	// earlyShare is the part of an access token's life that passes before the refresh
	// token is renewed early, and again the spread of that moment; youngShare is the part
	// in which it may still happen.
	earlyShare = 20
	youngShare = 2
)

// wayOf decides the way of an attempt. The refresh token is presented if the access token
// cannot renew, if there is no room for another renewal and the access token would expire
// (detour), or early.
func (a attempt) wayOf(policy Policy, detour bool, now time.Time) Renewal {
	switch {
	case policy.RenewsWith == RenewWithRefreshToken:
		return RenewWithRefreshToken
	case policy.RenewsWith == RenewWithAppKey:
		return RenewWithAppKey
	case a.mayPresentPassword() && (!a.token.Valid(now) || a.why == accessRefused):
		return bySigningIn
	case a.token.Refresh == "":
		return RenewWithAccessToken
	case detour, !a.token.Valid(now), a.why == accessRefused:
		return RenewWithRefreshToken
	case a.why == whenDue && a.isEarly(policy, now):
		return RenewWithRefreshToken
	}
	return RenewWithAccessToken
}

// mayPresentPassword reports whether the kept password may be sent: one that was set aside only if
// somebody asks for it.
func (a attempt) mayPresentPassword() bool {
	t := a.token
	return t.signsIn() || a.why == insisting && t.Refresh == "" && t.Password != ""
}

// isEarly reports whether this is the time to renew the refresh token by itself: half of
// its life is over, the access token was renewed a moment ago, the venue is not near its
// maintenance, and nothing is wrong, unless that is a refusal of this refresh token which
// has been in doubt for long enough.
func (a attempt) isEarly(policy Policy, now time.Time) bool {
	r, t := a.record, a.token
	settled := !t.refusedFirst.IsZero() && !now.Before(t.refusedFirst.Add(policy.Doubt))
	quiet := r.Condition == ConditionGood && r.IntentAt.IsZero() && (r.Failures == 0 || settled)
	young := now.Before(t.Issued.Add(t.Life() / youngShare))
	return quiet && young && r.unused(policy) && pastHalf(t, policy, now) && !policy.Maintenance.near(now)
}

// pastHalf reports whether half the life of a refresh token is over, and not all of it. The
// life is the shorter of what the answer stated and what the policy knows: a venue was seen
// to document two weeks for a token that lived a day.
func pastHalf(token Token, policy Policy, now time.Time) bool {
	ends := earliest(token.RefreshExpires, after(token.RefreshIssued, policy.RenewalLife))
	if token.Refresh == "" || token.RefreshIssued.IsZero() || policy.RenewsWith != RenewWithAccessToken || policy.RenewalLife <= 0 {
		return false
	}
	return now.Before(ends) && !now.Before(token.RefreshIssued.Add(ends.Sub(token.RefreshIssued)/2))
}

// earlyOr returns when the refresh token of a token that just arrived is renewed early, or
// the planned time if that is not needed yet, or not possible then.
func (r Record) earlyOr(planned time.Time, token Token, policy Policy, now time.Time, draw float64) time.Time {
	at := token.Issued.Add(time.Duration((1 + draw) * float64(token.Life()/earlyShare)))
	if planned.IsZero() || !pastHalf(token, policy, now) || !r.unused(policy) || policy.Maintenance.near(at) {
		return planned
	}
	return earlier(planned, at)
}

// unused reports whether the refresh token may be presented while the access token renews: at
// a venue that punishes reuse, one whose answer was lost waits until nothing else is left.
func (r Record) unused(policy Policy) bool {
	return r.Attempt == 0 || policy.reuseIsHarmless()
}

// presented returns the token as the venue gets it: without the one that it must not
// present.
func (a attempt) presented() Token {
	token := a.token
	token.ended, token.Password = time.Time{}, ""
	switch {
	case a.venue.Policy().RenewsWith == RenewWithRefreshToken:
	case a.way == RenewWithRefreshToken:
		token.Access = ""
	default:
		token.Refresh = ""
	}
	return token
}

// forWay returns the policy for one way. Renewing with the access token does not use it up,
// so reuse is at worst refused, and the app's key is never used up.
func (p Policy) forWay(way Renewal) Policy {
	if way == RenewWithAppKey {
		p.AfterLostAnswer = RetryFreely
		return p
	}
	if way == RenewWithAccessToken && p.AfterLostAnswer != RetryFreely || way == bySigningIn {
		p.AfterLostAnswer = RetryUntilRefused
	}
	return p
}
