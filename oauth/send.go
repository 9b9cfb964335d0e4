package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
)

// maxAnswer is how much of an answer is read. Real ones have a few kilobytes.
const maxAnswer = 1 << 20

// Answer is what a venue answered, whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Send sends one request that may use something up, exactly once, and reads
// the answer. A nil transport is one made for it: no reused connection, no
// second attempt, no redirect.
//
// Errors say whether the request left: NotSent where no connection came about,
// Unknown from then on. They never hold the request's address.
func Send(transport http.RoundTripper, request *http.Request) (Answer, error) {
	if transport == nil {
		own := onceTransport()
		defer own.CloseIdleConnections()
		transport = own
	}
	// Without GetBody net/http has no way to send a body twice.
	request.GetBody = nil
	request.Header.Set("Accept", orText(request.Header.Get("Accept"), "application/json"))
	request.Header.Set("User-Agent", orText(request.Header.Get("User-Agent"), "venuekey"))
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))

	response, err := transport.RoundTrip(request)
	if err != nil {
		return Answer{}, sendError(request.URL, connected.Load(), err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return Answer{}, sendError(request.URL, true, fmt.Errorf("the answer broke off: %w", err))
	}
	if len(body) > maxAnswer {
		return Answer{}, &venuekey.Error{Class: venuekey.Unknown, Reason: fmt.Sprintf("the answer of %s is larger than %d bytes", request.URL.Host, maxAnswer)}
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// onceTransport sends a request at most once. net/http repeats a request by
// itself when a connection that it reuses breaks, so none is reused; HTTP/2
// repeats what a server says it did not process, so that is off as well.
func onceTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DisableKeepAlives:      true,
		Protocols:              protocols,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// sendError strips the address that net/http puts into its errors: a token
// request by GET has its secrets there.
func sendError(address *url.URL, connected bool, err error) *venuekey.Error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	failure := &venuekey.Error{Class: venuekey.NotSent, Err: err, Reason: fmt.Sprintf("%s was not reached: %v", address.Host, err)}
	if connected {
		failure.Class = venuekey.Unknown
		failure.Reason = fmt.Sprintf("%s was reached, but no answer could be read: %v", address.Host, err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		failure.Reason = fmt.Sprintf("%s did not answer in time", address.Host)
	}
	return failure
}

// Fields reads the answer as a JSON object.
func (a Answer) Fields() (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(a.Body, &fields)
	return fields, err == nil && fields != nil
}

// NotJSON says what came in place of the JSON that was due, and what that
// means for the request.
func (a Answer) NotJSON(address *url.URL) *venuekey.Error {
	failure := &venuekey.Error{Class: classOfStatus(a.Status), RetryAfter: retryAfter(a.Header, time.Now())}
	what := fmt.Sprintf("%s answered %d with %s in place of JSON", address.Host, a.Status, a.kind())
	switch {
	case a.Status >= 300 && a.Status < 400:
		failure.Class = venuekey.Wrong
		what = fmt.Sprintf("%s redirects token requests to %s", address.Host, hostOf(a.Header.Get("Location")))
		failure.Remedy = "set the address to where it leads, if that is the venue's; redirects are not followed"
	case a.Status < 300:
		// It may have done its work and said so in a way nobody can read.
		failure.Class = venuekey.Unknown
	case a.Status == http.StatusForbidden:
		// A firewall in front of the venue, most often.
		failure.Class = venuekey.Later
	case failure.Class == venuekey.Refused:
		failure.Class = venuekey.Wrong
		failure.Remedy = "check the address"
	}
	failure.Reason = what
	return failure
}

// unread reports whether nobody at the address read the request.
func (a Answer) unread() bool {
	_, isJSON := a.Fields()
	return !isJSON && (a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed)
}

func (a Answer) kind() string {
	start := bytes.ToLower(bytes.TrimSpace(a.Body[:min(len(a.Body), 512)]))
	switch {
	case len(start) == 0:
		return "nothing"
	case bytes.HasPrefix(start, []byte("<")):
		return "an HTML page"
	case start[0] == '{' || start[0] == '[':
		return "broken JSON"
	default:
		return fmt.Sprintf("%d bytes of something else", len(a.Body))
	}
}

func hostOf(location string) string {
	address, err := url.Parse(location)
	if err != nil || address.Host == "" {
		return "another address"
	}
	return address.Scheme + "://" + address.Host
}
