package venuekey

import (
	"net/http"
	"slices"
	"strings"

	"github.com/venuekey/venuekey/internal/foreign"
)

// challenge.go owns what the response to an API call says about the token that the
// call carried.

// challenge is one challenge of a WWW-Authenticate field (RFC 9110 §11.6.1).
type challenge struct {
	Scheme string
	// Token68 is what some schemes have instead of parameters.
	Token68 string
	// Params are the parameters, by name in lower case.
	Params map[string]string
}

// challengesIn parses WWW-Authenticate fields. A malformed field counts up to its
// first error: nothing is guessed.
func challengesIn(fields []string) []challenge {
	var all []challenge
	for _, field := range fields {
		r := challengeReader{rest: field}
		all = append(all, r.challenges()...)
	}
	return all
}

// challengeReader reads a field from its beginning.
type challengeReader struct{ rest string }

func (r *challengeReader) challenges() []challenge {
	var list []challenge
	for r.skip(" \t,"); r.rest != ""; r.skip(" \t,") {
		next, ok := r.challenge()
		if !ok {
			return list
		}
		list = append(list, next)
	}
	return list
}

// challenge reads a scheme and what follows it: parameters, which commas separate
// just as they separate challenges, or one token68, or nothing.
func (r *challengeReader) challenge() (challenge, bool) {
	c := challenge{Scheme: r.span(isTokenByte)}
	if c.Scheme == "" || r.rest != "" && strings.IndexByte(" \t,", r.rest[0]) < 0 {
		return c, false
	}
	if r.skip(" \t"); r.ends() {
		return c, true
	}
	if token, ok := r.token68(); ok {
		c.Token68 = token
		return c, true
	}
	c.Params = map[string]string{}
	for {
		name, value, ok := r.param()
		if _, twice := c.Params[name]; !ok || twice {
			return c, false
		}
		c.Params[name] = value
		if r.skip(" \t"); !r.ends() {
			return c, false
		}
		// What follows a comma is another parameter, or the next challenge.
		if ahead := (challengeReader{strings.TrimLeft(r.rest, " \t,")}); !ahead.looksLikeParam() {
			return c, true
		}
		r.skip(" \t,")
	}
}

// looksLikeParam reports whether a parameter begins here, even a malformed one.
func (r challengeReader) looksLikeParam() bool {
	name := r.span(isTokenByte)
	r.skip(" \t")
	return name != "" && strings.HasPrefix(r.rest, "=")
}

func (r *challengeReader) param() (name, value string, ok bool) {
	name = strings.ToLower(r.span(isTokenByte))
	r.skip(" \t")
	if name == "" || !strings.HasPrefix(r.rest, "=") {
		return "", "", false
	}
	r.rest = r.rest[1:]
	if r.skip(" \t"); strings.HasPrefix(r.rest, `"`) {
		value, ok = r.quoted()
		return name, value, ok
	}
	value = r.span(isTokenByte)
	return name, value, value != ""
}

// quoted reads a quoted-string (RFC 9110 §5.6.4).
func (r *challengeReader) quoted() (string, bool) {
	var text strings.Builder
	for i := 1; i < len(r.rest); i++ {
		letter := r.rest[i]
		if letter == '"' {
			r.rest = r.rest[i+1:]
			return text.String(), true
		}
		if letter == '\\' {
			if i++; i == len(r.rest) {
				break
			}
			letter = r.rest[i]
		}
		if letter < ' ' && letter != '\t' || letter == 0x7f {
			break
		}
		text.WriteByte(letter)
	}
	return "", false
}

// token68 reads a token68 if nothing else stands before the next comma.
func (r *challengeReader) token68() (string, bool) {
	ahead := *r
	token := ahead.span(isToken68Byte)
	if token == "" {
		return "", false
	}
	token += ahead.span(func(b byte) bool { return b == '=' })
	if ahead.skip(" \t"); !ahead.ends() {
		return "", false
	}
	*r = ahead
	return token, true
}

// ends reports whether an element of the list is over.
func (r *challengeReader) ends() bool { return r.rest == "" || r.rest[0] == ',' }

func (r *challengeReader) skip(letters string) { r.rest = strings.TrimLeft(r.rest, letters) }

func (r *challengeReader) span(is func(byte) bool) string {
	end := 0
	for end < len(r.rest) && is(r.rest[end]) {
		end++
	}
	text := r.rest[:end]
	r.rest = r.rest[end:]
	return text
}

func isAlphanumeric(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

func isTokenByte(b byte) bool {
	return isAlphanumeric(b) || strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0
}

func isToken68Byte(b byte) bool { return isAlphanumeric(b) || strings.IndexByte("-._~+/", b) >= 0 }

const insufficientScope = "insufficient_scope"

// refusals are the error codes of RFC 6750 §3.1, and two that a widespread WordPress
// plugin uses for an expired token. No other word is repeated: the server could put
// anything there.
var refusals = map[string]Error{
	insufficientScope: {Class: ClassMisconfigured, Reason: "the token lacks a scope that this call requires"},
	"invalid_token":   {Class: ClassRefused, Reason: "the venue does not accept the access token"},
	"expired_token":   {Class: ClassRefused, Reason: "the venue does not accept the access token"},
	"malformed_token": {Class: ClassRefused, Reason: "the venue does not accept the access token"},
	"invalid_request": {Class: ClassMisconfigured, Reason: "the venue does not understand the call, and says nothing about the token"},
}

// RefusalOf returns what the response to an API call says about the token that the
// call carried (RFC 6750 §3.1): an *Error, or nil if the response says nothing about
// the token, as most 403 responses do. It reads the status and the header only.
//
//   - insufficient_scope: ClassMisconfigured, with the required scopes in Scopes.
//     The token is still good, and no other token of this sign-in may do more: the
//     user has to sign in again with these scopes.
//   - invalid_token, and any 401 without an error code: ClassRefused. A Transport has
//     already tried another token by then.
//   - invalid_request: ClassMisconfigured. The venue does not understand the call.
//
// If a Transport has asked the Keeper about the refusal, the error is what that found out: a
// venue that is an Examiner tells a dead token (ClassRefused) from a device or a permission
// that is missing (ClassDeclined) and from trouble of its own (ClassLater).
//
// Error.Code is the venue's error code; it is empty for a bare 401.
func RefusalOf(response *http.Response) error {
	if response == nil || response.StatusCode < 400 {
		return nil
	}
	if response.Request != nil {
		if known, ok := response.Request.Context().Value(refusalKey{}).(*Error); ok {
			return known
		}
	}
	word, scope := bearerWord(response.Header)
	known, ok := refusals[word]
	switch {
	case !ok && response.StatusCode == http.StatusUnauthorized:
		return &Error{Class: ClassRefused, Reason: "the venue does not accept the access token, and does not say why"}
	case !ok:
		return nil
	}
	known.Code = word
	if word == insufficientScope {
		known.wants(scopesOf(scope, response.Request))
	}
	return &known
}

// bearerWord returns the error code and the scope of the bearer challenges; if they
// name two different codes, it returns none.
func bearerWord(header http.Header) (word, scope string) {
	for _, c := range challengesIn(header.Values("WWW-Authenticate")) {
		if !strings.EqualFold(c.Scheme, "Bearer") || c.Params["error"] == "" {
			continue
		}
		if word != "" && word != c.Params["error"] {
			return "", ""
		}
		word, scope = c.Params["error"], c.Params["scope"]
	}
	return word, scope
}

// wants says which scopes the call requires.
func (e *Error) wants(scopes []string) {
	e.Scopes, e.Remedy = scopes, "sign in again with more scopes"
	if len(scopes) > 0 {
		list := strings.Join(scopes, " ")
		e.Reason += ": it requires the scope " + list
		e.Remedy = "sign in again with the scope " + list
	}
}

// mostScopes bounds the scopes that are reported.
const mostScopes = 16

// scopesOf splits a scope attribute (RFC 6749 §3.3). The server that wrote it saw the
// token, so anything that is not a scope by the grammar, or that the gate for foreign
// text would change, is left out.
func scopesOf(text string, request *http.Request) []string {
	sent := ""
	if request != nil {
		_, sent, _ = strings.Cut(request.Header.Get("Authorization"), " ")
	}
	var scopes []string
	for scope := range strings.SplitSeq(text, " ") {
		if isScope(scope) && foreign.NameWithout(scope, sent) == scope && !slices.Contains(scopes, scope) && len(scopes) < mostScopes {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

func isScope(scope string) bool {
	for _, letter := range []byte(scope) {
		if letter <= ' ' || letter > '~' || letter == '"' || letter == '\\' {
			return false
		}
	}
	return scope != ""
}

// lacksScope reports whether a response says that the token is good but lacks a scope:
// no other token of the sign-in would do better.
func lacksScope(response *http.Response) bool {
	word, _ := bearerWord(response.Header)
	return word == insufficientScope
}
