package venuekey

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// doubt.go owns what is believed of an answer that speaks against a token. A venue's word
// is not always final: some refuse a good refresh token for some minutes, and the refusal
// of an access token says nothing against the refresh token.

// errOtherWay ends a renewal that has another way left: the refresh token.
var errOtherWay = errors.New("the access token is dead, and the refresh token is presented next")

// believe judges a failed renewal. It changes the attempt's token by what is known against
// it from now on, and the failure by what it means for the sign-in. It reports whether the
// token has changed.
func (k *Keeper) believe(ctx context.Context, a *attempt, failure *Error) (changed bool) {
	switch {
	case failure.Class == ClassRefused && a.way == RenewWithRefreshToken:
		return a.doubt(failure, time.Now())
	case failure.Class == ClassRefused && a.token.Refresh != "":
		failure.Class, failure.Err = ClassLater, errOtherWay
		fallthrough
	case failure.Class == ClassRefused:
		return a.end(time.Now())
	}
	return false
}

// doubt judges the refusal of a refresh token. It is believed once it has lasted for
// Policy.Doubt, counted from the first one. If the access token still renews, the sign-in
// goes on without a refresh token.
func (a *attempt) doubt(failure *Error, now time.Time) (changed bool) {
	first := a.token.refusedFirst
	if a.policy.Doubt > 0 && first.IsZero() {
		a.token.refusedFirst = now
	}
	switch alive := a.stillRenews(now); {
	case a.policy.Doubt > 0 && (first.IsZero() || now.Before(first.Add(a.policy.Doubt))):
		failure.Class = ClassLater
		failure.Reason = cmp.Or(failure.Reason, "refused") + ", though such a refusal often lasts only some minutes"
	case alive:
		failure.Class = ClassLater
		failure.Reason = cmp.Or(failure.Reason, "refused") + "; the access token is still renewed, but an outage that outlasts it will end the sign-in"
		failure.Remedy = "sign in again when it suits you"
		a.token.RefreshExpires = now
		return true
	}
	return first.IsZero() && a.policy.Doubt > 0
}

// stillRenews reports whether the access token renews the sign-in, whatever becomes of the
// refresh token.
func (a *attempt) stillRenews(now time.Time) bool {
	return a.venue.Policy().RenewsWith == RenewWithAccessToken && a.token.Valid(now) && a.why != accessRefused
}

// end notes that the venue does not accept the access token, at a venue that renews with
// it: the refusal of a renewal is one of this very token.
func (a *attempt) end(now time.Time) (changed bool) {
	if a.venue.Policy().RenewsWith != RenewWithAccessToken || !a.token.Valid(now) {
		return false
	}
	a.token.ended = now
	return true
}
