package oauth

import (
	"net/url"
	"strings"
)

// issuer.go owns the name that an answer gives its issuer (RFC 9207).

// issuedHere reports whether an answer that names its issuer is the venue's own. The
// comparison is simple (§2.4). If nobody knows what the venue calls itself, it has
// to be somebody at one of the venue's own addresses: of a venue that sends no name
// until now the first one must not end every sign-in, and no other venue is there.
func (c Config) issuedHere(issuer string) bool {
	if c.Issuer != "" {
		return issuer == c.Issuer
	}
	named, err := url.Parse(issuer)
	if err != nil || named.Host == "" {
		return false
	}
	for _, text := range []string{c.AuthorizeURL, c.TokenURL} {
		own, err := url.Parse(text)
		if err == nil && own.Scheme == named.Scheme && strings.EqualFold(own.Host, named.Host) {
			return true
		}
	}
	return false
}
