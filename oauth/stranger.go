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

// stranger.go owns what an answer means that is not the venue's own: a web page, a
// gateway's JSON, an empty body. Its status says little about what the venue did.

// Stranger returns the error for such an answer to a request that may have used something
// up. A 429, and a 503 with Retry-After, were sent instead of acting: ClassLater. For
// anything else it is unknown whether the venue acted first: ClassUnknown.
func (a Answer) Stranger(address *url.URL) *venuekey.Error {
	failure := a.describe(address)
	failure.Class = venuekey.ClassUnknown
	_, says := retryAfter(a.Header)
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable && says {
		failure.Class = venuekey.ClassLater
	}
	return failure
}

// NotJSON returns the error for such an answer to a request that has nothing to lose,
// such as a sign-in. It has the class that helps the user most.
func (a Answer) NotJSON(address *url.URL) *venuekey.Error {
	failure := a.describe(address)
	failure.Class = classOfStatus(a.Status)
	switch {
	case a.redirects():
		failure.Class = venuekey.ClassMisconfigured
	case a.Status < 300:
		// The venue may have acted, and said so in a way that cannot be read.
		failure.Class = venuekey.ClassUnknown
	case a.Status == http.StatusForbidden:
		// Usually a firewall in front of the venue.
		failure.Class = venuekey.ClassLater
	case failure.Class == venuekey.ClassRefused:
		failure.Class = venuekey.ClassMisconfigured
		failure.Remedy = orText(failure.Remedy, "check the address")
	}
	return failure
}

// describe returns an error that says what arrived.
func (a Answer) describe(address *url.URL) *venuekey.Error {
	failure := &venuekey.Error{}
	failure.RetryAfter, _ = retryAfter(a.Header)
	switch {
	case a.redirects():
		failure.Reason = fmt.Sprintf("%s redirects token requests to %s", address.Host, a.Says(hostOf(a.Header.Get("Location"))))
		failure.Remedy = "set the address to the one that it leads to, if that is the venue's; redirects are not followed"
	case a.Status == http.StatusTooManyRequests:
		failure.Reason = fmt.Sprintf("too many requests to %s: it answered %s", address.Host, statusText(a.Status))
	case a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed:
		failure.Remedy = "check the address"
		fallthrough
	default:
		failure.Reason = fmt.Sprintf("%s answered %s with %s", address.Host, statusText(a.Status), a.kind())
	}
	return failure
}

// IsPage reports whether the body is HTML, or a fragment of it.
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

// kind describes the body for a person, without quoting any of it.
func (a Answer) kind() string {
	body := a.Text()
	start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 512)]))
	switch {
	case len(start) == 0:
		return "an empty body in place of JSON"
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

// classOfStatus is what a status means for a request that has nothing to lose. 502 and
// 504 come from an intermediary that does not know what the venue did.
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

// longestWait bounds a Retry-After.
const longestWait = 24 * time.Hour

// retryAfter parses the Retry-After field (RFC 9110 §10.2.3), and reports whether there
// is one. A date is relative to the answer's own Date, because either clock may be wrong.
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
