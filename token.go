package venuekey

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// token.go owns what a venue gave.

// Token is what a venue gave at one sign-in or one renewal. It is a value:
// nothing changes a Token once it is made.
type Token struct {
	// Access is what API calls carry: visible ASCII. It is empty where the venue gave
	// one that nobody can use beside a refresh token that is good.
	Access Secret
	// Refresh renews the token. It is empty where the venue renews with the
	// access token, and in every Token that a Source hands out: only the
	// Keeper needs it.
	Refresh Secret
	// Type is the token type as the venue wrote it; empty means Bearer.
	Type string
	// Issued is when the request for the token was sent, by the local clock.
	// Lifetimes count from there, so that a slow answer never makes a token
	// look younger than it is.
	Issued time.Time
	// Expires is when the access token dies. It is never zero in a kept token:
	// where the venue does not say, its documented default is put here.
	Expires time.Time
	// RefreshExpires is when the refresh token dies; zero means that the venue
	// does not say.
	RefreshExpires time.Time
	// RefreshIssued is when the refresh token was issued, which was at an earlier
	// renewal where the venue repeats it. The Keeper sets it.
	RefreshIssued time.Time
	// SignedIn is when the user signed in. The Keeper sets it and carries it over
	// every renewal.
	SignedIn time.Time
	// Scopes is what the token may do, if the venue said so or we asked for it.
	Scopes []string
	// Asked are the scopes that were asked for at the sign-in; empty means the venue's
	// own choice. See Missing.
	Asked []string
	// User is the account's identity in the venue's own words, where the venue
	// tells one.
	User string
	// ClockAhead is how far the local clock was ahead of the venue's when the
	// token arrived, if the answer had a date; negative is behind. It is
	// not kept.
	ClockAhead time.Duration
	// Notes says what was odd about the answer that brought the token, a line each,
	// for the log. They are not kept.
	Notes []string
	// Learned are parameters of the app that were found out at this sign-in, such
	// as a request method that the venue insists on. The Keeper puts them into the
	// app's Params; they are not kept with the token.
	Learned map[string]string
	// Extras holds every other field of the venue's answer, known or unknown,
	// as the JSON text that arrived. Each is a Secret because nobody can know
	// what a venue will put there.
	Extras map[string]Secret

	// refusedUnder names the app's credentials under which the venue refused to
	// renew the token, or was not heard; see App.credentials.
	refusedUnder string
}

// Valid reports whether the access token is there and alive at t.
func (t Token) Valid(at time.Time) bool { return t.Access != "" && at.Before(t.Expires) }

// ClockTolerance is how wrong a local clock may be before it is reported.
const ClockTolerance = time.Minute

// EndsAfter sets the end of a token that lives for so long, counted from its
// request. If the local clock is ahead of the venue's, by the date of its
// answer, the end is set earlier by the difference: if the clock is put right
// meanwhile, the token must not seem to live longer than it does. A clock that
// is off by more than half a life is reported and not relied on; an answer's date
// can be wrong as well.
func (t *Token) EndsAfter(life time.Duration, answered time.Time) {
	t.Expires = t.Issued.Add(life)
	if answered.IsZero() {
		return
	}
	t.ClockAhead = time.Since(answered).Round(time.Second)
	if t.ClockAhead > ClockTolerance && t.ClockAhead < life/2 {
		t.Expires = t.Expires.Add(-t.ClockAhead)
	}
}

// Life is how long the access token lives, from its request to its end.
func (t Token) Life() time.Duration { return t.Expires.Sub(t.Issued) }

// SetAuthHeader makes a request one of this token's user (RFC 6750 §2.1).
func (t Token) SetAuthHeader(request *http.Request) {
	request.Header.Set("Authorization", t.TypeOrBearer()+" "+string(t.Access))
}

// TypeOrBearer gives the token type as an Authorization header wants it.
func (t Token) TypeOrBearer() string {
	// Venues answer "bearer" in lower case and some resource servers compare
	// the letters, so the scheme is written as RFC 6750 §2.1 does.
	if t.Type == "" || strings.EqualFold(t.Type, "bearer") {
		return "Bearer"
	}
	return t.Type
}

// Extra gives the extra field as text: a JSON string without its quotes, any
// other JSON value as it was written, and "" when there is no such field.
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

// handedOut is the token as consumers get it: without what only the Keeper
// may present. All of them share it, because copying a Token takes ten times
// as long as handing out where it is.
func (t Token) handedOut() *Token {
	t.Refresh = ""
	return &t
}
