package agent

import (
	"context"
	"crypto/x509"
	"maps"
	"net"
	"net/http"
	"slices"

	"github.com/venuekey/venuekey"
)

// AsAnotherUser has a server take whoever connects for another user than its own.
func AsAnotherUser(c net.Conn) context.Context { return withPeer(context.Background(), c, -7) }

// FailureOf reads an answer, as a client does.
func FailureOf(status int, text []byte) *venuekey.Error { return failureOf(status, text) }

// RoundTrip sends a status over the wire and back.
func RoundTrip(s venuekey.Status) venuekey.Status { return signInFormOf(s).status() }

// Forget has a source ask the agent the next time.
func (s *Source) Forget() {
	last := *s.last.Load()
	last.until = last.token.Issued
	s.last.Store(&last)
}

// Patterns are the calls that a server has.
func Patterns() []string { return slices.Sorted(maps.Keys(new(Server).routes())) }

// EventOf reads an event, as a client does.
func EventOf(data []byte) (Event, bool) { return eventOf(data) }

// Over is the server that Serve makes, for connections of a test's own.
func (s *Server) Over(ctx context.Context) *http.Server {
	s.init()
	server := s.over(ctx, new(crowd))
	server.ConnContext = nil
	return server
}

// Limited is a listener as Serve limits it for a process that may have so many files open, and what is told
// of connections that end.
func Limited(l net.Listener, files int) (net.Listener, func(net.Conn)) {
	var open crowd
	return open.limited(l, files), func(c net.Conn) { open.changed(c, http.StateClosed) }
}

// IsNamed reports whether a certificate is for the host of a request.
func IsNamed(c *x509.Certificate, host string) bool { return isNamed(c, host) }
