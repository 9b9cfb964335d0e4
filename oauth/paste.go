package oauth

import (
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/venuekey/venuekey"
)

// paste.go owns what a person pastes, or types by mistake.

// keys matches what a terminal sends for keys that are not letters (ECMA-48 §5.4), and
// the brackets around pasted text if an earlier program asked for them.
var keys = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|O[ -~])`)
})

// readPasted reads what the user pasted: the whole redirected address, or the bare code.
// A bare code carries no state; the user who pastes it vouches for it. Anything else is a
// mistake and ends nothing.
func (c Config) readPasted(text string, redirect Redirect, attempt Attempt) callback {
	text = keys().ReplaceAllString(text, "")
	text = strings.Trim(strings.TrimSpace(text), `"'<>`)
	if text == "" {
		return callback{stray: "nothing was pasted: paste the whole address from the address bar"}
	}
	// Browsers show addresses without their scheme, and some copy them that way.
	if strings.HasPrefix(text, redirect.URL.Host+redirect.URL.Path+"?") {
		text = redirect.URL.Scheme + "://" + text
	}
	if !strings.Contains(text, "://") {
		return c.readCode(text)
	}
	address, err := url.Parse(text)
	if err != nil {
		return callback{stray: "that is not a valid address: paste the whole address from the address bar"}
	}
	if !strings.EqualFold(address.Host, redirect.URL.Host) || address.Path != redirect.URL.Path {
		return callback{stray: "that is not the address the venue redirects to: wait until the address bar shows one that begins with " + redirect.URL.String()}
	}
	got := c.readCallback(address.Query(), attempt)
	if got.stray == "" && got.Code != "" && !isVisible(string(got.Code)) {
		return callback{stray: "the code in that address cannot be right: paste the whole address from the address bar"}
	}
	return got
}

// shortestCode is the least length of a bare code. A code that cannot be guessed (RFC
// 6749 §10.10 requires 128 bits) is no shorter, and passwords typed at the wrong prompt
// mostly are. Within a whole address a code may have any length.
const shortestCode = 20

// longestCode is more than any venue issues, and the most that Tradovate accepts.
const longestCode = 8192

// readCode reads a bare code. What cannot be a code is not presented: a password typed
// here must not reach the venue.
func (c Config) readCode(text string) callback {
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain // it was copied out of an address
	}
	switch {
	case !isVisible(text) || strings.ContainsAny(text, `?&"\'<>`) || strings.Contains(strings.TrimRight(text, "="), "="): // an = is padding
		return callback{stray: "that is neither an address nor a code: paste the whole address from the address bar"}
	case len(text) < shortestCode:
		return callback{stray: "that is too short for a code: paste the whole address from the address bar"}
	case len(text) > longestCode:
		return callback{stray: "that is too long for a code: paste the whole address from the address bar"}
	}
	return callback{Code: venuekey.Secret(text), bare: true}
}

// isVisible reports whether a code has only characters that RFC 6749 appendix A.11
// allows, without blanks, which no venue uses.
func isVisible(text string) bool {
	return !strings.ContainsFunc(text, func(letter rune) bool { return letter <= ' ' || letter > '~' })
}
