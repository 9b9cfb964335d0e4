package defined

import (
	"net/url"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/loopback"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// base.go owns where the API is.

// Base returns the address of the API that a token is for, without a slash at its end: what
// the venue's answer named, or else the definition. ok is false if neither does. An answer
// may only name https, or a server of this machine to a program that asked one there.
func Base(d *definition.Definition, token venuekey.Token) (address string, ok bool) {
	if named := string(token.Extra(baseField)); named != "" {
		at, err := url.Parse(named)
		if err != nil || at.Host == "" || at.User != nil || at.RawQuery != "" || at.Fragment != "" || at.Scheme != "https" && (at.Scheme != "http" || !loopback.Host(at.Hostname())) {
			return "", false
		}
		return strings.TrimSuffix(named, "/"), true
	}
	if d.API.Base == "" || strings.Contains(d.API.Base, definition.AskedHost) {
		return "", false
	}
	return strings.TrimSuffix(d.API.Base, "/"), true
}
