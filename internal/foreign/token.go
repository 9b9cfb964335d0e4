package foreign

import "strings"

// token.go owns which characters a token may have.

// IsToken reports whether a text can be an access token in a header field: visible
// ASCII (RFC 6749 §A.12, RFC 6750 §2.1, RFC 9110 §5.5).
func IsToken(text string) bool { return text != "" && strings.IndexFunc(text, notVisible) < 0 }

// IsRefreshToken reports whether a text is a refresh token by the grammar (RFC 6749
// §A.17). One that is not works all the same where it was given: it goes into the body
// of a form only, percent-encoded, and under seals. So that is worth a word, and no
// reason to lose a sign-in.
func IsRefreshToken(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool { return r != ' ' && notVisible(r) }) < 0
}

func notVisible(r rune) bool { return r < '!' || r > '~' }

// IsBearer reports whether a token type is the one that is understood here, in any
// case; a type that is not must not be used (RFC 6749 §7.1). None means that one.
func IsBearer(kind string) bool {
	kind = strings.TrimSpace(kind)
	return kind == "" || strings.EqualFold(kind, "bearer")
}
