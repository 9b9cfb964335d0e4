package oauth

import (
	"net/url"
	"strings"

	"github.com/venuekey/venuekey"
)

// callback is what a redirect brought.
type callback struct {
	// Code is the authorization code.
	Code venuekey.Secret
	// denied is why there is none: the venue or the user said no.
	denied *venuekey.Error
	// stray is why this is not the answer that is waited for; it is told to
	// whoever sent it, and the wait goes on.
	stray string
}

// readCallback reads the query of a redirect (RFC 6749 §4.1.2).
func (c Config) readCallback(query url.Values, attempt Attempt) callback {
	for _, name := range []string{"code", "state", "error"} {
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
	if code := query.Get("error"); code != "" {
		return callback{denied: c.Explain("", 0, code, query.Get("error_description"),
			[]venuekey.Secret{attempt.State, attempt.Verifier, venuekey.Secret(query.Get("code"))})}
	}
	if code := query.Get("code"); code != "" {
		return callback{Code: venuekey.Secret(code)}
	}
	return callback{stray: "it has neither code nor error"}
}

// readPasted reads what a user pasted: the whole redirected address, or the
// bare code. A bare code carries no state; the user who pastes it vouches for
// it.
func (c Config) readPasted(text string, redirect Redirect, attempt Attempt) callback {
	text = strings.Trim(strings.TrimSpace(text), `"'<>`)
	if text == "" {
		return callback{stray: "nothing was pasted"}
	}
	// Browsers show an address without its scheme, and some copy it so.
	if strings.HasPrefix(text, redirect.URL.Host+redirect.URL.Path+"?") {
		text = redirect.URL.Scheme + "://" + text
	}
	if !strings.Contains(text, "://") {
		return c.readCode(text)
	}
	address, err := url.Parse(text)
	if err != nil {
		return callback{stray: "that is not an address"}
	}
	if !strings.EqualFold(address.Host, redirect.URL.Host) || address.Path != redirect.URL.Path {
		return callback{stray: "that is not the address the venue redirects to: wait until it begins with " + redirect.URL.String()}
	}
	return c.readCallback(address.Query(), attempt)
}

// shortestCode is less than any code that is hard to guess (RFC 6749 §10.10), and
// more than a word that somebody types at the wrong prompt.
const shortestCode = 8

// readCode reads a bare code. What cannot be one is not presented: the venue would
// refuse it, and the sign-in would be over.
func (c Config) readCode(text string) callback {
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain // it was copied out of an address
	}
	for _, letter := range text {
		// RFC 6749 appendix A.11 allows what is visible in ASCII; an = is padding.
		if letter <= ' ' || letter > '~' || strings.ContainsRune(`?&"\'<>`, letter) {
			return callback{stray: "that is neither an address nor a code: paste everything that the address bar shows"}
		}
	}
	switch {
	case strings.Contains(strings.TrimRight(text, "="), "="):
		return callback{stray: "that is neither an address nor a code: paste everything that the address bar shows"}
	case len(text) < shortestCode:
		return callback{stray: "that is too short for a code: paste everything that the address bar shows"}
	}
	return callback{Code: venuekey.Secret(text)}
}
