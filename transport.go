package venuekey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/loopback"
)

// transport.go owns signing the requests of an http.Client.

// Transport is an http.RoundTripper that signs requests: it adds the bearer token
// (RFC 6750 §2.1) and the header fields that the venue requires on API calls (Signer). A
// request that is answered with 401 is sent once more with another token, if its body
// can be read again (http.Request.GetBody). One that is answered with insufficient_scope,
// whatever the status, is not: the token is good, and another one of the same sign-in may
// do no more (RFC 6750 §3.1). RefusalOf says what a response means for the token.
//
// The token goes only to the host that the program addressed: not along a redirect to
// another host, and over plain HTTP only to loopback.
type Transport struct {
	// Source provides the token: a *Source, or one of an agent. It is required.
	Source Tokens
	// Hosts, unless empty, lists the only hosts that the token may go to, as URLs
	// have them, host or host:port; a request to any other is an error. Set it if a
	// program follows addresses from elsewhere (RFC 6750 §5.2, RFC 9700 §4.9.1).
	Hosts []string
	// Base sends the requests; nil means http.DefaultTransport.
	Base http.RoundTripper
}

// Tokens is what hands out the token of one sign-in: a *Source, or a source of another
// program's agent.
type Tokens interface {
	// ID returns the ID of the sign-in.
	ID() ID
	// Token returns a good token.
	Token(ctx context.Context) (*Token, error)
	// Reject reports an access token that the venue did not accept, and returns another.
	Reject(ctx context.Context, access Secret) (*Token, error)
	// Sign signs a request with a token: it sets header fields, as the venue requires.
	Sign(token *Token, request *http.Request)
}

// Sign implements Tokens, by the venue's Signer if it is one.
func (s *Source) Sign(token *Token, request *http.Request) {
	venue, err := s.keeper.Venue(s.id.Venue)
	if signer, ok := venue.(Signer); ok && err == nil {
		signer.Sign(*token, request)
		return
	}
	token.SetAuthHeader(request)
}

// Client returns an HTTP client that signs its requests; see Transport.
func (s *Source) Client() *http.Client { return &http.Client{Transport: &Transport{Source: s}} }

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if leadsAway(request) {
		return t.base().RoundTrip(request)
	}
	if !private(request.URL) {
		closeBody(request)
		return nil, fmt.Errorf("%s: the token is not sent over plain HTTP to %s", t.Source.ID(), request.URL.Host)
	}
	if !t.intended(request.URL.Host) {
		closeBody(request)
		return nil, fmt.Errorf("%s: the token is not sent to %s, which is not one of the hosts that it is for", t.Source.ID(), request.URL.Host)
	}
	token, err := t.Source.Token(request.Context())
	if err != nil {
		closeBody(request)
		return nil, err
	}
	response, err := t.base().RoundTrip(t.signed(request, request.Body, token))
	if err != nil {
		// An answer that net/http cannot read is quoted, and may repeat the request.
		return response, foreign.ErrorWithout(err, token.Access)
	}
	if response.StatusCode != http.StatusUnauthorized || lacksScope(response) {
		return response, nil
	}
	return t.again(request, response, token), nil
}

// again sends a refused request once more with another token. If that is not possible,
// the caller gets the venue's own refusal, and RefusalOf says why.
func (t *Transport) again(request *http.Request, refused *http.Response, token *Token) *http.Response {
	body, ok := replay(request)
	if !ok {
		return refused
	}
	newer, err := t.Source.Reject(request.Context(), token.Access)
	if err != nil {
		return because(refused, err)
	}
	if newer.Access == token.Access {
		return refused
	}
	response, err := t.base().RoundTrip(t.signed(request, body, newer))
	if err != nil {
		return refused
	}
	_, _ = io.CopyN(io.Discard, refused.Body, 4<<10)
	refused.Body.Close()
	return response
}

type refusalKey struct{}

// because attaches to a refusal what the Keeper found out about it: the token is dead, or good
// and something is denied to it, or the venue could not be asked.
func because(refused *http.Response, err error) *http.Response {
	var known *Error
	if errors.As(err, &known) && refused.Request != nil {
		refused.Request = refused.Request.WithContext(context.WithValue(refused.Request.Context(), refusalKey{}, known))
	}
	return refused
}

// signed returns a signed copy of the request, since a RoundTripper must not change the
// original.
func (t *Transport) signed(request *http.Request, body io.ReadCloser, token *Token) *http.Request {
	signed := request.Clone(request.Context())
	signed.Body = body
	t.Source.Sign(token, signed)
	return signed
}

// intended reports whether the token may go to a host.
func (t *Transport) intended(host string) bool {
	return len(t.Hosts) == 0 || slices.ContainsFunc(t.Hosts, func(one string) bool { return strings.EqualFold(one, host) })
}

func (t *Transport) base() http.RoundTripper {
	if t.Base != nil {
		return t.Base
	}
	return http.DefaultTransport
}

// replay returns the body of a request once more, if that is possible.
func replay(request *http.Request) (io.ReadCloser, bool) {
	if request.Body == nil || request.Body == http.NoBody {
		return request.Body, true
	}
	if request.GetBody == nil {
		return nil, false
	}
	body, err := request.GetBody()
	return body, err == nil
}

// leadsAway reports whether a redirect led the request away from the host that
// the program addressed.
func leadsAway(request *http.Request) bool {
	first := request
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return !strings.EqualFold(first.URL.Host, request.URL.Host) || first.URL.Scheme == "https" && request.URL.Scheme != "https"
}

// private reports whether no one else can read what is sent to an address.
func private(address *url.URL) bool {
	return address.Scheme == "https" || loopback.Host(address.Hostname())
}

func closeBody(request *http.Request) {
	if request.Body != nil {
		request.Body.Close()
	}
}
