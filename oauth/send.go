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

// send.go owns how a request is sent once, and its answer read.

// maxAnswer is how much of an answer is read. Real ones have a few kilobytes.
const maxAnswer = 1 << 20

// Answer is what a venue answered, whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Sent is what the request held in secret, to be struck from whatever is reported of
	// the answer.
	Sent []venuekey.Secret
}

// Send sends one request that may use something up, exactly once, and reads
// the answer. A nil transport is one made for it: no reused connection, no
// second attempt, no redirect.
//
// Errors say whether the request left: NotSent until its first byte, for which
// venuekey.BeforeSending is asked, and Unknown from then on. They never hold the
// request's address, nor what it held in secret. Of an answer that broke off, what came is returned beside the
// error.
//
// Whatever is sent has a secret in it, so plain HTTP is for loopback only, whoever
// made the address.
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
	// Without GetBody net/http has no way to send a body twice.
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

// onceTransport sends a request at most once. net/http repeats a request by
// itself when a connection that it reuses breaks, so none is reused; HTTP/2
// repeats what a server says it did not process, so that is off as well.
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

// sendError strips the address that net/http puts into its errors: a token
// request by GET has its secrets there. The rest passes the gate: a gateway may
// repeat the request in an answer that net/http cannot read, and quotes.
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
		failure.Remedy = "check the address and this machine's clock; if a private authority made it, give that to the app: --ca FILE"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		failure.Reason = fmt.Sprintf("%s did not answer in time", address.Host)
	}
	return failure
}

// badCertificate says what is wrong with a certificate, if that is what an error
// is about. No waiting helps there.
func badCertificate(err error) (reason string, ok bool) {
	if verification, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return verification.Err.Error(), true
	}
	return "", false
}

// Text is the body in UTF-8, without a byte-order mark.
func (a Answer) Text() []byte {
	text, _ := inUTF8(a.Body)
	return text
}

// Fields reads the answer as a JSON object.
func (a Answer) Fields() (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(a.Text(), &fields)
	return fields, err == nil && fields != nil
}
