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

// Meaning is what an error of a venue means and what to do about it.
type Meaning struct {
	// Code fits an error code, in any case; "" fits every code.
	Code string `json:"code,omitzero"`
	// Text fits an error whose description holds it, in any case; "" fits every
	// description.
	Text string `json:"text,omitzero"`
	// Grant fits one grant only, "authorization_code" or "refresh_token"; ""
	// fits both, and what a redirect brings back.
	Grant string `json:"grant,omitzero"`

	Class  venuekey.Class `json:"class,omitzero"`
	Reason string         `json:"reason,omitzero"`
	Remedy string         `json:"remedy,omitzero"`
}

const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

// standard is what RFC 6749 §4.1.2.1 and §5.2 say of their error codes, RFC 8628
// §3.5 and RFC 7009 §2.2.1 of theirs, and what else is common. For a
// refresh only invalid_grant is a death; in doubt a refusal is the app's.
var standard = []Meaning{
	{Code: "access_denied", Grant: grantRefresh, Class: venuekey.ClassMisconfigured, Reason: "the venue denies access to the app", Remedy: "compare the app with its registration; if it is right, sign in again"},
	{Code: "access_denied", Class: venuekey.ClassRefused, Reason: "the sign-in was denied", Remedy: "sign in again and allow access"},
	{Code: "invalid_grant", Grant: grantCode, Class: venuekey.ClassRefused, Reason: "the authorization code is unknown, used or too old", Remedy: "sign in again; the code must be exchanged while it lives, and once"},
	{Code: "invalid_grant", Grant: grantRefresh, Class: venuekey.ClassRefused, Reason: "the venue does not accept the refresh token any more"},
	{Code: "invalid_client", Class: venuekey.ClassMisconfigured, Reason: "the venue does not accept the client id and secret", Remedy: "compare both with the app's registration"},
	{Code: "unauthorized_client", Class: venuekey.ClassMisconfigured, Reason: "the app may not use this way of signing in", Remedy: "check the app's registration and whether it is approved"},
	{Code: "unsupported_grant_type", Class: venuekey.ClassMisconfigured, Reason: "the venue does not know this grant type", Remedy: "check the token address"},
	{Code: "unsupported_response_type", Class: venuekey.ClassMisconfigured, Reason: "the venue does not give authorization codes to this app", Remedy: "check the app's registration"},
	{Code: "invalid_scope", Class: venuekey.ClassMisconfigured, Reason: "the venue does not know the scope, or does not give it to this app", Remedy: "check the app's scopes"},
	{Code: "invalid_request", Class: venuekey.ClassMisconfigured, Reason: "the venue does not understand the request", Remedy: "check the app's redirect uri and addresses"},
	{Code: "unsupported_token_type", Class: venuekey.ClassMisconfigured, Reason: "the venue does not revoke this kind of token"},
	{Code: "server_error", Class: venuekey.ClassLater, Reason: "the venue has an error of its own"},
	{Code: "temporarily_unavailable", Class: venuekey.ClassLater, Reason: "the venue is temporarily unavailable"},
	{Code: "slow_down", Class: venuekey.ClassLater, Reason: "the venue was asked too often"},
	{Code: "rate_limit_exceeded", Class: venuekey.ClassLater, Reason: "the venue was asked too often"},
	{Code: "authorization_pending", Class: venuekey.ClassLater, Reason: "the venue still waits for the user"},
}

// fault is an error in an answer that may be the venue's own word.
type fault struct {
	*venuekey.Error
	// named says that the venue's table or a standard has the code.
	named bool
}

// fault finds the OAuth error in an answer, nil if there is none. A gateway, a
// firewall or a maintenance page writes JSON with an "error" too, so a word counts
// only if the venue's table or a standard has it. Any other counts if it is
// written like one and comes with the status that errors have there; nobody knows
// what it says of a refresh token, so it ends none.
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
	if known := c.meaning(grant, word, description, answer.Sent); known != nil && (isCode(word) || c.has(word)) {
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

// has reports whether the venue's table names a code. A row that fits by its text
// alone names none: what strangers write may hold the same words.
func (c Config) has(code string) bool {
	return slices.ContainsFunc(c.Meanings, func(m Meaning) bool { return strings.EqualFold(m.Code, code) })
}

// OAuthError finds the OAuth error in an answer, as fault does.
func (c Config) OAuthError(grant string, answer Answer) *venuekey.Error {
	if fault := c.fault(grant, answer, c.find(answer.Body)); fault != nil {
		return fault.Error
	}
	return nil
}

// own is what the venue says in words of its own.
func (c Client) own(grant string, answer Answer) *venuekey.Error {
	fields, ok := answer.Fields()
	if c.Own == nil || !ok {
		return nil
	}
	return c.Own(grant, answer, fields)
}

// meaning looks an error up, first in the venue's table. Nil means that neither
// has it. What the words mean is judged before anything is struck from them: it must
// not depend on what a secret looks like.
func (c Config) meaning(grant, code, description string, sent []venuekey.Secret) *venuekey.Error {
	whole, description := foreign.Fit(description), foreign.LineWithout(description, sent...)
	for _, table := range [][]Meaning{c.Meanings, standard} {
		for _, m := range table {
			if !m.fits(grant, code, whole) {
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

// Explain makes an error of words that are the venue's own for sure. The secrets
// that were sent are struck from them, in case it repeats them.
func (c Config) Explain(grant string, status int, code, description string, sent []venuekey.Secret) *venuekey.Error {
	if known := c.meaning(grant, code, description, sent); known != nil {
		return known
	}
	code, description = cleanCode(code, sent), foreign.LineWithout(description, sent...)
	failure := &venuekey.Error{Class: classOfStatus(status), Code: code, Reason: inItsWords("the venue refused", description)}
	switch {
	case grant == grantRefresh:
		failure.Class, failure.Reason = venuekey.ClassLater, inItsWords("the venue did not renew the token", description)
	case status < 400:
		// An error inside a 200 is a definite no, in words that we do not know.
		failure.Class = venuekey.ClassRefused
	}
	return failure
}

// inItsWords adds what the venue says itself, which is often the only hint at
// what to mend.
func inItsWords(reason, description string) string {
	if description == "" {
		return reason
	}
	return reason + `: "` + description + `"`
}

func (m Meaning) fits(grant, code, description string) bool {
	return (m.Code == "" || strings.EqualFold(m.Code, code)) &&
		(m.Text == "" || strings.Contains(strings.ToLower(description), strings.ToLower(m.Text))) &&
		(m.Grant == "" || m.Grant == grant)
}

// isCode reports whether a word is written as error codes are: in lower or upper
// case with underscores.
func isCode(word string) bool {
	if word != strings.ToLower(word) && word != strings.ToUpper(word) {
		return false
	}
	return word != "" && strings.Trim(word, "_") == word && strings.Trim(strings.ToLower(word), "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && strings.ContainsFunc(word[:1], unicode.IsLetter)
}

// cleanCode keeps an error code if it looks like one.
func cleanCode(code string, sent []venuekey.Secret) string {
	if len(code) > 64 || strings.IndexFunc(code, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.- ", r))
	}) >= 0 {
		return "unreadable code"
	}
	return foreign.LineWithout(code, sent...)
}
