package definition

import (
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/words"
)

// definition.go owns the fields of a definition. Their comments are the descriptions in
// schema.json.

// Definition describes a venue.
type Definition struct {
	// Schema is the address of schema.json, for editors. It means nothing else.
	Schema string `json:"$schema"`
	// Extends is the name of another definition, of which this one changes parts. Objects
	// are merged, everything else is replaced, and null removes.
	Extends string `json:"extends"`
	// Name is the venue's part of an ID: lower-case letters, digits and dashes.
	Name string `json:"name" need:"yes"`
	// About says what the venue is, in a line.
	About string `json:"about"`
	// Docs is the address of the venue's own documentation.
	Docs string `json:"docs"`
	// Register says where to register an app, as a sentence without a full stop.
	Register string `json:"register"`
	// Sources say where the facts in this file are from.
	Sources []Source `json:"sources"`
	// Environments replaces addresses for live and demo, by the name of the request, or all
	// of them by base.
	Environments map[string]map[string]string `json:"environments"`
	// Client is what identifies an app: a client ID and its secret, an ID with or without
	// one, or neither of them.
	Client Client `json:"client"`
	// Ask lists the values that a person is asked for.
	Ask []Ask `json:"ask"`
	// Login is how a user signs in.
	Login Login `json:"login" need:"yes"`
	// Before is a request that is sent before the user is shown the page.
	Before *Before `json:"before"`
	// Authorize is the page at which the user signs in, for the login code.
	Authorize *Authorize `json:"authorize"`
	// Exchange is the request that brings the first token: for a code, a key or a password.
	Exchange *Request `json:"exchange"`
	// Answer is where the values are in an answer that brings a token.
	Answer Answer `json:"answer"`
	// Life is how long an access token lives if the answer does not say.
	Life Life `json:"life"`
	// Renew is how a token is renewed.
	Renew Renew `json:"renew"`
	// Warn lists how long before the end of a sign-in people want to hear of it, if no
	// renewal moves the end. The default is 48h, 24h and 2h.
	Warn []words.Duration `json:"warn"`
	// Keepalive is the call that keeps a session from ending for want of calls.
	Keepalive *Keepalive `json:"keepalive"`
	// Revoke is how a token is revoked.
	Revoke *Revoke `json:"revoke"`
	// Who is how to find out whose token it is.
	Who *Who `json:"who"`
	// API is what calls with the access token look like.
	API API `json:"api"`
	// Errors say what the venue's errors mean. The first row that fits counts.
	Errors []Meaning `json:"errors"`
	// Sessions is how many sign-ins of a user there may be at once.
	Sessions Sessions `json:"sessions"`
}

// Source says where a fact is from.
type Source struct {
	// Fact is the field, or the fact in words.
	Fact string `json:"fact" need:"yes"`
	// Where is a page, a library or a date.
	Where string `json:"where" need:"yes"`
	// Sure is false for what is only believed.
	Sure bool `json:"sure"`
}

// Client is what identifies an app at a venue.
type Client string

// The clients.
const (
	ClientSecret Client = "secret" // an ID and a secret; the default
	ClientPublic Client = "public" // an ID, and a secret if the app has one
	ClientNone   Client = "none"   // neither
)

func (Client) choices() []string { return []string{"secret", "public", "none"} }

// Ask is a value that a person is asked for.
type Ask struct {
	// Name is what templates call it, as in {ask.server}.
	Name string `json:"name" need:"yes"`
	// Help says what it is and where to find it.
	Help string `json:"help" need:"yes"`
	// Secret says not to show what is typed.
	Secret bool `json:"secret"`
	// User says that it is the name of the user who signs in.
	User bool `json:"user"`
	// Optional says that it may be left empty.
	Optional bool `json:"optional"`
	// Pattern is a regular expression (RE2) that it has to match as a whole.
	Pattern string `json:"pattern"`
	// Default is used if nothing is entered.
	Default string `json:"default"`
	// Keep is app if it is entered once and kept with the app, or never if it is asked for
	// at each sign-in.
	Keep Keep `json:"keep" need:"yes"`
}

// Keep is where an answer of a person is kept.
type Keep string

// The places.
const (
	KeepApp   Keep = "app"
	KeepNever Keep = "never"
)

func (Keep) choices() []string { return []string{"app", "never"} }

// Login is how a user signs in.
type Login string

// The ways to sign in.
const (
	LoginCode     Login = "code"     // on the venue's page, which sends back a code
	LoginKey      Login = "key"      // with a key that is kept with the app
	LoginPassword Login = "password" // with a password that is asked for each time
	LoginPaste    Login = "paste"    // with a refresh token from the venue's pages
)

func (Login) choices() []string { return []string{"code", "key", "password", "paste"} }

// Before is a request that is sent before the user is shown the page.
type Before struct {
	// Request is the request.
	Request Request `json:"request" need:"yes"`
	// Keep are the values in its answer that the page needs, by the name that they get, as in
	// {extra.consent}.
	Keep map[string]Paths `json:"keep" need:"yes"`
}

// Authorize is the page at which the user signs in.
type Authorize struct {
	// URL is its address.
	URL string `json:"url" need:"yes"`
	// Params are sent in addition to the standard ones. One that is empty is left out.
	Params map[string]Template `json:"params"`
	// Rename gives standard parameters another name; an empty one leaves the parameter out.
	Rename map[string]string `json:"rename"`
	// Scopes are requested if the app names none.
	Scopes []string `json:"scopes"`
	// Separator stands between scopes; a space if it is not given.
	Separator string `json:"separator"`
	// PKCE is S256 to send a code challenge. The default is off.
	PKCE PKCE `json:"pkce"`
	// State is how the page hands the state on.
	State State `json:"state"`
	// CodeParam is the parameter in which the code comes back; code if it is not given.
	CodeParam string `json:"code_param"`
	// CodeLife is how long a code can be exchanged.
	CodeLife words.Duration `json:"code_life"`
	// Redirect is which redirect URIs the venue accepts. The default is any.
	Redirect Redirect `json:"redirect"`
	// Note is a line about the redirect URI, for the person who registers the app.
	Note string `json:"note"`
}

// PKCE is the method of a code challenge.
type PKCE string

// The methods.
const (
	PKCEOff  PKCE = "off"
	PKCES256 PKCE = "S256"
)

func (PKCE) choices() []string { return []string{"off", "S256"} }

// Redirect is a kind of redirect URI.
type Redirect string

// The kinds.
const (
	RedirectAny   Redirect = "any"
	RedirectHTTPS Redirect = "https"
	RedirectHTTP  Redirect = "http"
)

func (Redirect) choices() []string { return []string{"any", "https", "http"} }

// State is how a page hands the state on.
type State struct {
	// SendAs is the parameter that carries it; state if it is not given.
	SendAs string `json:"send_as"`
	// Prefix is put before it, as in "state=" for a venue that adds such a query to the
	// redirect.
	Prefix string `json:"prefix"`
	// Lost says that it does not come back at all.
	Lost bool `json:"lost"`
}

// Request is a request to the venue.
type Request struct {
	// Method is POST if it is not given, or GET if the encoding is query.
	Method Method `json:"method"`
	// URL is the address.
	URL string `json:"url" need:"yes"`
	// Fallbacks are other addresses of the same thing. They are tried if there is nothing
	// at the first one.
	Fallbacks []string `json:"fallbacks"`
	// Encoding is how the parameters travel. The default is form.
	Encoding Encoding `json:"encoding"`
	// Auth is how the app identifies itself. The default is body, with the parameters
	// client_id and client_secret.
	Auth Auth `json:"auth"`
	// Headers are added.
	Headers map[string]Template `json:"headers"`
	// Params are the parameters, in place of those of OAuth 2. One that is empty is left
	// out.
	Params map[string]Template `json:"params"`
}

// Method is the method of a request.
type Method string

func (Method) choices() []string { return []string{"GET", "POST", "PUT", "DELETE"} }

// Encoding is how parameters travel.
type Encoding string

// The encodings.
const (
	EncodingForm  Encoding = "form"
	EncodingJSON  Encoding = "json"
	EncodingQuery Encoding = "query"
)

func (Encoding) choices() []string { return []string{"form", "json", "query"} }

// Auth is how an app identifies itself.
type Auth string

// The ways.
const (
	AuthBody       Auth = "body"
	AuthBasic      Auth = "basic"
	AuthBasicPlain Auth = "basic_plain"
	AuthBasicAndID Auth = "basic_and_id"
	AuthBearer     Auth = "bearer"
	AuthNone       Auth = "none"
)

func (Auth) choices() []string {
	return []string{"body", "basic", "basic_plain", "basic_and_id", "bearer", "none"}
}

// Answer is where the values are in an answer. Each is a path or a list of paths, of which
// the first that leads to something counts.
type Answer struct {
	// Access is the access token; access_token if it is not given.
	Access Paths `json:"access"`
	// Refresh is the refresh token; refresh_token if it is not given.
	Refresh Paths `json:"refresh"`
	// Type is the token's type; token_type if it is not given.
	Type Paths `json:"type"`
	// Scope is the scope; scope if it is not given.
	Scope Paths `json:"scope"`
	// User is whose token it is.
	User Paths `json:"user"`
	// Error is the error's code; error if it is not given.
	Error Paths `json:"error"`
	// Description is the error's text; error_description if it is not given.
	Description Paths `json:"description"`
	// Base is the address of the API.
	Base Paths `json:"base"`
	// Extras are other values to keep with the token, by the name that they get, as in
	// {extra.cst}. The fields beside the access token are kept without being listed.
	Extras map[string]Paths `json:"extras"`
	// OK is what tells success from an error, if the status does not.
	OK *OK `json:"ok"`
	// Life is where the answer says how long the access token lives.
	Life AnswerLife `json:"life"`
	// RefreshExpiresIn is the life of the refresh token in seconds.
	RefreshExpiresIn Paths `json:"refresh_expires_in"`
}

// OK is what an answer says if it is no error.
type OK struct {
	// Path leads to the value.
	Path Path `json:"path" need:"yes"`
	// Equals is the value, as text: true, ok, 0.
	Equals string `json:"equals" need:"yes"`
}

// AnswerLife is where an answer says how long the access token lives.
type AnswerLife struct {
	// ExpiresIn is how long it lives; expires_in if nothing else is given.
	ExpiresIn Paths `json:"expires_in"`
	// Unit is the unit of ExpiresIn, and of an ExpiresAt that is a number. The default is s.
	Unit Unit `json:"unit"`
	// ExpiresAt is when it expires.
	ExpiresAt Paths `json:"expires_at"`
	// Layout is how ExpiresAt is written, in the manner of Go; RFC 3339 if it is not given,
	// and unix for a number.
	Layout string `json:"layout"`
	// Zone is the zone of a layout without one.
	Zone string `json:"zone"`
	// JWT says that the access token is a JWT that says so itself (exp).
	JWT bool `json:"jwt"`
}

// Unit is a unit of time.
type Unit string

// The units.
const (
	UnitSeconds      Unit = "s"
	UnitMilliseconds Unit = "ms"
	UnitMinutes      Unit = "min"
)

func (Unit) choices() []string { return []string{"s", "ms", "min"} }

// Of returns the length of one unit.
func (u Unit) Of() time.Duration {
	switch u {
	case UnitMilliseconds:
		return time.Millisecond
	case UnitMinutes:
		return time.Minute
	}
	return time.Second
}

// Life is how long an access token lives.
type Life struct {
	// Access is its usual life.
	Access words.Duration `json:"access"`
	// Cutoff is when it ends each day.
	Cutoff *Cutoff `json:"cutoff"`
	// Idle is how long it lives without a call, for a venue whose tokens nothing renews but
	// use. Access is then the longest that it lives whatever is called.
	Idle words.Duration `json:"idle"`
	// Never says that it does not expire.
	Never bool `json:"never"`
}

// Cutoff is a time of the day at which tokens end.
type Cutoff struct {
	// Time is the wall clock's, as in 03:30.
	Time string `json:"time" need:"yes"`
	// Zone is its zone in the IANA database, such as Asia/Kolkata.
	Zone string `json:"zone" need:"yes"`
}

// Renew is how a token is renewed.
type Renew struct {
	// With is what a renewal presents.
	With With `json:"with" need:"yes"`
	// Request is the request; that of exchange, with the parameters of OAuth 2, if it is not
	// given.
	Request *Request `json:"request"`
	// Rotates says that each renewal brings another refresh token and uses the old one up.
	Rotates *bool `json:"rotates"`
	// AfterLost is what may follow a renewal whose answer was lost. The default is never.
	AfterLost AfterLost `json:"after_lost"`
	// KillsAccess says that a renewal ends the old access token at once.
	KillsAccess bool `json:"kills_access"`
	// Life is how long the refresh token lives.
	Life words.Duration `json:"life"`
	// LifeFrom is from when Life counts.
	LifeFrom LifeFrom `json:"life_from"`
	// At is the part of the access token's life after which it is renewed; 0.8 if it is not
	// given.
	At float64 `json:"at"`
	// Least is how old a token must be to be renewed because a program was refused.
	Least words.Duration `json:"least"`
	// Pace is the least time between two renewals of one app.
	Pace words.Duration `json:"pace"`
	// Burst is how many renewals may come at once.
	Burst int `json:"burst"`
}

// With is what a renewal presents.
type With string

// What a renewal presents.
const (
	WithRefresh With = "refresh" // the refresh token
	WithAccess  With = "access"  // the access token, while it lives
	WithApp     With = "app"     // the app's own key, which signs in again
	WithNone    With = "none"    // nothing: the user signs in again
)

func (With) choices() []string { return []string{"refresh", "access", "app", "none"} }

// AfterLost is what may follow a renewal whose answer was lost.
type AfterLost string

// The answers to that.
const (
	LostNever        AfterLost = "never"
	LostOnce         AfterLost = "once"
	LostUntilRefused AfterLost = "until_refused"
	LostFreely       AfterLost = "freely"
)

func (AfterLost) choices() []string { return []string{"never", "once", "until_refused", "freely"} }

// LifeFrom is from when the life of a refresh token counts.
type LifeFrom string

// The beginnings.
const (
	FromLogin LifeFrom = "login"
	FromIssue LifeFrom = "issue"
	FromUse   LifeFrom = "use"
)

func (LifeFrom) choices() []string { return []string{"login", "issue", "use"} }

// Keepalive is the call that keeps a session from ending.
type Keepalive struct {
	// Every is how long after the last one it is made.
	Every words.Duration `json:"every" need:"yes"`
	// Request is the call: one that changes nothing.
	Request Request `json:"request" need:"yes"`
}

// Revoke is how a token is revoked.
type Revoke struct {
	// Request is the request.
	Request Request `json:"request" need:"yes"`
	// Reaches says what ends: the token, or all tokens of the app.
	Reaches Reaches `json:"reaches"`
}

// Reaches is what a revocation ends.
type Reaches string

// What it ends.
const (
	ReachesToken Reaches = "token"
	ReachesAll   Reaches = "all"
)

func (Reaches) choices() []string { return []string{"token", "all"} }

// Who is how to find out whose token it is.
type Who struct {
	// Request is the request.
	Request Request `json:"request" need:"yes"`
	// User is where the answer has the name.
	User Paths `json:"user" need:"yes"`
}

// API is what calls with the access token look like.
type API struct {
	// Base is its address, if no answer says so.
	Base string `json:"base"`
	// Headers are the header fields of each call. Without one that holds {access},
	// Authorization holds the token as usual.
	Headers map[string]Template `json:"headers"`
}

// Meaning is what one of the venue's errors means.
type Meaning struct {
	// Status is that of the answer; any if it is not given.
	Status int `json:"status"`
	// Code is the error's code; any if it is not given.
	Code string `json:"code"`
	// Text is a part of the error's text; any if it is not given.
	Text string `json:"text"`
	// Grant is refresh_token or authorization_code; any if it is not given.
	Grant Grant `json:"grant"`
	// Class is what became of the request.
	Class Class `json:"class" need:"yes"`
	// Reason is what happened, in lower case.
	Reason string `json:"reason"`
	// Remedy is what a person can do.
	Remedy string `json:"remedy"`
}

// Grant is a kind of token request.
type Grant string

func (Grant) choices() []string { return []string{"authorization_code", "refresh_token"} }

// Class is the class of an error.
type Class string

func (Class) choices() []string {
	return []string{"refused", "misconfigured", "later", "unknown", "declined"}
}

// Of returns the class.
func (c Class) Of() venuekey.Class {
	switch c {
	case "refused":
		return venuekey.ClassRefused
	case "misconfigured":
		return venuekey.ClassMisconfigured
	case "later":
		return venuekey.ClassLater
	case "declined":
		return venuekey.ClassDeclined
	}
	return venuekey.ClassUnknown
}

// Sessions is how many sign-ins of a user there may be at once.
type Sessions struct {
	// Max is how many; zero means that no limit is known.
	Max int `json:"max"`
	// LoginEnds is which ones another sign-in ends.
	LoginEnds LoginEnds `json:"login_ends"`
}

// LoginEnds is which sign-ins another one ends.
type LoginEnds string

// Which they are.
const (
	EndsNone   LoginEnds = "none"
	EndsOldest LoginEnds = "oldest"
	EndsAll    LoginEnds = "all"
)

func (LoginEnds) choices() []string { return []string{"none", "oldest", "all"} }

// Rotating reports whether a renewal uses the refresh token up.
func (r Renew) Rotating() bool { return r.With == WithRefresh && (r.Rotates == nil || *r.Rotates) }
