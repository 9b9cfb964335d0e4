package agent

import (
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/loopback"
)

// gate.go owns what a request must be before it is asked who sent it.

// refusal is why a request is not looked at, and the status that says so; nil if it is.
func (s *Server) refusal(r *http.Request) (status int, wrong *venuekey.Error) {
	declined := func(reason string) *venuekey.Error {
		return &venuekey.Error{Class: venuekey.ClassDeclined, Reason: reason}
	}
	if wrong := peerIn(r.Context()); wrong != nil {
		return http.StatusForbidden, wrong
	}
	if r.URL.Host != "" || r.Method == http.MethodConnect {
		return http.StatusBadRequest, declined("the request names another server: the agent is no proxy for the web")
	}
	if wrong := s.rightVault(r); wrong != nil {
		return http.StatusMisdirectedRequest, wrong
	}
	if isOfAPage(r) {
		return http.StatusForbidden, declined("the agent does not answer web pages")
	}
	if came, ok := r.Context().Value(peerKey{}).(seen); ok && !came.socket {
		switch {
		case s.Admit == nil:
			return http.StatusForbidden, declined("the agent answers through its socket only")
		case r.TLS == nil && !staysHere(r):
			return http.StatusForbidden, declined("tokens are not sent without TLS")
		case r.TLS == nil && !loopback.Host(nameIn(r.Host)):
			// A page can make a name of its own lead here (DNS rebinding); it sends that name.
			wrong := declined("the request is for another host than this machine")
			wrong.Remedy = "ask 127.0.0.1 or localhost"
			return http.StatusMisdirectedRequest, wrong
		case s.Certificate != nil && !isNamed(s.Certificate, r.Host):
			wrong := declined("the request is for another host than the agent's certificate")
			wrong.Remedy = "ask by a name or an address that is in the certificate"
			return http.StatusMisdirectedRequest, wrong
		}
	}
	if s.isProxied(r) {
		return 0, nil // whose paths and bodies are the venue's
	}
	if (r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodDelete) && r.ContentLength != 0 && s.isOurs(r) {
		return http.StatusBadRequest, declined("this call takes no body")
	}
	if sent := r.URL.EscapedPath(); sent != "/" && (path.Clean(sent) != strings.TrimSuffix(sent, "/") || sent == "//") {
		return http.StatusNotFound, noSuchPath() // a redirect would be followed by some
	}
	return 0, nil
}

// isProxied reports whether a request is for the proxy.
func (s *Server) isProxied(r *http.Request) bool {
	return s.Proxy != nil && strings.HasPrefix(r.URL.Path, "/proxy/")
}

// staysHere reports whether a request came in by an address that no other machine reaches.
func staysHere(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

// nameIn is the name or address in the field Host, without its port.
func nameIn(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// isOfAPage reports whether a browser sent a request for a page. One that a person typed in has the
// same fields: nothing here is for browsers.
func isOfAPage(r *http.Request) bool {
	for _, field := range [...]string{"Origin", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-Dest"} {
		if len(r.Header[field]) > 0 {
			return true
		}
	}
	return false
}

// isOurs reports whether a request is for the API, and not for a handler beside it.
func (s *Server) isOurs(r *http.Request) bool {
	_, pattern := s.mux.Handler(r)
	return s.routes()[pattern] != nil || pattern == "/"
}

// isNamed reports whether a certificate is for the host of a request, as it is written there: a page
// whose name was made to lead here has another one. A form that only some programs take for the
// same host is another one too.
func isNamed(c *x509.Certificate, host string) bool {
	host = nameIn(host)
	if address, err := netip.ParseAddr(host); err == nil && (address.String() != host || address.Is4In6() || address.IsUnspecified()) {
		return false
	}
	return host != "" && !strings.HasSuffix(host, ".") && c.VerifyHostname(host) == nil
}

// noSuchPath is the answer for a path that the API does not have.
func noSuchPath() *venuekey.Error {
	return &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "API v1 has no such path", Remedy: "see /v1/openapi.json"}
}

// isAbsent reports whether nobody is signed in under an ID, so that nothing is kept of names that
// somebody makes up.
func (s *Server) isAbsent(r *http.Request, id venuekey.ID) bool {
	if s.ring.stateOf(id) != "" {
		return false
	}
	_, err := s.Keeper.Status(r.Context(), id) // which sees what is spilled, too
	return errors.Is(err, venuekey.ErrNotFound)
}

// queryOf reads the query of a request. What cannot be read is a mistake: left out, it could mean more
// than it said, such as the events of all sign-ins, or a revocation.
func queryOf(w http.ResponseWriter, r *http.Request) (query url.Values, ok bool) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		failWith(w, http.StatusBadRequest, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "the query cannot be read", Remedy: "write it as a=b&c=d, with % before what is neither a letter nor a digit"})
	}
	return query, err == nil
}
