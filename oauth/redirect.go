package oauth

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/venuekey/venuekey/internal/loopback"
)

// redirect.go owns what a redirect URI must be, and where its listener binds.

// Redirect is a parsed redirect URI.
type Redirect struct {
	URL *url.URL
	// Loopback says that the URI leads to this machine, so that a listener can receive
	// the callback. With any other the user has to paste the address at which the browser
	// ends up.
	Loopback bool
}

// ParseRedirect parses a redirect URI. It accepts http for loopback hosts and https for
// any host. Errors are of ClassMisconfigured and say how to fix the URI.
func ParseRedirect(text string) (Redirect, error) {
	address, err := url.Parse(text)
	switch {
	case text == "":
		return Redirect{}, wrong("the redirect uri is missing", "register one with the app, such as http://localhost:8080/auth/callback")
	case err != nil || address.Host == "":
		return Redirect{}, wrong("the redirect uri is not an absolute URL", "write it like http://localhost:8080/auth/callback")
	case !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://"):
		return Redirect{}, wrong("the redirect uri must begin with http:// or https://, in lower case", "venues compare it byte for byte")
	case address.Fragment != "" || strings.HasSuffix(text, "#"):
		return Redirect{}, wrong("the redirect uri has a fragment, which RFC 6749 §3.1.2 forbids", "leave out # and what follows")
	case hasSecret(address.RawQuery):
		return Redirect{}, wrong("the redirect uri has a password or another secret in it", "leave it out: it is shown, logged and stored as it is")
	case address.User != nil:
		return Redirect{}, wrong("the redirect uri has a user name", "leave out everything before @")
	}
	redirect := Redirect{URL: address, Loopback: address.Scheme == "http" && loopback.Host(address.Hostname())}
	if address.Scheme == "http" && !redirect.Loopback {
		return Redirect{}, wrong("the redirect uri is plain http to "+address.Hostname(), "use https, or http with localhost, 127.0.0.1 or [::1]")
	}
	return redirect, nil
}

// Notes explains, in a line each, what the venue will compare and where registrations
// usually differ. A mismatch is the most common cause of a sign-in that never comes back.
func (r Redirect) Notes() []string {
	notes := []string{fmt.Sprintf("scheme %s, host %s, port %s, path %q: each must be registered exactly so", r.URL.Scheme, r.URL.Hostname(), orText(r.URL.Port(), "none"), r.URL.Path)}
	if r.URL.Path == "" {
		notes = append(notes, "it has no path: http://host:port and http://host:port/ are different registrations")
	} else if strings.HasSuffix(r.URL.Path, "/") {
		notes = append(notes, "it ends in a slash: without the slash it is a different registration")
	}
	if strings.ToLower(r.URL.String()) != r.URL.String() {
		notes = append(notes, "it has capital letters: venues compare them too")
	}
	switch {
	case !r.Loopback:
		notes = append(notes, "it is not on this machine: paste the address at which the browser ends up")
	case r.URL.Hostname() == "localhost":
		notes = append(notes, "localhost may mean 127.0.0.1 or ::1: venuekey listens on both; 127.0.0.1 is a different registration")
	}
	return notes
}

// listens is where the listener waits: at the redirect URI or, if that is on another
// machine, at any local port, from which a browser is sent to the venue.
func (r Redirect) listens() Redirect {
	if r.Loopback {
		return r
	}
	return Redirect{URL: &url.URL{Scheme: "http", Host: "127.0.0.1:0"}}
}

// Addresses returns the host:port pairs to which a listener for the redirect binds:
// loopback only, and in both address families if the host is localhost.
func (r Redirect) Addresses() []string {
	port := orText(r.URL.Port(), "80")
	if host := r.URL.Hostname(); host != "localhost" {
		return []string{net.JoinHostPort(host, port)}
	}
	return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
