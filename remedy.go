package venuekey

import "time"

// remedy.go owns what helps a sign-in that is not well, and how soon it needs it.

// Remedy is what helps a sign-in, in words for a person; "" is nothing, or time. A
// program that shows it adds how that is done there: the command adds its commands,
// a page its buttons.
type Remedy string

const (
	// RemedySignIn: only a human can help.
	RemedySignIn Remedy = "sign in again"
	// RemedySignInSoon is RemedySignIn while the token still lives: there is nothing
	// left to renew it with.
	RemedySignInSoon Remedy = "sign in again before the token expires"
	// RemedyRefresh: a renewal may still succeed.
	RemedyRefresh Remedy = "renew it now"
	// RemedyNewestCopy: an older copy of the vault was put back.
	RemedyNewestCopy Remedy = "put the newest copy of the vault back, or sign in again"
	// RemedyExamine: something on this machine is wrong, such as a full disk or a
	// record that does not open.
	RemedyExamine Remedy = "examine the vault and the disk that it is on"
)

// Remedy is what helps. It is about the one thing that matters most.
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

// EndsWithin reports whether a human must sign in within that time because the
// sign-in ends then although nothing fails, or because nothing is left to renew it
// with.
func (s Status) EndsWithin(d time.Duration) bool {
	return s.Err == nil && (s.unrenewable() || s.EndsAnyway && time.Until(s.SignInEnds) <= d)
}

// AccessEnded reports whether the venue ended the access token although it has not
// expired: at a venue where a renewal ends the old access token, whatever ended the
// refresh token ended the access token too.
func (s Status) AccessEnded(policy Policy) bool {
	return s.State == StateNeedsSignIn && s.Left > 0 && policy.KillsAccess
}

// unrenewable is a token that lives and will not be renewed any more: the answer to
// its renewal was lost, and the venue's policy forbids to ask again.
func (s Status) unrenewable() bool {
	return s.State == StateUncertain && s.NextRefresh.IsZero()
}
