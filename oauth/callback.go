package oauth

import (
	"net/url"

	"github.com/venuekey/venuekey"
)

// callback.go owns what a redirect brings back, and whether it answers this sign-in.

// callback is what a redirect brought.
type callback struct {
	// Code is the authorization code.
	Code venuekey.Secret
	// denied is why there is no code: the venue or the user refused.
	denied *venuekey.Error
	// stray is why this does not answer this sign-in. The sender is shown it, and the
	// wait continues.
	stray string
	// stated says that it carried state.
	stated bool
	// bare says that it is a code alone, without the address around it.
	bare bool
}

// readCallback reads the query of a redirect (RFC 6749 §4.1.2,
// RFC 9207 §2).
func (c Config) readCallback(query url.Values, attempt Attempt) callback {
	codeParam := orText(c.CodeParam, "code")
	for _, name := range []string{codeParam, "state", "error", "iss"} {
		if len(query[name]) > 1 {
			return callback{stray: "it has " + name + " more than once"}
		}
	}
	state := venuekey.Secret(query.Get("state"))
	switch {
	case state == "" && !c.StateNotEchoed:
		return callback{stray: "it has no state, so it does not answer this sign-in"}
	case state != "" && !state.Equal(attempt.State):
		return callback{stray: "its state is not that of this sign-in; it may be from an older one"}
	}
	if query.Has("iss") && !c.issuedHere(query.Get("iss")) {
		return callback{stray: "it names an issuer (iss) that is not this venue"}
	}
	if code := query.Get("error"); code != "" {
		return callback{stated: state != "", denied: c.Explain("", 0, code, query.Get("error_description"),
			[]venuekey.Secret{attempt.State, attempt.Verifier, venuekey.Secret(query.Get(codeParam))})}
	}
	if code := query.Get(codeParam); code != "" {
		return callback{Code: venuekey.Secret(code), stated: state != ""}
	}
	return callback{stray: "it has neither code nor error"}
}
