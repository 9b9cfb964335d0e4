package venuekey

import "time"

// ends.go owns when a sign-in ends although nothing fails. A refresh token has a
// lifetime too, and at some venues no renewal extends it.

// end is when a sign-in ends.
type end struct {
	counts Ending
	at     time.Time // zero if unknown, or never
	// final says that no renewal moves it: only a new sign-in does.
	final bool
}

// endOf returns when a sign-in ends, by what the venue's answer said or else by its
// policy.
func endOf(token Token, record Record, policy Policy, now time.Time) end {
	switch {
	case record.NextRefresh.IsZero(): // nothing renews it
		return end{EndAfterLogin, token.Expires, true}
	case token.signsIn(), policy.RenewsWith == RenewWithAppKey:
		return end{counts: EndNever}
	case policy.RenewalEnds == EndAfterLogin:
		return end{EndAfterLogin, earliest(after(token.SignedIn, policy.RenewalLife), token.RefreshExpires), true}.known()
	case policy.RenewsWith == RenewWithAccessToken && token.Refresh == "" && token.Valid(now):
		if at, ok := policy.Maintenance.outlasts(token); ok {
			return end{EndAfterUse, at, true}
		}
		return end{EndAfterUse, token.Expires, false}
	case policy.RenewsWith == RenewWithAccessToken && (policy.RenewalEnds == EndUnknown || token.Refresh == ""):
		// Each renewal brings another access token, which renews as long as it lives.
		return end{EndAfterUse, token.Expires, false}
	case policy.RenewalEnds == EndAfterUse:
		at := orAt(token.RefreshExpires, after(token.Issued, policy.RenewalLife))
		if policy.RenewsWith == RenewWithAccessToken {
			at = later(at, token.Expires) // the refresh token may be dead, and the access token renews
		}
		return end{EndAfterUse, at, false}.known()
	case !token.RefreshExpires.IsZero():
		return end{EndAfterIssue, token.RefreshExpires, token.repeats()}
	case policy.RenewalEnds == EndAfterIssue:
		return end{EndAfterIssue, after(token.RefreshIssued, policy.RenewalLife), token.repeats()}.known()
	case policy.RenewalEnds == EndNever:
		return end{counts: EndNever}
	}
	return end{}
}

// repeats reports whether the renewal that brought the token left the refresh token
// unchanged. At such a venue a renewal does not extend its life.
func (t Token) repeats() bool {
	return !t.RefreshIssued.IsZero() && t.RefreshIssued.Before(t.Issued)
}

// refreshIssued returns when the refresh token of a renewal was issued: with that
// renewal, or earlier if the venue repeats it or leaves it out. A repeated one with a
// later expiry counts as new.
func refreshIssued(old, got Token) time.Time {
	repeated := got.Refresh == "" || got.Refresh.Equal(old.Refresh)
	longer := !old.RefreshExpires.IsZero() && got.RefreshExpires.Sub(old.RefreshExpires) > clockTolerance
	switch {
	case !repeated || longer:
		return got.Issued
	case old.RefreshIssued.IsZero(): // a record from an old version
		return old.Issued
	}
	return old.RefreshIssued
}

// known returns the end, or the zero end if it cannot be computed: records from old
// versions do not say when their lifetime began.
func (e end) known() end {
	if e.at.IsZero() {
		return end{}
	}
	return e
}

// after returns moment plus life, or the zero time if the moment is unknown.
func after(moment time.Time, life time.Duration) time.Time {
	if moment.IsZero() {
		return moment
	}
	return moment.Add(life)
}

// earliest returns the earlier of two moments, each of which may be unknown.
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

// String returns the ending in words.
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
