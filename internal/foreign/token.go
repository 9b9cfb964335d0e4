package foreign

import "strings"

// token.go owns which characters a token may have.

// IsToken reports whether a text can be an access token in a header field: visible
// ASCII (RFC 6749 §A.12, RFC 6750 §2.1, RFC 9110 §5.5).
func IsToken(text string) bool { return text != "" && strings.IndexFunc(text, notVisible) < 0 }

// IsRefreshToken reports whether a text is a valid refresh token (RFC 6749 §A.17). An
// invalid one still works at the venue that issued it, because it travels percent-encoded
// in the body of a form. So it is worth a note, but no reason to lose a sign-in.
func IsRefreshToken(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool { return r != ' ' && notVisible(r) }) < 0
}

func notVisible(r rune) bool { return r < '!' || r > '~' }

// IsBearer reports whether a token type is Bearer, in any case, or missing. Another type
// must not be used (RFC 6749 §7.1).
func IsBearer(kind string) bool {
	kind = strings.TrimSpace(kind)
	return kind == "" || strings.EqualFold(kind, "bearer")
}
