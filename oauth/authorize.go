package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/loopback"
)

// authorize.go owns the authorization URL, and which addresses may be used at all.

// Attempt holds the random values of one sign-in, against which its callback and its code
// exchange are checked.
type Attempt struct {
	// State is returned by the callback.
	State venuekey.Secret
	// Verifier is the PKCE code verifier, which proves at the exchange that the code was
	// requested by this program; empty if PKCE is not used.
	Verifier venuekey.Secret
}

// NewAttempt generates state and, if the Config uses PKCE or the app is public, a PKCE
// verifier.
func (c Config) NewAttempt() Attempt {
	attempt := Attempt{State: venuekey.Secret(rand.Text())}
	if c.PKCE || c.ClientAuth == AuthPublic {
		// 32 bytes give the 43 characters that RFC 7636 §4.1 recommends.
		random := make([]byte, 32)
		rand.Read(random)
		attempt.Verifier = venuekey.Secret(base64.RawURLEncoding.EncodeToString(random))
	}
	return attempt
}

func challenge(verifier venuekey.Secret) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Authorize returns the authorization URL (RFC 6749 §4.1.1) to which the user's browser
// is sent. It contains state but neither the client secret nor the verifier. The error is
// of ClassMisconfigured if AuthorizeURL is not usable.
func (c Config) Authorize(app venuekey.App, attempt Attempt) (string, error) {
	address, err := Endpoint("authorize", c.AuthorizeURL)
	if err != nil {
		return "", err
	}
	query := address.Query()
	for name, values := range c.AuthorizeParams {
		query[name] = values
	}
	set := func(name, value string) {
		if other, renamed := c.Rename[name]; renamed {
			name = other
		}
		if name != "" {
			query.Set(name, value)
		}
	}
	if !c.OmitResponseType {
		set("response_type", "code")
	}
	set("client_id", app.ClientID)
	set("redirect_uri", app.RedirectURI)
	if scopes := c.scopes(app); len(scopes) > 0 {
		set("scope", strings.Join(scopes, orText(c.ScopeSeparator, " ")))
	}
	if attempt.State != "" {
		set("state", c.StatePrefix+string(attempt.State))
	}
	if attempt.Verifier != "" {
		set("code_challenge", challenge(attempt.Verifier))
		set("code_challenge_method", "S256")
	}
	address.RawQuery = query.Encode()
	return address.String(), nil
}

// Endpoint parses the URL of a venue's endpoint; what names it in errors, as in "token".
// The URL must be absolute, without user information, fragment or secrets in its query.
// Plain HTTP is accepted for loopback only, because anything else can be read on the way.
// Errors are of ClassMisconfigured.
func Endpoint(what, text string) (*url.URL, error) {
	address, err := url.Parse(text)
	if err != nil || address.Host == "" {
		return nil, wrong("the "+what+" address is not an absolute URL", "give it as https://host/path")
	}
	if address.User != nil || address.Fragment != "" || hasSecret(address.RawQuery) {
		return nil, wrong("the "+what+" address has a user name, a password or another secret in it", "leave it out: addresses are shown, logged and kept as they are")
	}
	if err := secure(what, address); err != nil {
		return nil, err
	}
	return address, nil
}

// secure refuses an address whose traffic can be read on the way (RFC 6749 §3.1, §3.2,
// RFC 6750 §5.2).
func secure(what string, address *url.URL) error {
	if address.Scheme != "https" && (address.Scheme != "http" || !loopback.Host(address.Hostname())) {
		return wrong("the "+what+" address at "+address.Host+" is not https", "plain http is accepted for loopback addresses only")
	}
	return nil
}

// hasSecret reports whether a query has a parameter whose name suggests a secret. A query
// that cannot be parsed counts as one.
func hasSecret(query string) bool {
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return true
	}
	for name := range parameters {
		name = strings.ToLower(name)
		if slices.ContainsFunc([]string{"password", "passwd", "secret", "token", "apikey", "api_key"}, func(part string) bool { return strings.Contains(name, part) }) {
			return true
		}
	}
	return false
}

func wrong(reason, remedy string) *venuekey.Error {
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: reason, Remedy: remedy}
}
