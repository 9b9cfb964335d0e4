package oauth

import (
	"net/http"
	"net/url"
	"time"

	"github.com/venuekey/venuekey"
)

// config.go owns the description of a venue's OAuth 2 endpoints, as data.

// Config describes a venue's OAuth 2 endpoints. It is pure data; a Client acts on it. A
// venue builds one for each call, from its addresses and the app. A Config survives a
// round trip through JSON, where durations are text such as "80m".
type Config struct {
	// AuthorizeURL is the authorization endpoint, where the user signs in.
	AuthorizeURL string `json:"authorize_url,omitzero"`
	// AuthorizeParams are sent to it in addition to the standard parameters.
	AuthorizeParams url.Values `json:"authorize_params,omitzero"`
	// OmitResponseType leaves out response_type=code, for a venue that does not accept
	// it.
	OmitResponseType bool `json:"omit_response_type,omitzero"`
	// Rename gives standard parameters of the authorization endpoint another name; "" leaves
	// one out.
	Rename map[string]string `json:"rename,omitzero"`
	// StatePrefix is put before state, for a venue that adds what it gets there to the query
	// of its redirect: "state=".
	StatePrefix string `json:"state_prefix,omitzero"`
	// CodeParam is the parameter of the redirect that holds the code; "" means code.
	CodeParam string `json:"code_param,omitzero"`
	// DefaultScopes are requested if the app names none.
	DefaultScopes []string `json:"default_scopes,omitzero"`
	// ScopeSeparator stands between scopes; "" means a space, as in RFC 6749 §3.3.
	ScopeSeparator string `json:"scope_separator,omitzero"`
	// PKCE sends a code challenge (RFC 7636, method S256). An app without a secret always
	// sends one.
	PKCE bool `json:"pkce,omitzero"`
	// StateNotEchoed says that the venue does not return state in its redirect, so a
	// callback without state has to be accepted: from the tab that started the sign-in,
	// or after the user confirms it. A callback with another state is still refused.
	StateNotEchoed bool `json:"state_not_echoed,omitzero"`

	// Issuer is the venue's issuer identifier (RFC 9207), if known. Callbacks that name
	// another issuer are refused. If it is empty, an issuer is accepted only if it is at
	// the address of AuthorizeURL or TokenURL.
	Issuer string `json:"issuer,omitzero"`

	// TokenURL is the token endpoint.
	TokenURL string `json:"token_url,omitzero"`
	// TokenFallbacks are other ways to reach the same endpoint. They are tried in turn
	// while the answer is a 404 or 405 that holds nothing of the venue's, which normally
	// means that the request was not processed. That is not certain enough for a refresh,
	// which uses fallbacks only if ReuseHarmless is set.
	TokenFallbacks []Way `json:"token_fallbacks,omitzero"`
	// Domains are the venue's own, such as "tradovateapi.com", in the form of Within. A
	// token request that is redirected to one of them with 307 or 308 is sent there too; see
	// SendWithin. No other redirect is followed.
	Domains []string `json:"domains,omitzero"`
	// ReuseHarmless says that the venue merely refuses a refresh token that was used
	// already, so it may be presented twice within one refresh.
	ReuseHarmless bool `json:"reuse_harmless,omitzero"`
	// TokenByGet sends token requests as GET with everything in the query, including the
	// client secret. It is for venues that accept nothing else.
	TokenByGet bool `json:"token_by_get,omitzero"`
	// ProbeForm is what Probe sends; nil means a refresh request without a token. It must
	// not count as a failed attempt at the venue.
	ProbeForm url.Values `json:"probe_form,omitzero"`
	// ClientAuth is how the app authenticates at the token endpoint.
	ClientAuth ClientAuth `json:"client_auth,omitzero"`
	// Header is added to token requests.
	Header http.Header `json:"header,omitzero"`

	// RevokeURL is the revocation endpoint (RFC 7009); empty means that the venue has
	// none.
	RevokeURL string `json:"revoke_url,omitzero"`

	// Names are the field names in the venue's answers.
	Names Names `json:"names,omitzero"`
	// Meanings explain the venue's errors. The first match wins; the meanings that the
	// RFCs give are tried last.
	Meanings []Meaning `json:"meanings,omitzero"`
	// ErrorsInOK says that the venue sends errors with status 200, so an unknown error
	// code in such an answer counts as the venue's own.
	ErrorsInOK bool `json:"errors_in_ok,omitzero"`
	// CodeLife is how long an authorization code is valid; zero means unknown.
	CodeLife time.Duration `json:"code_life,omitzero"`
	// DefaultLife is the lifetime of an access token if the answer does not state one;
	// zero means one hour.
	DefaultLife time.Duration `json:"default_life,omitzero"`
	// RefreshLife is the documented lifetime of a refresh token; zero means undocumented.
	RefreshLife time.Duration `json:"refresh_life,omitzero"`
}

// Way is one way to send token requests.
type Way struct {
	// URL is the address.
	URL string `json:"url,omitzero"`
	// ByGet sends everything in the query. As a fallback it is tried after a 405 only:
	// what is missing for POST (404) is missing for every method.
	ByGet bool `json:"by_get,omitzero"`
	// Learned are app parameters that record this way. A token obtained this way carries
	// them, so that the next request tries it first.
	Learned map[string]string `json:"learned,omitzero"`
}

// ClientAuth is how an app authenticates at the token endpoint.
type ClientAuth int

const (
	// AuthInBody sends client_id and client_secret as parameters.
	AuthInBody ClientAuth = iota
	// AuthBasic sends them in the Authorization header, form-encoded as RFC 6749 §2.3.1
	// requires.
	AuthBasic
	// AuthBasicPlain sends them in that header unencoded, for venues that do not decode
	// them.
	AuthBasicPlain
	// AuthBasicAndID sends the header of AuthBasic, and client_id as a parameter too.
	AuthBasicAndID
	// AuthPublic is for an app without a secret. It sends client_id as a parameter, so
	// that the venue knows which app the code belongs to (RFC 6749 §3.2.1), and always
	// uses PKCE, which proves that the code is ours (RFC 8252 §8.1).
	AuthPublic
	// authNone sends neither, for requests on behalf of no app.
	authNone
)

// Names lists, for each field of a token answer, the names that the venue uses for it, in
// order of preference. An empty list means the name in RFC 6749.
type Names struct {
	Access           []string `json:"access,omitzero"`
	Refresh          []string `json:"refresh,omitzero"`
	Type             []string `json:"type,omitzero"`
	ExpiresIn        []string `json:"expires_in,omitzero"`
	RefreshExpiresIn []string `json:"refresh_expires_in,omitzero"`
	Scope            []string `json:"scope,omitzero"`
	Error            []string `json:"error,omitzero"`
	Description      []string `json:"description,omitzero"`
}

func (n Names) withDefaults() Names {
	fill := func(names *[]string, standard string) {
		if len(*names) == 0 {
			*names = []string{standard}
		}
	}
	fill(&n.Access, "access_token")
	fill(&n.Refresh, "refresh_token")
	fill(&n.Type, "token_type")
	fill(&n.ExpiresIn, "expires_in")
	fill(&n.RefreshExpiresIn, "refresh_token_expires_in")
	fill(&n.Scope, "scope")
	fill(&n.Error, "error")
	fill(&n.Description, "error_description")
	return n
}

func (c Config) scopes(app venuekey.App) []string {
	if len(app.Scopes) > 0 {
		return app.Scopes
	}
	return c.DefaultScopes
}
