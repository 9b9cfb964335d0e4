package venuekey

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// token.go owns the token that a venue issues.

// Token is what a venue issued at one sign-in or one renewal. It is a value: do not
// modify one that you were given.
type Token struct {
	// Access is the access token, which API calls carry: visible ASCII. It is empty
	// if the venue issued an unusable one together with a good refresh token.
	Access Secret
	// Refresh is the refresh token. It is empty if the venue renews with the access
	// token, and in every Token that a Source returns: only the Keeper needs it.
	Refresh Secret
	// Password is what signs the user in again without the user, at a venue that is a
	// Repeater: name and password in the venue's own form. It is empty unless the user
	// asked to have it kept (SignInOptions), and in every Token that a Source returns.
	Password Secret
	// Type is the token type as the venue wrote it; empty means Bearer.
	Type string
	// Issued is when the request for the token was sent, by the local clock.
	// Lifetimes count from there, so that a slow answer never makes a token
	// look younger than it is.
	Issued time.Time
	// Expires is when the access token expires. It is never zero in a saved token:
	// if the venue does not state it, the Keeper uses Policy.DefaultLife.
	Expires time.Time
	// RefreshExpires is when the refresh token expires; zero means that the venue
	// does not state it.
	RefreshExpires time.Time
	// RefreshIssued is when the refresh token was issued: earlier than Issued if the
	// venue repeats it at renewals. The Keeper sets it.
	RefreshIssued time.Time
	// SignedIn is when the user signed in. The Keeper sets it and carries it over
	// every renewal.
	SignedIn time.Time
	// Scopes are the granted scopes: those that the venue named, or else those that
	// were requested.
	Scopes []string
	// Asked are the scopes that the sign-in requested; empty means the venue's
	// default. See Missing.
	Asked []string
	// User is the account's identity in the venue's own words, if the venue states
	// one.
	User string
	// Generation counts the tokens of a sign-in: a newer one has a higher number. The
	// Keeper sets it; it is the record's.
	Generation int64
	// ClockAhead is how far the local clock was ahead of the venue's when the
	// token arrived, if the answer had a date; negative means behind. It is not
	// saved.
	ClockAhead time.Duration
	// Notes lists oddities of the answer that brought the token, one line each, for
	// the log. They are not saved.
	Notes []string
	// Learned holds parameters of the app that were found out with this answer, such
	// as a request method that the venue insists on. The Keeper saves them in the
	// app's Params, not with the token.
	Learned map[string]string
	// Extras holds every other field of the venue's answer, known or unknown, as
	// the JSON text that arrived. Each is a Secret because a venue may put anything
	// there.
	Extras map[string]Secret

	// refusedUnder names the app's credentials under which the venue refused to
	// renew the token, or was not heard; see App.credentials.
	refusedUnder string
	// refusedFirst is when the venue first refused this refresh token; zero if it did
	// not. Policy.Doubt counts from there.
	refusedFirst time.Time
	// ended is when the venue was found not to accept the access token any more, before
	// it expired; zero if it was not.
	ended time.Time
	// suspected is when a renewal was first answered as if the session had been ended;
	// zero if it was not.
	suspected time.Time
	// typed is the name that the user gave to sign in; empty if the venue asked for none.
	typed string
	// began is when a session began that a kept password opened; zero if the user did.
	began time.Time
	// setAside is when the kept password was set aside, because the venue wants to see the
	// user; zero if it may be used.
	setAside time.Time
}

// Valid reports whether there is an access token and it has not expired at that time. A
// token that the venue was found not to accept is never valid.
func (t Token) Valid(at time.Time) bool {
	return t.Access != "" && t.ended.IsZero() && at.Before(t.Expires)
}

// isOver reports whether the venue was found not to accept the access token, and nothing
// else renews it.
func (t Token) isOver() bool { return !t.ended.IsZero() && t.Refresh == "" && !t.signsIn() }

// signsIn reports whether nothing but a kept password gets the sign-in any further.
func (t Token) signsIn() bool { return t.Refresh == "" && t.Password != "" && t.setAside.IsZero() }

// session returns when the venue's session began.
func (t Token) session() time.Time { return later(t.SignedIn, t.began) }

// clockTolerance is how wrong a local clock may be before it is reported.
const clockTolerance = time.Minute

// EndsAfter sets Expires to Issued plus life, and ClockAhead by the date of the answer;
// a zero answered means that the answer had no date. If the local clock is more than
// a minute ahead of the venue's, Expires is moved earlier by the difference: if the
// clock is corrected later, the token must not seem to live longer than it does. A
// difference of more than half the life is recorded but not applied, since the answer's
// date may be wrong instead.
func (t *Token) EndsAfter(life time.Duration, answered time.Time) {
	t.Expires = t.Issued.Add(life)
	if answered.IsZero() {
		return
	}
	t.ClockAhead = time.Since(answered).Round(time.Second)
	if t.ClockAhead > clockTolerance && t.ClockAhead < life/2 {
		t.Expires = t.Expires.Add(-t.ClockAhead)
	}
}

// Life returns the lifetime of the access token, from Issued to Expires.
func (t Token) Life() time.Duration { return t.Expires.Sub(t.Issued) }

// SetAuthHeader sets the Authorization header of a request (RFC 6750 §2.1).
func (t Token) SetAuthHeader(request *http.Request) {
	request.Header.Set("Authorization", t.TypeOrBearer()+" "+string(t.Access))
}

// TypeOrBearer returns the token type as an Authorization header needs it: "Bearer", or
// Type if that is something else.
func (t Token) TypeOrBearer() string {
	// Venues answer "bearer" in lower case and some resource servers compare
	// the letters, so the scheme is written as RFC 6750 §2.1 does.
	if t.Type == "" || strings.EqualFold(t.Type, "bearer") {
		return "Bearer"
	}
	return t.Type
}

// Extra returns a field of Extras as text: a JSON string without its quotes, any other
// JSON value as it was written, and "" if there is no such field.
func (t Token) Extra(name string) Secret {
	raw, ok := t.Extras[name]
	if !ok {
		return ""
	}
	var text string
	if json.Unmarshal([]byte(raw), &text) == nil {
		return Secret(text)
	}
	return raw
}

// handedOut returns the token as callers get it: without its refresh token and password,
// which only the Keeper may present. All callers share it, because copying a Token takes ten times
// as long as returning a pointer.
func (t Token) handedOut() *Token {
	t.Refresh, t.Password = "", ""
	return &t
}
