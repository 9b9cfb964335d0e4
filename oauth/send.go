package oauth

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// send.go owns how a request is sent once, and how its answer is read.

// maxAnswer is how many bytes of an answer are read. Real ones have a few kilobytes.
const maxAnswer = 1 << 20

// Answer is a complete answer of a venue.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Sent are the secrets in the request, which are removed from everything that is
	// reported about the answer.
	Sent []venuekey.Secret
}

// Send sends a request that may use something up, exactly once, and reads the answer.
// With a nil transport it uses a fresh one: no reused connection, no second attempt, no
// redirect.
//
// Errors say whether the request left. They are of ClassNotSent until its first byte is
// about to be written, just before which venuekey.BeforeSending is called, and of
// ClassUnknown after that. They contain neither the request's URL nor its secrets. If an
// answer broke off, the part that arrived is returned with the error.
//
// Every request is assumed to carry a secret, so plain HTTP is refused except to loopback
// addresses.
func Send(transport http.RoundTripper, request *http.Request) (Answer, error) {
	if err := secure("venue's", request.URL); err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithCancel(request.Context())
	defer cancel()
	g := &gate{check: func() error { return venuekey.BeforeSending(ctx) }}
	once, own := madeFor(transport, g)
	if own {
		defer once.CloseIdleConnections()
		transport = once
	} else if g.blind = request.Body == nil || request.Body == http.NoBody; !g.blind {
		request.Body = gatedBody{request.Body, g}
	}
	secrets := secretsIn(request)
	// Without GetBody net/http cannot send a body twice.
	request.GetBody = nil
	request.Header.Set("Accept", orText(request.Header.Get("Accept"), "application/json"))
	request.Header.Set("User-Agent", orText(request.Header.Get("User-Agent"), "venuekey"))
	request = request.WithContext(httptrace.WithClientTrace(ctx, g.trace(own, cancel)))

	response, err := transport.RoundTrip(request)
	if refusal := g.refusal(); refusal != nil {
		if err == nil {
			response.Body.Close()
		}
		return Answer{}, refusal
	}
	if err != nil {
		return Answer{}, sendError(request.URL, secrets, g.sent(), err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	answer := Answer{Status: response.StatusCode, Header: response.Header, Body: body, Sent: secrets}
	if err != nil {
		return answer, sendError(request.URL, secrets, true, fmt.Errorf("the answer broke off: %w", err))
	}
	if len(body) > maxAnswer {
		return answer, &venuekey.Error{Class: venuekey.ClassUnknown, Reason: fmt.Sprintf("the answer of %s is larger than %d bytes", request.URL.Host, maxAnswer)}
	}
	return answer, nil
}

// onceTransport returns a transport that sends a request at most once. net/http repeats a
// request when a reused connection breaks, so none is reused; with HTTP/2 it repeats what
// a server says it did not process, so HTTP/2 is off.
func onceTransport(g *gate) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: 30 * time.Second}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return gatedConn{conn, g}, nil
		},
		Proxy:                  http.ProxyFromEnvironment,
		DisableKeepAlives:      true,
		Protocols:              protocols,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// sendError removes the URL that net/http puts into its errors: a token request by GET
// has its secrets there. Secrets are removed from the rest too, because net/http quotes
// an answer that it cannot read, and a gateway may repeat the request in one.
func sendError(address *url.URL, secrets []venuekey.Secret, sent bool, err error) *venuekey.Error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	err = foreign.ErrorWithout(err, secrets...)
	failure := &venuekey.Error{Class: venuekey.ClassNotSent, Err: err, Reason: fmt.Sprintf("%s was not reached: %v", address.Host, err)}
	if sent {
		failure.Class = venuekey.ClassUnknown
		failure.Reason = fmt.Sprintf("%s was reached, but no answer could be read: %v", address.Host, err)
	}
	if sent && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) { // "EOF" is no word for a person
		failure.Reason = fmt.Sprintf("%s was reached, and closed the connection without a whole answer", address.Host)
	}
	if name, ok := badCertificate(err); ok && !sent {
		failure.Class = venuekey.ClassMisconfigured
		failure.Reason = fmt.Sprintf("the certificate of %s does not verify: %s", address.Host, foreign.LineWithout(name, secrets...))
		failure.Remedy = "check the address and this machine's clock; if a private authority issued the certificate, give its own to the app: --ca FILE"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		failure.Reason = fmt.Sprintf("%s did not answer in time", address.Host)
	}
	return failure
}

// badCertificate returns what is wrong with a certificate, if err is about that. Waiting
// does not help then.
func badCertificate(err error) (reason string, ok bool) {
	if verification, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return verification.Err.Error(), true
	}
	return "", false
}

// Text returns the body as UTF-8, without a byte-order mark.
func (a Answer) Text() []byte {
	text, _ := inUTF8(a.Body)
	return text
}

// Fields parses the body as a JSON object, and reports whether it is one.
func (a Answer) Fields() (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(a.Text(), &fields)
	return fields, err == nil && fields != nil
}
