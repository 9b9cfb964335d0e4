package venuekey

import (
	"context"
	"fmt"
	"time"
)

// password.go owns sign-ins that a program repeats by itself, with a name and a password that
// the user asked to have kept. It is the last way: it is taken only when no token renews the
// sign-in. What RFC 9700 §2.4 says against passwords in the hands of a client is true of a
// kept one too; some venues leave individuals nothing else that outlasts their maintenance.

const (
	// sessionRest is how old a session must be before a program begins another because the
	// venue ended this one: whatever ended it may sign in again by itself too, and two such
	// programs would end each other's sessions all the time.
	sessionRest = time.Hour
	// leastSignInWait is the least time between two such sign-ins that brought nothing.
	leastSignInWait = time.Minute
)

// signInAgain signs the user in with the kept password. It takes a place among the sign-ins
// that may fail.
func (k *Keeper) signInAgain(ctx context.Context, a attempt) (Token, error) {
	repeater, ok := a.venue.(Repeater)
	if !ok {
		return Token{}, &Error{Class: ClassNotSent, Reason: a.id.Venue + " cannot be signed in to without the user", Remedy: "sign in again"}
	}
	most, same := a.venue.Policy().MaxSessions, func(t Token) bool { return t.typed == a.token.typed && t.User == a.token.User }
	if lost := wouldEnd(k.liveAt(ctx, a.venue), a.id, most, same); len(lost) > 0 {
		return Token{}, &Error{Class: ClassDeclined, Reason: fmt.Sprintf("%s allows %d sessions of a user, and signing in would end %s", a.id.Venue, most, lost[0].id()),
			Remedy: "sign out there, or sign in here"}
	}
	end, err := k.mayFail(ctx, a.venue, countsForProgram)
	if err != nil {
		return Token{}, err
	}
	token, err := repeater.SignInAgain(k.withTickets(ctx, a.venue), a.app, a.token.Password)
	end(err)
	if err == nil {
		token.began = token.Issued
		k.forgetVerdict(ctx, a.id)
	}
	return token, err
}

// rests returns an error while the venue is under maintenance, after an attempt that failed,
// whoever asks, or while a session that the venue ended is too young for another one. One that
// maintenance may have ended needs no rest.
func (a attempt) rests(now time.Time) error {
	if a.way != bySigningIn || a.why == insisting {
		return nil
	}
	maintenance := a.venue.Policy().Maintenance
	if window, ok := maintenance.Next(now); ok && window.Contains(now) {
		return &Error{Class: ClassLater, RetryAfter: window.To.Sub(now) + afterMaintenance,
			Reason: "the venue is under maintenance until " + window.To.Local().Format("15:04") + "; then the user is signed in again by the kept password"}
	}
	if next := a.record.NextRefresh; a.record.Failures > 0 && next.After(now) {
		return &Error{Class: ClassLater, RetryAfter: next.Sub(now), Reason: a.record.Text}
	}
	until := a.token.session().Add(sessionRest)
	if window, ok := maintenance.Next(a.token.Issued); ok && window.From.Before(now) || !now.Before(until) || !now.Before(a.token.Expires) {
		return nil
	}
	return &Error{Class: ClassLater, RetryAfter: until.Sub(now),
		Reason: "the venue ended the session within an hour, probably because the user signed in elsewhere; a program does not sign in against that"}
}

// setAside notes that the venue wants to see the user: the kept password is not sent again by
// itself, only if somebody asks for that.
func (a *attempt) setAside(failure *Error, now time.Time) (changed bool) {
	a.token.setAside = now
	failure.Class = ClassRefused
	failure.Reason += "; no program signs in by itself any more"
	return true
}

// forgetPassword notes that the venue does not accept the kept password: it is never sent again,
// since further failures would lock the user out.
func (a *attempt) forgetPassword(failure *Error) (changed bool) {
	a.token.Password = ""
	failure.Reason += "; the kept name and password are forgotten"
	failure.Remedy = "" // the user signs in, which is what helps a refusal
	return true
}
