package oauth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// answer.go owns how a token is read from the answer to a token request.

// token reads the answer to a token request (RFC 6749 §5). A token in it is kept,
// whatever the status and whatever surrounds it: the venue has issued it, and the
// previous one is dead.
func (c Client) token(answer Answer, address *url.URL, form url.Values, sent time.Time) (venuekey.Token, error) {
	found := c.find(answer.Body)
	fault := c.fault(form.Get("grant_type"), answer, found)
	switch {
	case len(found.grants) > 1:
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassUnknown, Reason: fmt.Sprintf("the answer holds %d different tokens, and it is unclear which one is meant", len(found.grants))}
	case len(found.grants) == 1 && (fault == nil || !fault.named || c.rotates(found.grants[0], form)):
		return c.usable(answer, found, form.Get("refresh_token"), sent)
	case fault != nil:
		return venuekey.Token{}, fault.Error
	}
	if own := c.own(form.Get("grant_type"), answer); own != nil {
		return venuekey.Token{}, own
	}
	if form.Get("grant_type") == grantRefresh {
		return venuekey.Token{}, answer.Stranger(address)
	}
	return venuekey.Token{}, answer.NotJSON(address)
}

// fromBrokenAnswer takes a token out of an answer that broke off: the connection may have
// ended, or the stated length been wrong, after the JSON was complete.
func (c Config) fromBrokenAnswer(answer Answer, sent time.Time, way Way, failure error) (venuekey.Token, error) {
	found := c.find(answer.Body)
	if len(found.grants) != 1 || len(found.faults) > 0 {
		return venuekey.Token{}, failure
	}
	found.notes = append(found.notes, "the answer broke off after its token")
	token, err := c.usable(answer, found, "", sent)
	if err != nil {
		return venuekey.Token{}, failure
	}
	token.Learned = way.Learned
	return token, nil
}

// rotates reports whether an object holds another refresh token than the one that was
// presented. It decides about an answer with both an error and a token. A new refresh
// token was issued for us, so the old one is used up whatever else the answer says.
// Without one the error stands: the access token may be an echo, and nothing is lost,
// because the refresh token at hand is still the latest.
func (c Config) rotates(grant map[string]json.RawMessage, form url.Values) bool {
	refresh, _ := tokenText(grant, c.Names.withDefaults().Refresh)
	return refresh != "" && refresh != form.Get("refresh_token")
}

// usable returns the token in an answer without the parts that cannot be used: an access
// token with characters that no token has, which could inject more than a header field
// (RFC 6749 §A.12), or a type that is not known here, whose token must not be used (RFC
// 6749 §7.1). A new refresh token is then kept by itself, whatever it holds: the previous
// one is used up.
func (c Config) usable(answer Answer, found finding, presented string, sent time.Time) (venuekey.Token, error) {
	token := c.granted(answer, found, sent)
	if token.Refresh != "" && !foreign.IsRefreshToken(string(token.Refresh)) {
		token.Notes = append(token.Notes, "the refresh token holds characters that no token has")
	}
	why := ""
	switch {
	case !foreign.IsBearer(token.Type):
		why = "the answer's token is of a type that is not understood here: " + strconv.Quote(foreign.NameWithout(token.Type, secretsOfToken(answer, token)...))
	case !foreign.IsToken(string(token.Access)):
		why = "the answer's access token holds characters that no token has"
	}
	token.Type = strings.TrimSpace(token.Type)
	if why == "" {
		return token, nil
	}
	if token.Refresh == "" || string(token.Refresh) == presented {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassUnknown, Reason: why + ", and cannot be used"}
	}
	token.Access, token.Type = "", ""
	token.Notes = append(token.Notes, why)
	return token, nil
}

// secretsOfToken returns the secrets that an answer may repeat in its other fields.
func secretsOfToken(answer Answer, token venuekey.Token) []venuekey.Secret {
	return append([]venuekey.Secret{token.Access, token.Refresh}, answer.Sent...)
}

// granted returns the token in an answer that holds one.
func (c Config) granted(answer Answer, found finding, sent time.Time) venuekey.Token {
	names, fields := c.Names.withDefaults(), found.grants[0]
	access, oddAccess := tokenText(fields, names.Access)
	refresh, oddRefresh := tokenText(fields, names.Refresh)
	token := venuekey.Token{
		Access: venuekey.Secret(access), Refresh: venuekey.Secret(refresh), Type: text(fields, names.Type),
		Issued: sent, Notes: found.notes,
	}
	note := func(odd bool, format string, args ...any) {
		if odd {
			token.Notes = append(token.Notes, fmt.Sprintf(format, args...))
		}
	}
	note(answer.Status >= 300, "the token came with status %d", answer.Status)
	note(text(fields, names.Error) != "", "the answer names an error beside its token")
	note(oddAccess != "", "the access token %s", oddAccess)
	note(oddRefresh != "", "the refresh token %s", oddRefresh)
	answered, _ := http.ParseTime(answer.Header.Get("Date"))
	c.lives(&token, fields, answered)
	token.Scopes = foreign.NamesWithout(scopes(orText(text(fields, names.Scope), listed(fields, names.Scope))), secretsOfToken(answer, token)...)
	token.Extras = extras(fields, names)
	return token
}

// text returns the first of the named fields that is a non-empty string. null counts as
// absent.
func text(fields map[string]json.RawMessage, names []string) string {
	for _, name := range names {
		var value string
		if raw, ok := fields[name]; ok && json.Unmarshal(raw, &value) == nil && value != "" {
			return value
		}
	}
	return ""
}

// tokenText returns the first of the named fields that holds a token, and says what is
// odd about it: PHP turns strings of digits into numbers, and white space at the end of a
// file becomes part of what is read from it.
func tokenText(fields map[string]json.RawMessage, names []string) (token, odd string) {
	for _, name := range names {
		raw := strings.TrimSpace(string(fields[name]))
		if digits := strings.Trim(raw, "0123456789"); digits == "" && strings.Trim(raw, "0") != "" {
			return raw, "was a number"
		}
		var value string
		if json.Unmarshal([]byte(raw), &value) != nil {
			continue
		}
		if trimmed := strings.TrimSpace(value); trimmed == value && value != "" {
			return value, ""
		} else if trimmed != "" {
			return trimmed, "had white space around it"
		}
	}
	return "", ""
}

// listed returns the first of the named fields that is a list of strings, joined with
// spaces. Some venues send scopes this way.
func listed(fields map[string]json.RawMessage, names []string) string {
	for _, name := range names {
		var list []string
		if raw, ok := fields[name]; ok && json.Unmarshal(raw, &list) == nil && len(list) > 0 {
			return strings.Join(list, " ")
		}
	}
	return ""
}

// scopes splits a scope field at spaces (RFC 6749 §3.3) and at the commas of some venues.
func scopes(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
}

// extras returns every field that no other part of the token holds.
func extras(fields map[string]json.RawMessage, names Names) map[string]venuekey.Secret {
	known := map[string]bool{}
	for _, list := range [][]string{names.Access, names.Refresh, names.Type, names.ExpiresIn, names.RefreshExpiresIn, names.Scope, names.Error, names.Description} {
		for _, name := range list {
			known[name] = true
		}
	}
	kept := map[string]venuekey.Secret{}
	for name, raw := range fields {
		if !known[name] && string(raw) != "null" {
			kept[name] = venuekey.Secret(raw)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
