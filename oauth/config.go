package oauth

import (
	"net/http"
	"net/url"
	"time"

	"github.com/venuekey/venuekey"
)

// config.go owns what a venue is in OAuth 2, as data.

// Config is what one venue says of its OAuth 2 endpoints: data, and nothing that
// acts. A Client acts on it. A venue makes one for each call, from its addresses and
// the app. As JSON it survives a round trip, and durations are text such as "80m".
type Config struct {
	// AuthorizeURL is where the user is sent.
	AuthorizeURL string `json:"authorize_url,omitzero"`
	// AuthorizeParams are sent there beside the standard ones.
	AuthorizeParams url.Values `json:"authorize_params,omitzero"`
	// OmitResponseType leaves out response_type=code, for a venue that does not
	// know it.
	OmitResponseType bool `json:"omit_response_type,omitzero"`
	// DefaultScopes are asked for if the app names none.
	DefaultScopes []string `json:"default_scopes,omitzero"`
	// PKCE sends a code challenge (RFC 7636, method S256). An app without a secret
	// sends one in any case.
	PKCE bool `json:"pkce,omitzero"`
	// StateNotEchoed says that the venue's redirect does not carry state, so
	// that a callback without one must be taken: from the tab that began, or when
	// the user says so. One with a foreign state is refused all the same.
	StateNotEchoed bool `json:"state_not_echoed,omitzero"`

	// Issuer is what the venue calls itself in its answers (RFC 9207), if that
	// is known. Any other name is refused; if none is known, any but that of one
	// of the venue's own addresses.
	Issuer string `json:"issuer,omitzero"`

	// TokenURL takes token requests.
	TokenURL string `json:"token_url,omitzero"`
	// TokenFallbacks are other ways to the same endpoint, tried in turn if the
	// one before answers 404 or 405 and nothing of the venue's: then nobody there
	// has read the request, as a rule. For a refresh that is no certainty, so it
	// has none unless ReuseHarmless says that they can do no harm.
	TokenFallbacks []Way `json:"token_fallbacks,omitzero"`
	// ReuseHarmless says that a refresh token that was used is merely refused, so
	// that it may be presented twice within one refresh.
	ReuseHarmless bool `json:"reuse_harmless,omitzero"`
	// TokenByGet sends token requests as GET with everything in the query, the
	// client secret included. It is for venues that take nothing else.
	TokenByGet bool `json:"token_by_get,omitzero"`
	// ProbeForm is what Probe sends; nil means a refresh without a token. It must
	// not count as a failed attempt at the venue.
	ProbeForm url.Values `json:"probe_form,omitzero"`
	// ClientAuth is how the app authenticates.
	ClientAuth ClientAuth `json:"client_auth,omitzero"`
	// Header is sent with token requests.
	Header http.Header `json:"header,omitzero"`

	// RevokeURL takes revocations (RFC 7009); empty means that there are none.
	RevokeURL string `json:"revoke_url,omitzero"`

	// Names are the fields of the venue's answers.
	Names Names `json:"names,omitzero"`
	// Meanings explain the venue's errors; the first that fits is taken, and
	// the RFC's own meanings come after them.
	Meanings []Meaning `json:"meanings,omitzero"`
	// ErrorsInOK says that the venue puts errors into answers with status 200, so
	// that a word nobody knows is one of its errors there too.
	ErrorsInOK bool `json:"errors_in_ok,omitzero"`
	// CodeLife is how long a code can be exchanged; zero means unknown.
	CodeLife time.Duration `json:"code_life,omitzero"`
	// DefaultLife is how long an access token lives if the answer does not
	// say.
	DefaultLife time.Duration `json:"default_life,omitzero"`
	// RefreshLife is the documented life of a refresh token; zero means that none
	// is.
	RefreshLife time.Duration `json:"refresh_life,omitzero"`
}

// Way is one way to send token requests.
type Way struct {
	// URL is the address.
	URL string `json:"url,omitzero"`
	// ByGet sends everything in the query. As a fallback it is for a 405 only:
	// what is missing there is missing for every method.
	ByGet bool `json:"by_get,omitzero"`
	// Learned names this way in parameters of the app. A token that came by it
	// carries them, so that the next request begins with it.
	Learned map[string]string `json:"learned,omitzero"`
}

// ClientAuth is how an app authenticates at the token endpoint.
type ClientAuth int

const (
	// AuthInBody sends client_id and client_secret as parameters.
	AuthInBody ClientAuth = iota
	// AuthBasic sends them in the Authorization header, form-encoded as RFC 6749
	// §2.3.1 wants it.
	AuthBasic
	// AuthBasicPlain sends them there as they are, for venues that do not decode.
	AuthBasicPlain
	// AuthBasicAndID sends Basic, and client_id as a parameter too.
	AuthBasicAndID
	// AuthPublic is for an app that has no secret: client_id is a parameter, so that the
	// venue knows whose code it is (RFC 6749 §3.2.1), and no secret is sent. What
	// proves that a code is ours is PKCE, which goes with it (RFC 8252 §8.1).
	AuthPublic
	// authNone sends neither, for a request that is nobody's.
	authNone
)

// Names lists, for each field of a token answer, the names that a venue uses
// for it, the preferred one first. Empty lists mean the RFC's name.
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
