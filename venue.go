package venuekey

import (
	"context"
	"net/http"
	"time"
)

// venue.go owns what a venue has to be, and how it wants its tokens treated.

// Venue is a platform that can sign a user in and renew what it issued. It
// keeps nothing: every call is given the app and the token that it needs.
//
// Errors are of type *Error, with the Class that says what became of the
// request; any other error counts as a request with an unknown outcome. A
// Venue never repeats a token request by itself.
type Venue interface {
	// Name is the venue's part of an ID.
	Name() string
	// Policy says how the venue's tokens want to be treated.
	Policy() Policy
	// Login signs a user in and returns what the venue gave. It blocks until
	// the user is done, the context ends, or something failed. It waits for no
	// method of the UI once it has a token, and nothing that it started runs on
	// after it returned, but a method of the UI that does not return.
	Login(ctx context.Context, app App, ui UI) (Token, error)
	// Refresh presents the token for renewal, once. Only the Keeper calls it.
	Refresh(ctx context.Context, app App, token Token) (Token, error)
}

// Revoker is a Venue that can end a token before its time (RFC 7009).
type Revoker interface {
	// Revoke returns nil if the venue confirmed the end of everything that the
	// token holds, else an *Error that names what is ended and what is not. Its cause is
	// ErrAccessLives if nothing but an access token is left that cannot be ended.
	Revoke(ctx context.Context, app App, token Token) error
}

// Prober is a Venue that can be seen to answer without anything being presented.
type Prober interface {
	// Probe asks the address that takes renewals something that uses nothing up
	// and counts as no failed attempt. It returns nil when the venue itself
	// answered, in its own words, and an *Error when something else did or nobody.
	Probe(ctx context.Context, app App) error
}

// Identifier is a Venue that can say who a token belongs to.
type Identifier interface {
	// Identify gives the account's identity in the venue's own words.
	Identify(ctx context.Context, app App, token Token) (string, error)
}

// Signer is a Venue whose API calls want more than a bearer token, or something else.
type Signer interface {
	// Sign makes a request a call of this token's user: it sets header fields, as
	// Token.SetAuthHeader does for every other venue, and leaves alone what the program
	// set itself, but for the token. It changes neither the address nor the body. It is
	// called for each request, so that it must not wait: what it needs of the app is put
	// into the token's Extras by Login and Refresh.
	Sign(token Token, request *http.Request)
}

// Secretless is a Venue that lets apps in without a client secret (RFC 6749 §2.1, RFC
// 8252 §8.5). Every other venue wants one.
type Secretless interface {
	// Secretless reports whether an app is registered as one of those.
	Secretless(app App) bool
}

// ScopeExplainer is a Venue that can say, from its scopes, what a token cannot do.
type ScopeExplainer interface {
	// ExplainScopes is one line for a person; "" if nothing is missed, or nobody knows
	// the scopes.
	ExplainScopes(scopes []string) string
}

// Registrar is a Venue that says what it wants to know of an app, and what of one will
// not work.
type Registrar interface {
	// AppForm is what to ask somebody who adds an app.
	AppForm() AppForm
	// CheckApp returns an *Error of ClassMisconfigured, or nil. It asks nobody.
	CheckApp(app App) error
}

// AppForm is what a venue wants to know of an app, beside client id, client secret,
// redirect uri and scopes.
type AppForm struct {
	// Register says where to get an app, as a sentence without a full stop.
	Register string
	// Fields are values of the venue's own, for App.Params.
	Fields []Field
	// URLs names the addresses that App.URLs may replace, beside "base".
	URLs []string
}

// Field is one value that a person is asked for.
type Field struct {
	// Name is the key in App.Params, or what UI.Ask returns it under.
	Name string
	// Help says what it is and where to find it.
	Help string
	// Secret hides what is typed.
	Secret bool
	// Default is taken when nothing is entered.
	Default string
	// Optional allows nothing to be entered.
	Optional bool
}

// Renewal is what a venue renews with.
type Renewal int

const (
	// RenewWithRefreshToken presents the refresh token (RFC 6749 §6).
	RenewWithRefreshToken Renewal = iota
	// RenewWithAccessToken presents the access token while it still lives, which uses
	// nothing up.
	RenewWithAccessToken
)

// LostAnswer is what may be done when a renewal was sent and no answer could
// be read, so that nobody knows whether the venue rotated the token.
type LostAnswer int

const (
	// RetryNever: the same token is never presented again, since the venue takes
	// reuse for theft.
	RetryNever LostAnswer = iota
	// RetryOnce: it is presented once more, since the venue forgives one reuse, or forgives it for Policy.Grace.
	// The one chance is kept until the venue is seen to answer again.
	RetryOnce
	// RetryUntilRefused: reuse is merely refused, so the same token is presented, with
	// back-off, until an answer is read. If an earlier request did arrive, the
	// sign-in is lost either way.
	RetryUntilRefused
	// RetryFreely: renewing does not use anything up.
	RetryFreely
)

// Ending says from when the life of what renews a sign-in is counted: it ends
// although nothing fails.
type Ending int

const (
	// EndUnknown: the venue does not say.
	EndUnknown Ending = iota
	// EndNever: it can be renewed for ever.
	EndNever
	// EndAfterLogin: Policy.RenewalLife after the user signed in, whatever is
	// renewed meanwhile.
	EndAfterLogin
	// EndAfterIssue: Policy.RenewalLife after the refresh token was issued. One
	// that the venue merely repeats does not live longer for it.
	EndAfterIssue
	// EndAfterUse: Policy.RenewalLife after the last renewal.
	EndAfterUse
)

// Policy says how a venue's tokens want to be treated. The zero value is the
// most careful: refresh tokens that die when presented and no second try. It is data:
// as JSON it survives a round trip, and durations are text such as "80m".
type Policy struct {
	// RenewsWith is what a renewal presents.
	RenewsWith Renewal `json:"renews_with,omitzero"`
	// AfterLostAnswer is what to do when the answer to a renewal was lost. A token
	// that is renewed with the access token and has no refresh token is presented
	// UntilRefused at least.
	AfterLostAnswer LostAnswer `json:"after_lost_answer,omitzero"`
	// Grace is how long after the first presentation the venue still forgives a
	// second one; zero means that no limit is known. After it, reuse revokes the
	// sign-in.
	Grace time.Duration `json:"grace,omitzero"`
	// RenewalEnds and RenewalLife say when what renews a sign-in ends, if an
	// answer does not say it.
	RenewalEnds Ending        `json:"renewal_ends,omitzero"`
	RenewalLife time.Duration `json:"renewal_life,omitzero"`
	// KillsAccess says that a renewal ends the old access token at once, so
	// that nobody may be given the old one while a renewal is under way.
	KillsAccess bool `json:"kills_access,omitzero"`
	// RefreshAt is the fraction of the access token's life after which it is
	// renewed; zero means 0.8.
	RefreshAt float64 `json:"refresh_at,omitzero"`
	// LeastInterval is how old a token must be before a program's word that the
	// venue refused it leads to a renewal; zero means ten seconds. It keeps a
	// program that is refused for another reason from using up renewals.
	LeastInterval time.Duration `json:"least_interval,omitzero"`
	// DefaultLife is the documented life of an access token, for answers that
	// do not state one.
	DefaultLife time.Duration `json:"default_life,omitzero"`
	// CodeLife is how long an authorization code can be exchanged.
	CodeLife time.Duration `json:"code_life,omitzero"`
	// Pace is the least time between two renewals of one app, in the long run and
	// over all machines that share a store; zero means 200 ms. Burst many may come
	// at once; zero means 10. A person who asks for one renewal is not paced.
	Pace  time.Duration `json:"pace,omitzero"`
	Burst int           `json:"burst,omitzero"`
	// PacePerMachine says that the venue counts by network address, so that each
	// machine has a budget of its own.
	PacePerMachine bool `json:"pace_per_machine,omitzero"`
	// MaxSessions is how many sign-ins of one app a user may have at once before
	// the venue ends the oldest; zero means that it states no limit. The command
	// login warns of it.
	MaxSessions int `json:"max_sessions,omitzero"`
}

// check refuses a policy that contradicts itself, before anything is presented.
func (p Policy) check(venue string) error {
	wrong := ""
	switch {
	case p.RenewsWith != RenewWithRefreshToken && p.RenewsWith != RenewWithAccessToken:
		wrong = "RenewsWith is none of the renewals"
	case p.AfterLostAnswer < RetryNever || p.AfterLostAnswer > RetryFreely:
		wrong = "AfterLostAnswer is none of the answers"
	case p.RefreshAt < 0 || p.RefreshAt >= 1 || p.RefreshAt != p.RefreshAt:
		wrong = "RefreshAt is not a fraction of a life"
	case p.RenewalEnds < EndUnknown || p.RenewalEnds > EndAfterUse:
		wrong = "RenewalEnds is none of the endings"
	case p.RenewalEnds > EndNever && p.RenewalLife == 0:
		wrong = "RenewalEnds counts from a moment and RenewalLife is not set"
	case p.Grace < 0 || p.RenewalLife < 0 || p.LeastInterval < 0 || p.DefaultLife < 0 || p.CodeLife < 0 || p.Pace < 0 || p.Burst < 0 || p.MaxSessions < 0:
		wrong = "a time or a number is negative"
	case p.DefaultLife > 0 && p.LeastInterval >= p.DefaultLife:
		wrong = "a token would die before LeastInterval lets it be renewed"
	}
	if wrong == "" {
		return nil
	}
	return &Error{ID: ID{Venue: venue}, Class: ClassMisconfigured, Reason: "the policy of " + venue + " contradicts itself: " + wrong, Remedy: "mend the Venue that this program was built with"}
}

// UI is how a venue talks to the person who signs in.
type UI interface {
	// Visit shows the addresses at which the user signs in, and opens a browser if
	// it can and may. It returns as soon as that is done.
	Visit(ctx context.Context, visit Visit) error
	// Paste waits for the user to hand over what the browser was redirected to:
	// the whole address or the bare code. Whoever pastes vouches for it. It blocks until then or until the
	// context ends; a UI that takes no pasted addresses just waits for that. It
	// must return when the context ends: nobody waits for one that does not, and
	// its goroutine stays for as long as it blocks.
	Paste(ctx context.Context) (string, error)
	// Ask asks for values, in order, and returns them by name.
	Ask(ctx context.Context, fields []Field) (map[string]Secret, error)
	// Tell shows progress: one line without secrets.
	Tell(line string)
}

// Visit is one invitation to sign in.
//
// While a listener waits, URL and Open are addresses of it, each for one browser:
// that browser gets a cookie, which the callback wants, and is sent on to the venue.
// Both are secrets until they were opened, for whoever opens one first signs in.
type Visit struct {
	// URL is the address to show: it is opened in a browser on this machine, or on
	// one that the listener's port is forwarded from. It is empty if no browser
	// on this machine may be sent anywhere: Redirect leads to a port of this machine
	// that is not held for this sign-in, and whoever holds it would get the code.
	URL string
	// Open is the address to hand to the program that opens a browser, empty if
	// URL is. Whatever stands in a list of arguments can be read by every user of
	// this machine, so if the system says whose a connection is, this one is
	// taken from a browser of this user only.
	Open string
	// Elsewhere is the venue's own address, for a browser on another machine: the
	// address that this one ends at has to be pasted. It holds state, and must not
	// stand in a list of arguments.
	Elsewhere string
	// Redirect is where the venue sends the user back to.
	Redirect string
	// Listening says that a listener waits at Redirect on this machine.
	Listening bool
	// NotListening says why it does not.
	NotListening string
	// CodeLife is how long the code that comes back can be exchanged; zero
	// means that nobody knows.
	CodeLife time.Duration
}
