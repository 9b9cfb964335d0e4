package oauth

import (
	"net/url"
	"strings"
)

// issuer.go owns the check of the issuer that a callback names (RFC 9207).

// issuedHere reports whether the named issuer is this venue. The comparison is simple
// (§2.4). If the Config names no issuer, any address of the venue's own counts: a venue
// that begins to send one must not break every sign-in, and another venue is still
// refused.
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
