package oauth

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// meaning.go owns what the errors of a venue mean.

// Meaning says what one of the venue's errors means and what to do about it.
type Meaning struct {
	// Status matches the status of the answer; 0 matches every one, and errors in a redirect.
	Status int `json:"status,omitzero"`
	// Code matches an error code, ignoring case; "" matches every code.
	Code string `json:"code,omitzero"`
	// Text matches an error whose description contains it, ignoring case; "" matches
	// every description.
	Text string `json:"text,omitzero"`
	// Grant limits the match to one grant, "authorization_code" or "refresh_token"; ""
	// matches both, and errors in a redirect.
	Grant string `json:"grant,omitzero"`

	// Class, Reason and Remedy are those of the resulting venuekey.Error. An empty Reason
	// means the venue's description.
	Class  venuekey.Class `json:"class,omitzero"`
	Reason string         `json:"reason,omitzero"`
	Remedy string         `json:"remedy,omitzero"`
}

const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

// standard holds the error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5 and RFC
// 7009 §2.2.1, and other common ones. For a refresh only invalid_grant ends the sign-in;
// any other refusal is taken to concern the app.
var standard = []Meaning{
	{Code: "access_denied", Grant: grantRefresh, Class: venuekey.ClassMisconfigured, Reason: "the venue denies access to the app", Remedy: "compare the app with its registration; if it is right, sign in again"},
	{Code: "access_denied", Class: venuekey.ClassRefused, Reason: "the sign-in was denied", Remedy: "sign in again and allow access"},
	{Code: "invalid_grant", Grant: grantCode, Class: venuekey.ClassRefused, Reason: "the authorization code is unknown, used or too old", Remedy: "sign in again; a code works once, and only for a short time"},
	{Code: "invalid_grant", Grant: grantRefresh, Class: venuekey.ClassRefused, Reason: "the venue no longer accepts the refresh token"},
	{Code: "invalid_client", Class: venuekey.ClassMisconfigured, Reason: "the venue does not accept the client id and secret", Remedy: "compare both with the app's registration"},
	{Code: "unauthorized_client", Class: venuekey.ClassMisconfigured, Reason: "the app may not use this way of signing in", Remedy: "check the app's registration and whether it is approved"},
	{Code: "unsupported_grant_type", Class: venuekey.ClassMisconfigured, Reason: "the venue does not know this grant type", Remedy: "check the token address"},
	{Code: "unsupported_response_type", Class: venuekey.ClassMisconfigured, Reason: "the venue does not issue authorization codes to this app", Remedy: "check the app's registration"},
	{Code: "invalid_scope", Class: venuekey.ClassMisconfigured, Reason: "the venue does not know the scope, or does not give it to this app", Remedy: "check the app's scopes"},
	{Code: "invalid_request", Class: venuekey.ClassMisconfigured, Reason: "the venue does not understand the request", Remedy: "check the app's redirect uri and addresses"},
	{Code: "unsupported_token_type", Class: venuekey.ClassMisconfigured, Reason: "the venue does not revoke this kind of token"},
	{Code: "server_error", Class: venuekey.ClassLater, Reason: "the venue reports an internal error"},
	{Code: "temporarily_unavailable", Class: venuekey.ClassLater, Reason: "the venue is temporarily unavailable"},
	{Code: "slow_down", Class: venuekey.ClassLater, Reason: "the venue was asked too often"},
	{Code: "rate_limit_exceeded", Class: venuekey.ClassLater, Reason: "the venue was asked too often"},
	{Code: "authorization_pending", Class: venuekey.ClassLater, Reason: "the venue is still waiting for the user"},
}

// fault is an error in an answer that may be the venue's own.
type fault struct {
	*venuekey.Error
	// named says that the venue's table or a standard has its code.
	named bool
}

// fault returns the OAuth error in an answer, nil if there is none. Gateways, firewalls
// and maintenance pages write JSON with an "error" too, so a code counts only if the
// venue's table or a standard has it. Another code counts if it is spelled like one and
// comes with the status that errors have at the venue; what it means for a refresh token
// is unknown, so it ends none.
func (c Config) fault(grant string, answer Answer, found finding) *fault {
	if len(found.faults) == 0 {
		return nil
	}
	names := c.Names.withDefaults()
	word := text(found.faults[0], names.Error)
	for _, other := range found.faults[1:] {
		if text(other, names.Error) != word {
			return nil
		}
	}
	description := text(found.faults[0], names.Description)
	wait, _ := retryAfter(answer.Header)
	if known := c.meaning(grant, answer.Status, word, description, answer.Sent); known != nil && (isCode(word) || c.has(word)) {
		known.RetryAfter = wait
		return &fault{known, true}
	}
	if !isCode(word) || answer.Status != http.StatusBadRequest && !(answer.Status == http.StatusOK && c.ErrorsInOK) {
		return nil
	}
	failure := &venuekey.Error{Class: venuekey.ClassRefused, Code: cleanCode(word, answer.Sent), Reason: "the venue refused", RetryAfter: wait}
	if grant == grantRefresh {
		failure.Class, failure.Reason = venuekey.ClassLater, "the venue did not renew the token"
	}
	failure.Reason = inItsWords(failure.Reason, answer.Says(description))
	return &fault{failure, false}
}

// has reports whether the venue's table names a code. A row that matches by its text
// alone names none, because errors from elsewhere may contain the same words.
func (c Config) has(code string) bool {
	return slices.ContainsFunc(c.Meanings, func(m Meaning) bool { return strings.EqualFold(m.Code, code) })
}

// OAuthError returns the OAuth error in the answer to a request, nil if there is none
// that is known to be the venue's. grant is the request's grant_type, or "".
func (c Config) OAuthError(grant string, answer Answer) *venuekey.Error {
	if fault := c.fault(grant, answer, c.find(answer.Body)); fault != nil {
		return fault.Error
	}
	return nil
}

// own returns the error that the venue's Own recognises in an answer, nil if none.
func (c Client) own(grant string, answer Answer) *venuekey.Error {
	fields, ok := answer.Fields()
	if c.Own == nil || !ok {
		return nil
	}
	return c.Own(grant, answer, fields)
}

// meaning looks an error up, first in the venue's table, and returns nil if it is in
// neither. It matches the description before secrets are removed from it, because the
// result must not depend on what a secret looks like.
func (c Config) meaning(grant string, status int, code, description string, sent []venuekey.Secret) *venuekey.Error {
	whole, description := foreign.Fit(description), foreign.LineWithout(description, sent...)
	for _, table := range [][]Meaning{c.Meanings, standard} {
		for _, m := range table {
			if !m.fits(grant, status, code, whole) {
				continue
			}
			reason := orText(m.Reason, description)
			if m.Text == "" && m.Reason != "" {
				reason = inItsWords(reason, description)
			}
			return &venuekey.Error{Class: m.Class, Code: cleanCode(code, sent), Reason: reason, Remedy: m.Remedy}
		}
	}
	return nil
}

// Explain returns the error for a code and a description that are certainly the venue's,
// which is never nil. grant is the request's grant_type or "", status that of the answer
// or 0, and sent the request's secrets, which are removed from the text in case the venue
// repeats them.
func (c Config) Explain(grant string, status int, code, description string, sent []venuekey.Secret) *venuekey.Error {
	if known := c.meaning(grant, status, code, description, sent); known != nil {
		return known
	}
	code, description = cleanCode(code, sent), foreign.LineWithout(description, sent...)
	failure := &venuekey.Error{Class: classOfStatus(status), Code: code, Reason: inItsWords("the venue refused", description)}
	switch {
	case grant == grantRefresh:
		failure.Class, failure.Reason = venuekey.ClassLater, inItsWords("the venue did not renew the token", description)
	case status < 400:
		// An error with status 200 is a definite refusal, though the code is unknown.
		failure.Class = venuekey.ClassRefused
	}
	return failure
}

// inItsWords appends the venue's own words, which are often the only hint at what to fix.
func inItsWords(reason, description string) string {
	if description == "" {
		return reason
	}
	return reason + `: "` + description + `"`
}

func (m Meaning) fits(grant string, status int, code, description string) bool {
	return (m.Status == 0 || m.Status == status) && (m.Code == "" || strings.EqualFold(m.Code, code)) &&
		(m.Text == "" || strings.Contains(strings.ToLower(description), strings.ToLower(m.Text))) &&
		(m.Grant == "" || m.Grant == grant)
}

// isCode reports whether a word is spelled like an error code: all lower or all upper
// case with underscores.
func isCode(word string) bool {
	if word != strings.ToLower(word) && word != strings.ToUpper(word) {
		return false
	}
	return word != "" && strings.Trim(word, "_") == word && strings.Trim(strings.ToLower(word), "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && strings.ContainsFunc(word[:1], unicode.IsLetter)
}

// cleanCode returns an error code if it looks like one.
func cleanCode(code string, sent []venuekey.Secret) string {
	if len(code) > 64 || strings.IndexFunc(code, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.- ", r))
	}) >= 0 {
		return "unreadable code"
	}
	return foreign.LineWithout(code, sent...)
}
