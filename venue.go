package venuekey

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// venue.go owns the interfaces of a venue, and the policy for its tokens.

// Venue is a platform that signs users in and renews the tokens that it issued. It keeps
// no state: every call gets the app and the token that it needs. Its methods must be safe
// for concurrent use. Package venue/venuetest tests the whole contract.
//
// Errors are of type *Error, whose Class says what became of the request; any other error
// counts as an unknown outcome. A Venue never repeats a token request.
type Venue interface {
	// Name returns the venue's part of an ID.
	Name() string
	// Policy returns the rules for the venue's tokens.
	Policy() Policy
	// Login signs a user in and returns the token. It blocks until the user has
	// finished, the context ends, or something fails. Once it has a token it does not
	// wait for the UI. After it returns, nothing that it started is still running,
	// except a method of the UI that does not return.
	Login(ctx context.Context, app App, ui UI) (Token, error)
	// Refresh presents the token for renewal, once, and returns the new one. It calls
	// BeforeSending. Only the Keeper calls Refresh.
	Refresh(ctx context.Context, app App, token Token) (Token, error)
}

// Revoker is a Venue that can revoke a token (RFC 7009).
type Revoker interface {
	// Revoke returns nil if the venue confirmed the end of everything that the token
	// holds, otherwise an *Error that says what ended and what did not. Its cause is
	// ErrAccessLives if only an access token is left, which the venue cannot revoke.
	Revoke(ctx context.Context, app App, token Token) error
}

// Prober is a Venue that can be probed: seen to answer without a token being presented.
type Prober interface {
	// Probe sends the endpoint for renewals a request that uses nothing up and does
	// not count as a failed attempt. It returns nil if the venue itself answered, in
	// its own words, and an *Error if something else answered, or nothing.
	Probe(ctx context.Context, app App) error
}

// Examiner is a Venue that can find out cheaply whether it still accepts an access token.
// The Keeper asks before it renews a token that a program reports as refused (Keeper.Reject),
// and before it believes that a renewal was refused; the answer is shared by all programs.
type Examiner interface {
	// Examine makes one cheap call with the access token that changes nothing, and at
	// most a second one to be sure. It returns nil if the token is good. An *Error of
	// ClassRefused means that the token is dead, one of ClassDeclined or
	// ClassMisconfigured that it is good and something is denied to it, and one of any
	// other class that the venue could not be asked. ErrSessionEnded in its chain says
	// that the answer is that for a session that was ended elsewhere.
	Examine(ctx context.Context, app App, token Token) error
}

// Repeater is a Venue that can sign a user in again without the user. Its Login leaves what
// that takes in Token.Password; the Keeper keeps it only if the user asked for that, and uses
// it only when nothing else renews the sign-in.
type Repeater interface {
	// SignInAgain signs the user in, once, with the Password of an earlier token, and
	// returns the token of a new session. It asks nobody, and waits for no penalty: its
	// error is then of ClassLater with RetryAfter. After one of ClassRefused the password
	// is forgotten, and after one that matches ErrUserWanted it is set aside.
	SignInAgain(ctx context.Context, app App, password Secret) (Token, error)
}

// ErrUserWanted matches, by errors.Is, the error of a Repeater whose venue wants to see the
// user: it shows a captcha, which no program may solve.
var ErrUserWanted = errors.New("the venue wants to see the user")

// Identifier is a Venue that can say who a token belongs to.
type Identifier interface {
	// Identify returns the account's identity in the venue's own words.
	Identify(ctx context.Context, app App, token Token) (string, error)
}

// Signer is a Venue whose API calls need more than a bearer token, or something else.
type Signer interface {
	// Sign signs a request with the token. It sets header fields, as
	// Token.SetAuthHeader does for every other venue, and keeps those that the program
	// set, except the token. It changes neither the URL nor the body. It is called for
	// each request, so it must not block: whatever it needs to know about the app,
	// Login and Refresh put into the token's Extras.
	Sign(token Token, request *http.Request)
}

// Secretless is a Venue that accepts apps without a client secret, public clients in the
// words of RFC 6749 §2.1 (see also RFC 8252 §8.5). Every other venue requires one.
type Secretless interface {
	// Secretless reports whether an app is registered without a secret.
	Secretless(app App) bool
}

// ScopeExplainer is a Venue that can say, from its scopes, what a token cannot do.
type ScopeExplainer interface {
	// ExplainScopes returns one line for a person, or "" if nothing is missing or the
	// scopes are not known.
	ExplainScopes(scopes []string) string
}

// Registrar is a Venue that says which values an app needs, and checks them.
type Registrar interface {
	// AppForm returns what to ask a person who adds an app.
	AppForm() AppForm
	// CheckApp returns an *Error of ClassMisconfigured if the app cannot work, or nil.
	// It sends no request.
	CheckApp(app App) error
}

// AppForm lists the values that a venue needs for an app, besides client ID, client
// secret, redirect URI and scopes.
type AppForm struct {
	// Register says where to register an app, as a sentence without a full stop.
	Register string
	// Fields are the venue's own parameters, for App.Params.
	Fields []Field
	// URLs names the addresses that App.URLs may replace, besides "base".
	URLs []string
}

// Field is one value that a person is asked for.
type Field struct {
	// Name is the key in App.Params, or in the result of UI.Ask.
	Name string
	// Help says what the value is and where to find it.
	Help string
	// Secret says not to show what is typed.
	Secret bool
	// User says that the value is the name of the user who signs in.
	User bool
	// Default is used if nothing is entered.
	Default string
	// Optional says that the value may be left empty.
	Optional bool
}

// Renewal says which token a venue renews with.
type Renewal int

const (
	// RenewWithRefreshToken presents the refresh token (RFC 6749 §6).
	RenewWithRefreshToken Renewal = iota
	// RenewWithAccessToken presents the access token before it expires, which does not
	// use it up. If there is a refresh token as well, the Keeper presents that once the
	// access token is dead, and when half of its life is over: it passes Refresh a token
	// that holds only the one to present.
	RenewWithAccessToken
	// RenewWithAppKey presents neither: the app's own key signs in again, so a renewal is
	// possible as long as the key is good. Refresh gets the token that is to be replaced,
	// and may renew with its access token while that lives.
	RenewWithAppKey
)

// LostAnswer says what may follow when a renewal was sent and no answer could be read, so
// that it is unknown whether the venue rotated the token.
type LostAnswer int

const (
	// RetryNever: the same token is not presented again, since the venue takes reuse
	// for theft. Once the access token has expired there is nothing left to lose, and
	// it is presented one last time.
	RetryNever LostAnswer = iota
	// RetryOnce: the token is presented once more, since the venue forgives one reuse,
	// within Policy.Grace if that is set. The retry waits until the venue is seen to
	// answer again (Prober).
	RetryOnce
	// RetryUntilRefused: reuse is merely refused, so the same token is presented, with
	// back-off, until an answer is read. If an earlier request did arrive, the
	// sign-in is lost either way.
	RetryUntilRefused
	// RetryFreely: a renewal does not use the token up.
	RetryFreely
)

// Ending says from when the lifetime of a sign-in is counted: its refresh token expires,
// and the sign-in ends although nothing fails.
type Ending int

const (
	// EndUnknown: the venue does not say.
	EndUnknown Ending = iota
	// EndNever: the sign-in can be renewed forever.
	EndNever
	// EndAfterLogin: Policy.RenewalLife after the user signed in. No renewal extends
	// it.
	EndAfterLogin
	// EndAfterIssue: Policy.RenewalLife after the refresh token was issued. A renewal
	// that merely repeats the refresh token does not extend it.
	EndAfterIssue
	// EndAfterUse: Policy.RenewalLife after the last renewal.
	EndAfterUse
)

// Policy says how to treat a venue's tokens. The zero value is the most careful one:
// single-use refresh tokens and no retry. It is data: it survives a round trip through
// JSON, with durations as text such as "80m".
type Policy struct {
	// RenewsWith is the token that a renewal presents.
	RenewsWith Renewal `json:"renews_with,omitzero"`
	// AfterLostAnswer is what to do after the answer to a renewal was lost. If the
	// access token was presented, RetryUntilRefused applies unless it is RetryFreely, and
	// if the app's key was, RetryFreely always.
	AfterLostAnswer LostAnswer `json:"after_lost_answer,omitzero"`
	// Doubt is how long the refusal of a refresh token may still turn out to be wrong,
	// counted from the first one; zero means that it is believed at once. Some venues
	// refuse a good refresh token for some minutes.
	Doubt time.Duration `json:"doubt,omitzero"`
	// Grace is how long after the first presentation the venue still forgives a
	// second one; zero means that no limit is known. Later reuse revokes the sign-in.
	Grace time.Duration `json:"grace,omitzero"`
	// RenewalEnds and RenewalLife say when a sign-in ends, if the venue's answers do
	// not.
	RenewalEnds Ending        `json:"renewal_ends,omitzero"`
	RenewalLife time.Duration `json:"renewal_life,omitzero"`
	// Warn lists how long before such an end people want to hear of it, where Keeper.Warn says
	// nothing.
	Warn []time.Duration `json:"warn,omitzero"`
	// KillsAccess says that a renewal ends the old access token at once, so that no
	// caller may get the old one while a renewal is in flight.
	KillsAccess bool `json:"kills_access,omitzero"`
	// RefreshAt is the fraction of the access token's lifetime after which it is
	// renewed; zero means 0.8.
	RefreshAt float64 `json:"refresh_at,omitzero"`
	// LeastInterval is how old a token must be before Keeper.Reject renews it, at most an
	// eighth of its life; zero means 10 s. It keeps a program that is refused for another
	// reason from using up renewals.
	LeastInterval time.Duration `json:"least_interval,omitzero"`
	// DefaultLife is the documented lifetime of an access token, for answers that do
	// not state one; zero means one hour.
	DefaultLife time.Duration `json:"default_life,omitzero"`
	// CodeLife is how long an authorization code can be exchanged; zero means
	// unknown.
	CodeLife time.Duration `json:"code_life,omitzero"`
	// Pace is the least time between two renewals of one app, on average and over all
	// machines that share a store; zero means 200 ms. Up to Burst renewals may come at
	// once; zero means 10. A renewal that a person asks for is not paced.
	Pace  time.Duration `json:"pace,omitzero"`
	Burst int           `json:"burst,omitzero"`
	// Quota is the venue's own limit, in place of Pace and Burst: so many renewals within
	// any window. Renewals that can wait leave a third of it to those that cannot.
	Quota Quota `json:"quota,omitzero"`
	// PacePerMachine says that the venue counts by network address, so that each
	// machine has its own budget.
	PacePerMachine bool `json:"pace_per_machine,omitzero"`
	// MaxSessions is how many sign-ins of one app a user may have at once before the
	// venue ends the oldest; zero means that the venue states no limit. See
	// Keeper.Rivals.
	MaxSessions int `json:"max_sessions,omitzero"`
	// FailedSignIns is how many sign-ins may fail within an hour on one machine before no
	// further one is sent, one fewer than the venue allows; zero means no limit.
	FailedSignIns int `json:"failed_sign_ins,omitzero"`
	// Maintenance is when the venue may not answer. Renewals come just before, or wait
	// it out.
	Maintenance Maintenance `json:"maintenance,omitzero"`
}

// check refuses a policy that contradicts itself, before anything is presented.
func (p Policy) check(venue string) error {
	wrong := ""
	switch {
	case p.RenewsWith < RenewWithRefreshToken || p.RenewsWith > RenewWithAppKey:
		wrong = "RenewsWith has an unknown value"
	case p.AfterLostAnswer < RetryNever || p.AfterLostAnswer > RetryFreely:
		wrong = "AfterLostAnswer has an unknown value"
	case p.RefreshAt < 0 || p.RefreshAt >= 1 || p.RefreshAt != p.RefreshAt:
		wrong = "RefreshAt is not a fraction of a life"
	case p.RenewalEnds < EndUnknown || p.RenewalEnds > EndAfterUse:
		wrong = "RenewalEnds has an unknown value"
	case p.RenewalEnds > EndNever && p.RenewalLife == 0:
		wrong = "RenewalEnds needs a RenewalLife, which is not set"
	case p.Grace < 0 || p.Doubt < 0 || p.RenewalLife < 0 || p.LeastInterval < 0 || p.DefaultLife < 0 || p.CodeLife < 0 || p.Pace < 0 || p.Burst < 0 || p.MaxSessions < 0 || p.FailedSignIns < 0:
		wrong = "a time or a number is negative"
	case slices.ContainsFunc(p.Warn, func(d time.Duration) bool { return d <= 0 }):
		wrong = "Warn holds a time that is not before the end"
	case p.DefaultLife > 0 && p.LeastInterval >= p.DefaultLife:
		wrong = "a token would die before LeastInterval lets it be renewed"
	}
	if wrong == "" {
		wrong = cmp.Or(p.Quota.check(), p.Maintenance.check())
	}
	if wrong == "" {
		return nil
	}
	return &Error{ID: ID{Venue: venue}, Class: ClassMisconfigured, Reason: "the policy of " + venue + " contradicts itself: " + wrong, Remedy: "fix the Venue that this program was built with"}
}

// UI is how a venue talks to the person who signs in. Package terminal has one.
type UI interface {
	// Visit shows the user the addresses to sign in at, and opens a browser if it can
	// and may. It returns without waiting for the sign-in.
	Visit(ctx context.Context, visit Visit) error
	// Paste waits until the user pastes what the browser was redirected to, the whole
	// URL or the bare code, and returns it. It blocks until then or until the context
	// ends; a UI without pasting just waits for the latter. It must return when the
	// context ends: no caller waits for it longer, so its goroutine would leak. What
	// is pasted is trusted.
	Paste(ctx context.Context) (string, error)
	// Ask asks for values, in order, and returns them by Field.Name.
	Ask(ctx context.Context, fields []Field) (map[string]Secret, error)
	// Tell shows progress: one line without secrets.
	Tell(line string)
}

// Visit is one invitation to sign in.
//
// While a listener waits, URL and Open are addresses of the listener, each for one
// browser: that browser gets a cookie, which the callback demands, and is redirected to
// the venue. Both are secrets until they have been opened, because the first browser to
// open one signs in.
type Visit struct {
	// URL is the address to show. The user opens it in a browser on this machine, or
	// on one from which the listener's port is forwarded. It is empty if no browser on
	// this machine may be sent anywhere: Redirect leads to a port of this machine that
	// this sign-in does not hold, and the program that holds it would get the code.
	URL string
	// Open is the address for the program that opens a browser; it is empty if URL
	// is. Every user of this machine can read a program's arguments. So if the
	// system says whose a connection is, this address works only for a browser of
	// this user.
	Open string
	// Elsewhere is the venue's own address, for a browser on another machine; the
	// user has to paste the URL at which that browser ends up. It contains state,
	// and must not appear among a program's arguments.
	Elsewhere string
	// Redirect is where the venue sends the user after the sign-in.
	Redirect string
	// Listening says that a listener waits at Redirect on this machine.
	Listening bool
	// NotListening says why there is no listener.
	NotListening string
	// CodeLife is how long the code that comes back can be exchanged; zero means
	// unknown.
	CodeLife time.Duration
}
