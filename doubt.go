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

// errOtherWay ends a renewal that has another way left: the refresh token, or a kept password.
var errOtherWay = errors.New("the access token is dead, and what else renews is presented next")

// believe judges a failed renewal. It changes the attempt's token by what is known against
// it from now on, and the failure by what it means for the sign-in. It reports whether the
// token has changed.
func (k *Keeper) believe(ctx context.Context, a *attempt, failure *Error) (changed bool) {
	switch now := time.Now(); {
	case a.way == RenewWithRefreshToken && failure.Class == ClassRefused:
		return a.doubt(failure, now)
	case a.way == bySigningIn && errors.Is(failure, ErrUserWanted):
		return a.setAside(failure, now)
	case a.way == bySigningIn && failure.Class == ClassRefused:
		return a.forgetPassword(failure)
	case a.way == RenewWithRefreshToken, a.way == bySigningIn:
	case failure.Class == ClassRefused && !now.Before(a.token.Expires): // it was not presented
	case failure.Class == ClassRefused:
		return k.believeRefusal(ctx, a, failure)
	case errors.Is(failure, ErrSessionEnded) && a.token.suspected.IsZero():
		a.token.suspected = now
		return true
	}
	return false
}

// believeRefusal judges the refusal of a renewal with the access token: it says that this
// very token is dead. A venue that can be asked about the token is asked first, because
// something before it may have answered in its place.
func (k *Keeper) believeRefusal(ctx context.Context, a *attempt, failure *Error) (changed bool) {
	if _, can := a.venue.(Examiner); can {
		verdict := k.examined(ctx, a.venue, a.app, a.id, a.token, a.record.Generation, true)
		if class := ClassOf(verdict); verdict == nil || class != ClassRefused && !errors.Is(verdict, ErrSessionEnded) {
			but := "it is not known yet whether the access token is dead"
			if verdict == nil || class == ClassDeclined || class == ClassMisconfigured {
				but = "but elsewhere the venue still accepts it"
			}
			failure.Class, failure.Reason = ClassLater, cmp.Or(failure.Reason, "the renewal was refused")+"; "+but
			return false
		}
	}
	if a.token.Refresh != "" || a.token.signsIn() {
		failure.Class, failure.Err = ClassLater, errOtherWay
	}
	return a.end(time.Now())
}

// sessionVerdict is what a look at the session behind an access token says.
type sessionVerdict int

const (
	notLooked sessionVerdict = iota
	sessionUnclear
	sessionGood
	sessionOver
)

// mustLook reports whether the session behind an access token must be looked at before it is
// renewed: it seemed to have ended a while ago, or is believed to have. The last try before
// the token expires is made in any case.
func (a attempt) mustLook(now time.Time) bool {
	if _, can := a.venue.(Examiner); !can || !now.Before(lastTry(a.token)) || a.record.Condition == ConditionDead {
		return false
	}
	if !a.token.ended.IsZero() {
		return a.token.isOver()
	}
	return !a.token.suspected.IsZero() && now.Sub(a.token.suspected) >= secondLook*4/5
}

// lookAtSession examines the session behind an access token.
func (k *Keeper) lookAtSession(ctx context.Context, a attempt) sessionVerdict {
	verdict := k.examined(ctx, a.venue, a.app, a.id, a.token, a.record.Generation, true)
	switch class := ClassOf(verdict); {
	case verdict == nil, class == ClassDeclined, class == ClassMisconfigured:
		return sessionGood
	case errors.Is(verdict, ErrSessionEnded), class == ClassRefused:
		return sessionOver
	}
	return sessionUnclear
}

// knowing adds to an attempt's token what a look at its session said.
func (a *attempt) knowing(is sessionVerdict, now time.Time) {
	switch {
	case is == sessionOver && a.token.ended.IsZero():
		a.reseal = a.end(now) || a.reseal
	case is == sessionGood && !(a.token.ended.IsZero() && a.token.suspected.IsZero()):
		a.token.ended, a.token.suspected, a.reseal = time.Time{}, time.Time{}, true
	}
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
		failure.Reason = cmp.Or(failure.Reason, "refused") +
			"; the access token is still renewed, but an outage that outlasts it will end the sign-in"
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
	if a.venue.Policy().RenewsWith != RenewWithAccessToken || !a.token.ended.IsZero() {
		return false
	}
	a.token.ended = now
	return true
}
