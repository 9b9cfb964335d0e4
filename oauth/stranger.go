package oauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
)

// stranger.go owns what an answer means that is not the venue's own word: a page,
// a gateway's JSON, nothing. Its status says little of what the venue did.

// Stranger is the error for such an answer to a request that may have used
// something up. A 429, and a 503 that says when to come again, were given instead
// of acting; of anything else nobody knows whether the venue acted before it.
func (a Answer) Stranger(address *url.URL) *venuekey.Error {
	failure := a.describe(address)
	failure.Class = venuekey.ClassUnknown
	_, says := retryAfter(a.Header)
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable && says {
		failure.Class = venuekey.ClassLater
	}
	return failure
}

// NotJSON is the error for such an answer to a request that has nothing to lose,
// as a sign-in has not: the class that helps most.
func (a Answer) NotJSON(address *url.URL) *venuekey.Error {
	failure := a.describe(address)
	failure.Class = classOfStatus(a.Status)
	switch {
	case a.redirects():
		failure.Class = venuekey.ClassMisconfigured
	case a.Status < 300:
		// It may have done its work and said so in a way nobody can read.
		failure.Class = venuekey.ClassUnknown
	case a.Status == http.StatusForbidden:
		// A firewall in front of the venue, most often.
		failure.Class = venuekey.ClassLater
	case failure.Class == venuekey.ClassRefused:
		failure.Class = venuekey.ClassMisconfigured
		failure.Remedy = orText(failure.Remedy, "check the address")
	}
	return failure
}

// strange says what came.
func (a Answer) describe(address *url.URL) *venuekey.Error {
	failure := &venuekey.Error{}
	failure.RetryAfter, _ = retryAfter(a.Header)
	switch {
	case a.redirects():
		failure.Reason = fmt.Sprintf("%s redirects token requests to %s", address.Host, a.Says(hostOf(a.Header.Get("Location"))))
		failure.Remedy = "set the address to where it leads, if that is the venue's; redirects are not followed"
	case a.Status == http.StatusTooManyRequests:
		failure.Reason = fmt.Sprintf("%s was asked too often: it answered %s", address.Host, statusText(a.Status))
	case a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed:
		failure.Remedy = "check the address"
		fallthrough
	default:
		failure.Reason = fmt.Sprintf("%s answered %s with %s", address.Host, statusText(a.Status), a.kind())
	}
	return failure
}

// IsPage reports whether an HTML page, or a piece of one, came.
func (a Answer) IsPage() bool {
	return bytes.HasPrefix(bytes.TrimSpace(a.Text()), []byte("<"))
}

func (a Answer) redirects() bool { return a.Status >= 300 && a.Status < 400 }

func statusText(status int) string {
	if name := http.StatusText(status); name != "" {
		return fmt.Sprintf("%d %s", status, name)
	}
	return strconv.Itoa(status)
}

// kind names what came for a person to read, without quoting any of it.
func (a Answer) kind() string {
	body := a.Text()
	start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)]))
	switch {
	case len(start) == 0:
		return "nothing in place of JSON"
	case json.Valid(body):
		return "JSON that holds neither a token nor an OAuth error"
	case a.IsPage():
		return "an HTML page in place of JSON"
	case start[0] == '{' || start[0] == '[':
		return "broken JSON"
	default:
		return "plain text in place of JSON"
	}
}

func hostOf(location string) string {
	address, err := url.Parse(location)
	if err != nil || address.Host == "" {
		return "another address"
	}
	return address.Scheme + "://" + address.Host
}

// classOfStatus is what a status says of a request that has nothing to lose. 502
// and 504 come from something between the venue and us that does not know what the
// venue did.
func classOfStatus(status int) venuekey.Class {
	switch {
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return venuekey.ClassUnknown
	case status == http.StatusTooManyRequests || status == http.StatusLocked || status == http.StatusRequestTimeout || status >= 500:
		return venuekey.ClassLater
	default:
		return venuekey.ClassRefused
	}
}

// longestWait bounds what a Retry-After may ask for.
const longestWait = 24 * time.Hour

// retryAfter reads the Retry-After field (RFC 9110 §10.2.3), and says whether there is
// one. A date is judged by the answer's own, because one of the clocks may be
// wrong.
func retryAfter(header http.Header) (wait time.Duration, ok bool) {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return longestWait, true // it does not fit, so it is more than that
		}
		return min(time.Duration(seconds)*time.Second, longestWait), true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(date.Sub(now), 0), longestWait), true
}
