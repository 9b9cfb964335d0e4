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

// authorize.go owns the address that the browser is sent to, and which addresses may be asked at all.

// Attempt is what one sign-in chose at random, and what its callback and its
// code exchange are checked against.
type Attempt struct {
	// State comes back with the callback.
	State venuekey.Secret
	// Verifier proves at the exchange that the code was asked for by us; empty
	// if the venue knows no PKCE.
	Verifier venuekey.Secret
}

// NewAttempt draws state and, if the venue takes it, a PKCE verifier.
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

// Authorize gives the address at which the user signs in (RFC 6749 §4.1.1),
// correctly escaped. It holds no secret.
func (c Config) Authorize(app venuekey.App, attempt Attempt) (string, error) {
	address, err := Endpoint("authorize", c.AuthorizeURL)
	if err != nil {
		return "", err
	}
	query := address.Query()
	for name, values := range c.AuthorizeParams {
		query[name] = values
	}
	if !c.OmitResponseType {
		query.Set("response_type", "code")
	}
	query.Set("client_id", app.ClientID)
	query.Set("redirect_uri", app.RedirectURI)
	if scopes := c.scopes(app); len(scopes) > 0 {
		query.Set("scope", strings.Join(scopes, " "))
	}
	if attempt.State != "" {
		query.Set("state", string(attempt.State))
	}
	if attempt.Verifier != "" {
		query.Set("code_challenge", challenge(attempt.Verifier))
		query.Set("code_challenge_method", "S256")
	}
	address.RawQuery = query.Encode()
	return address.String(), nil
}

// Endpoint reads an address of the venue. Plain HTTP is for loopback only: a
// secret sent anywhere else could be read on the way.
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

// secure refuses an address at which somebody on the way could read what is sent
// (RFC 6749 §3.1, §3.2, RFC 6750 §5.2).
func secure(what string, address *url.URL) error {
	if address.Scheme != "https" && (address.Scheme != "http" || !loopback.Host(address.Hostname())) {
		return wrong("the "+what+" address at "+address.Host+" is not https", "plain http is taken for loopback addresses only")
	}
	return nil
}

// hasSecret reports whether a query has a parameter that is a secret by its name.
// One that cannot be read is taken for one that has.
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
