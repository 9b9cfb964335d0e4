package venuekey

import "time"

// ends.go owns when a sign-in ends although nothing fails. What renews it has a
// life of its own, and some lives no renewal prolongs.

// end is when a sign-in ends.
type end struct {
	counts Ending
	at     time.Time // zero where nobody knows, or never
	// final says that no renewal moves it: only a new sign-in does.
	final bool
}

// endOf tells when a sign-in ends, of what the venue said, else of what its
// policy says.
func endOf(token Token, record Record, policy Policy) end {
	switch {
	case record.NextRefresh.IsZero(): // nothing renews it
		return end{EndAfterLogin, token.Expires, true}
	case policy.RenewalEnds == EndAfterLogin:
		return end{EndAfterLogin, earliest(after(token.SignedIn, policy.RenewalLife), token.RefreshExpires), true}.known()
	case policy.RenewsWith == RenewWithAccessToken && policy.RenewalEnds == EndUnknown:
		// Each renewal brings another one, which renews as long as it lives.
		return end{EndAfterUse, token.Expires, false}
	case policy.RenewalEnds == EndAfterUse:
		return end{EndAfterUse, orAt(token.RefreshExpires, after(token.Issued, policy.RenewalLife)), false}.known()
	case !token.RefreshExpires.IsZero():
		return end{EndAfterIssue, token.RefreshExpires, token.repeats()}
	case policy.RenewalEnds == EndAfterIssue:
		return end{EndAfterIssue, after(token.RefreshIssued, policy.RenewalLife), token.repeats()}.known()
	case policy.RenewalEnds == EndNever:
		return end{counts: EndNever}
	}
	return end{}
}

// repeats reports whether the renewal that brought the token left the refresh
// token as it was. At a venue that does so no renewal prolongs it.
func (t Token) repeats() bool {
	return !t.RefreshIssued.IsZero() && t.RefreshIssued.Before(t.Issued)
}

// refreshIssued is when the refresh token of a renewal was issued: then, or
// earlier where the venue repeats it or leaves it out. A repeated one that is
// said to live longer than before is as good as a new one.
func refreshIssued(old, got Token) time.Time {
	repeated := got.Refresh == "" || got.Refresh.Equal(old.Refresh)
	longer := !old.RefreshExpires.IsZero() && got.RefreshExpires.Sub(old.RefreshExpires) > ClockTolerance
	switch {
	case !repeated || longer:
		return got.Issued
	case old.RefreshIssued.IsZero(): // a record of long ago
		return old.Issued
	}
	return old.RefreshIssued
}

// known is the end, or that nobody knows it: records of long ago do not say
// when their count began.
func (e end) known() end {
	if e.at.IsZero() {
		return end{}
	}
	return e
}

// after is a moment so much later; of one that nobody knows, none.
func after(moment time.Time, life time.Duration) time.Time {
	if moment.IsZero() {
		return moment
	}
	return moment.Add(life)
}

// earliest is the earlier of two moments that may be unknown.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func orAt(moment, otherwise time.Time) time.Time {
	if moment.IsZero() {
		return otherwise
	}
	return moment
}

// String gives it in words.
func (e Ending) String() string {
	switch e {
	case EndUnknown:
		return "unknown"
	case EndNever:
		return "never"
	case EndAfterLogin:
		return "after login"
	case EndAfterIssue:
		return "after issue"
	case EndAfterUse:
		return "after use"
	}
	return "none of the endings"
}
