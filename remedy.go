package venuekey

import "time"

// remedy.go owns what helps a sign-in in trouble, and how soon it is needed.

// Remedy is what helps a sign-in, in words for a person. It is "" if nothing need be
// done, or only waiting helps. A program that shows it adds how to do that: the command
// adds its commands, a page its buttons.
type Remedy string

const (
	// RemedySignIn: the user has to sign in again.
	RemedySignIn Remedy = "sign in again"
	// RemedySignInSoon is RemedySignIn while the token is still good: it cannot be
	// renewed.
	RemedySignInSoon Remedy = "sign in again before the token expires"
	// RemedyRefresh: a renewal may still succeed.
	RemedyRefresh Remedy = "renew it now"
	// RemedyNewestCopy: an older copy of the vault was restored.
	RemedyNewestCopy Remedy = "put the newest copy of the vault back, or sign in again"
	// RemedyExamine: something on this machine is wrong, such as a full disk or a
	// record that does not open.
	RemedyExamine Remedy = "examine the vault and the disk that it is on"
)

// Remedy returns what helps with the most urgent problem of the sign-in.
func (s Status) Remedy() Remedy {
	switch {
	case s.Err != nil:
		return RemedyExamine
	case s.Behind:
		return RemedyNewestCopy
	case s.State == StateNeedsSignIn:
		return RemedySignIn
	case s.Left <= 0 && s.State == StateRefreshing:
		return ""
	case s.Left <= 0:
		return RemedyRefresh
	case s.Spilled:
		return RemedyExamine
	case s.State == StateDegraded:
		return RemedyRefresh
	case s.unrenewable():
		return RemedySignInSoon
	}
	return ""
}

// EndsWithin reports whether the user has to sign in within that time: because the
// sign-in ends by then although nothing fails, or because it cannot be renewed.
func (s Status) EndsWithin(d time.Duration) bool {
	return s.Err == nil && (s.unrenewable() || s.EndsAnyway && time.Until(s.SignInEnds) <= d)
}

// AccessEnded reports whether the access token is probably dead although it has not
// expired: at a venue where a renewal ends the old access token (Policy.KillsAccess),
// whatever ended the refresh token also ended the access token.
func (s Status) AccessEnded(policy Policy) bool {
	return s.State == StateNeedsSignIn && s.Left > 0 && policy.KillsAccess
}

// unrenewable reports whether a live token will not be renewed any more: the answer to
// its renewal was lost, and the venue's policy forbids another attempt.
func (s Status) unrenewable() bool {
	return s.State == StateUncertain && s.NextRefresh.IsZero()
}
