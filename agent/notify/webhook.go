package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/loopback"
)

// webhook.go owns one attempt to deliver a notice over the web.

const (
	// attemptLimit is how long one attempt may take.
	attemptLimit = 15 * time.Second
	// longestAnswer is how much of an answer is read.
	longestAnswer = 4 << 10
	// longestPause bounds how long an endpoint may ask to be left alone.
	longestPause = time.Hour
)

// Address is where notices are sent. It prints as scheme and host alone: whatever else is in
// it may be a secret, as many services put one into the path.
type Address struct{ full func() *url.URL }

// ParseAddress reads an address. It is https, or http to this very machine.
func ParseAddress(text string) (Address, error) {
	wrong := func(reason string) (Address, error) {
		return Address{}, &venuekey.Error{Op: "webhook", Class: venuekey.ClassMisconfigured, Reason: reason, Remedy: "an address such as https://hooks.example.com/venuekey"}
	}
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return wrong("the address of the webhook cannot be read") // without it: it may hold a secret
	case u.Fragment != "":
		return wrong("the address of the webhook has a fragment, which is never sent")
	case u.Scheme == "http" && !loopback.Host(u.Hostname()):
		return wrong("the address of the webhook is plain http, which is for this machine only")
	case u.Scheme != "https" && u.Scheme != "http":
		return wrong("the address of the webhook is neither https nor http")
	}
	return Address{func() *url.URL { return u }}, nil
}

// HasPassword reports whether there is a password in the address.
func (a Address) HasPassword() bool {
	if a.full == nil {
		return false
	}
	_, has := a.full().User.Password()
	return has
}

// String is the address without whatever may be a secret.
func (a Address) String() string {
	if a.full == nil {
		return ""
	}
	return foreign.Fit(a.full().Scheme + "://" + a.full().Host)
}

// secrets are the parts of the address that are struck from what comes back.
func (a Address) secrets() (all []venuekey.Secret) {
	u := a.full()
	password, _ := u.User.Password()
	parts := []string{u.User.Username(), password, u.RawQuery}
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	for _, part := range append(parts, strings.Split(u.Path, "/")...) {
		if len(part) >= 8 || part == password && part != "" { // shorter ones are words
			all = append(all, venuekey.Secret(part))
		}
	}
	return all
}

// Webhook is an endpoint on the web that takes notices.
type Webhook struct {
	Address Address
	// Key signs each request; see Verify.
	Key venuekey.Secret
	// Transport sends; nil is one of its own, which keeps no connection.
	Transport http.RoundTripper
}

// Format implements fmt.Formatter: a Webhook prints as its address, as that prints.
func (w Webhook) Format(f fmt.State, _ rune) { fmt.Fprint(f, "notify.Webhook("+w.Address.String()+")") }

// Outcome is what became of one attempt.
type Outcome struct {
	// Status is that of the answer; 0 if there was none.
	Status int
	// Why is what went wrong, in one line; "" if the notice was delivered.
	Why string
	// Final says that another attempt would not help.
	Final bool
	// RetryAfter is how long the endpoint asked to be left alone.
	RetryAfter time.Duration
}

// Delivered reports whether the endpoint took the notice.
func (o Outcome) Delivered() bool { return o.Why == "" }

// Post sends a notice once. It follows no redirect.
func (w Webhook) Post(ctx context.Context, n Notice) Outcome {
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	request, err := w.request(ctx, n)
	if err != nil {
		return Outcome{Why: w.clean(err.Error()), Final: true}
	}
	transport := w.Transport
	if transport == nil {
		once := newTransport()
		defer once.CloseIdleConnections()
		transport = once
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return Outcome{Why: w.unreached(err)}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if response.StatusCode/100 == 2 { // it was taken, whatever became of the rest of the answer
		return Outcome{Status: response.StatusCode}
	}
	if err != nil {
		text = nil
	}
	return w.judge(response, text)
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// request makes a request, signed at this moment.
func (w Webhook) request(ctx context.Context, n Notice) (*http.Request, error) {
	if w.Address.full == nil || len(w.Key) < leastKey {
		return nil, errors.New("the webhook has no address, or no key")
	}
	body, err := json.Marshal(n)
	if err != nil {
		return nil, err
	}
	to := *w.Address.full()
	user := to.User
	to.User = nil
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.GetBody = nil // net/http sends it once
	if user != nil {
		password, _ := user.Password()
		request.SetBasicAuth(user.Username(), password)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "venuekey")
	request.Header.Set(HeaderDelivery, n.Delivery)
	request.Header.Set(HeaderSignature, sign(w.Key, body, time.Now()))
	return request, nil
}

// judge says what an answer means that is no success.
func (w Webhook) judge(response *http.Response, text []byte) Outcome {
	status := response.StatusCode
	o := Outcome{Status: status, Why: fmt.Sprintf("%s answers %d %s", w.Address, status, http.StatusText(status))}
	switch {
	case status/100 == 3:
		o.Final, o.Why = true, o.Why+", which is not followed; name the address that it leads to"
		return o
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status/100 == 5:
		o.RetryAfter = retryAfter(response.Header.Get("Retry-After"), time.Now())
	default:
		o.Final = true
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if kind == "text/html" { // a page says nothing in its first line
		o.Why += " with a web page"
	} else if said := w.clean(string(text)); said != "" {
		o.Why += ": " + said
	}
	return o
}

// retryAfter reads the field of that name (RFC 9110 §10.2.3).
func retryAfter(field string, now time.Time) time.Duration {
	pause := time.Duration(0)
	if seconds, err := strconv.ParseInt(strings.TrimSpace(field), 10, 32); err == nil {
		pause = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(field); err == nil {
		pause = at.Sub(now)
	}
	return min(max(pause, 0), longestPause)
}

// unreached says why there was no answer.
func (w Webhook) unreached(err error) string {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s did not answer in time", w.Address)
	case errors.Is(err, context.Canceled):
		return "this program ended before the answer came"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("%s closed the connection without an answer", w.Address)
	}
	return fmt.Sprintf("%s was not reached: %s", w.Address, w.clean(err.Error()))
}

// clean makes what came back fit for a log: one line, and nothing of the address, the key or
// what looks like a token.
func (w Webhook) clean(text string) string {
	if w.Address.full == nil {
		return foreign.Line(text)
	}
	return foreign.LineWithout(text, append(w.Address.secrets(), w.Key)...)
}
