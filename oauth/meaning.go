package oauth

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/venuekey/venuekey"
)

// Meaning is what an error of a venue means and what to do about it.
type Meaning struct {
	// Code fits an error code, in any case; "" fits every code.
	Code string
	// Text fits an error whose description holds it, in any case; "" fits every
	// description.
	Text string
	// Grant fits one grant only, "authorization_code" or "refresh_token"; ""
	// fits both.
	Grant string

	Class  venuekey.Class
	Reason string
	Remedy string
}

const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

// standard is what RFC 6749 §4.1.2.1 and §5.2 say of their error codes.
var standard = []Meaning{
	{Code: "access_denied", Class: venuekey.Refused, Reason: "the sign-in was denied", Remedy: "sign in again and allow access"},
	{Code: "invalid_grant", Grant: grantCode, Class: venuekey.Refused, Reason: "the authorization code is unknown, used or too old", Remedy: "sign in again; the code must be exchanged while it lives, and once"},
	{Code: "invalid_grant", Grant: grantRefresh, Class: venuekey.Refused, Reason: "the venue does not accept the refresh token any more"},
	{Code: "invalid_client", Class: venuekey.Wrong, Reason: "the venue does not accept the client id and secret", Remedy: "compare both with the app's registration"},
	{Code: "unauthorized_client", Class: venuekey.Wrong, Reason: "the app may not use this way of signing in", Remedy: "check the app's registration and whether it is approved"},
	{Code: "unsupported_grant_type", Class: venuekey.Wrong, Reason: "the venue does not know this grant type", Remedy: "check the token address"},
	{Code: "unsupported_response_type", Class: venuekey.Wrong, Reason: "the venue does not give authorization codes to this app", Remedy: "check the app's registration"},
	{Code: "invalid_scope", Class: venuekey.Wrong, Reason: "the venue does not know the scope, or does not give it to this app", Remedy: "check the app's scopes"},
	{Code: "invalid_request", Class: venuekey.Wrong, Reason: "the venue does not understand the request", Remedy: "check the app's redirect uri and addresses"},
	{Code: "server_error", Class: venuekey.Later, Reason: "the venue has an error of its own"},
	{Code: "temporarily_unavailable", Class: venuekey.Later, Reason: "the venue is temporarily unavailable"},
}

// Explain makes an error of what a venue answered. The secrets that were sent
// are struck from its words, in case it repeats them.
func (c Config) Explain(grant string, status int, code, description string, sent []venuekey.Secret) *venuekey.Error {
	code, description = cleanCode(code, sent), cleanText(description, sent)
	for _, table := range [][]Meaning{c.Meanings, standard} {
		for _, m := range table {
			if m.fits(grant, code, description) {
				return &venuekey.Error{Class: m.Class, Code: code, Reason: orText(m.Reason, description), Remedy: m.Remedy}
			}
		}
	}
	failure := &venuekey.Error{Class: classOfStatus(status), Code: code, Reason: "the venue refused: " + orText(description, "it does not say why")}
	if status < 400 {
		// An error inside a 200 is a definite no, in words that we do not know.
		failure.Class = venuekey.Refused
	}
	return failure
}

func (m Meaning) fits(grant, code, description string) bool {
	return (m.Code == "" || strings.EqualFold(m.Code, code)) &&
		(m.Text == "" || strings.Contains(strings.ToLower(description), strings.ToLower(m.Text))) &&
		(m.Grant == "" || m.Grant == grant)
}

// classOfStatus is what a status says when nothing else does. 502 and 504 come
// from something between the venue and us that does not know what the venue
// did; the other 5xx are the venue's word that it did not grant.
func classOfStatus(status int) venuekey.Class {
	switch {
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return venuekey.Unknown
	case status == http.StatusTooManyRequests || status == http.StatusLocked || status == http.StatusRequestTimeout || status >= 500:
		return venuekey.Later
	default:
		return venuekey.Refused
	}
}

// cleanCode keeps an error code if it looks like one.
func cleanCode(code string, sent []venuekey.Secret) string {
	if len(code) > 64 || strings.IndexFunc(code, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.- ", r))
	}) >= 0 {
		return "unreadable code"
	}
	return cleanText(code, sent)
}

// cleanText makes a venue's words fit for a log line: one line, not long,
// printable, without anything secret that we sent.
func cleanText(text string, sent []venuekey.Secret) string {
	for _, secret := range sent {
		if len(secret) >= 4 {
			text = strings.ReplaceAll(text, string(secret), "[secret]")
		}
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 160 {
		text = string(runes[:160]) + "…"
	}
	return strings.TrimSpace(text)
}

// retryAfter reads the Retry-After field (RFC 9110 §10.2.3), at most a day.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if text == "" {
		return 0
	}
	wait, err := time.ParseDuration(text + "s")
	if err != nil {
		date, err := http.ParseTime(text)
		if err != nil {
			return 0
		}
		wait = date.Sub(now)
	}
	return min(max(wait, 0), 24*time.Hour)
}
