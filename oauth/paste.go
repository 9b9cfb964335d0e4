package oauth

import (
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/venuekey/venuekey"
)

// paste.go owns what a person pastes, or types by mistake.

// keys are what a terminal sends for keys that are no letters (ECMA-48 §5.4), and
// around what is pasted if a program before this one asked for that.
var keys = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|O[ -~])`)
})

// readPasted reads what a user pasted: the whole redirected address, or the
// bare code. A bare code carries no state; the user who pastes it vouches for
// it. Whatever else stands there is a mistake and ends nothing.
func (c Config) readPasted(text string, redirect Redirect, attempt Attempt) callback {
	text = keys().ReplaceAllString(text, "")
	text = strings.Trim(strings.TrimSpace(text), `"'<>`)
	if text == "" {
		return callback{stray: "nothing was pasted: paste everything that the address bar shows"}
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
	got := c.readCallback(address.Query(), attempt)
	if got.stray == "" && got.Code != "" && !isVisible(string(got.Code)) {
		return callback{stray: "what that address has for a code cannot be one: paste everything that the address bar shows"}
	}
	return got
}

// shortestCode is the least that a bare code has. One that nobody can guess
// (RFC 6749 §10.10 wants 128 bits) is no shorter, and passwords that somebody types at
// the wrong prompt mostly are. In a whole address a code may have any length.
const shortestCode = 20

// longestCode is more than a venue gives, and what Tradovate takes at most.
const longestCode = 8192

// readCode reads a bare code. What cannot be one is not presented: nobody's password
// is told to a venue.
func (c Config) readCode(text string) callback {
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain // it was copied out of an address
	}
	switch {
	case !isVisible(text) || strings.ContainsAny(text, `?&"\'<>`) || strings.Contains(strings.TrimRight(text, "="), "="): // an = is padding
		return callback{stray: "that is neither an address nor a code: paste everything that the address bar shows"}
	case len(text) < shortestCode:
		return callback{stray: "that is too short for a code: paste everything that the address bar shows"}
	case len(text) > longestCode:
		return callback{stray: "that is too long for a code: paste everything that the address bar shows"}
	}
	return callback{Code: venuekey.Secret(text), bare: true}
}

// isVisible reports whether a code has nothing in it that RFC 6749 appendix A.11 does
// not allow: what is visible in ASCII, and blanks, which no venue gives.
func isVisible(text string) bool {
	return !strings.ContainsFunc(text, func(letter rune) bool { return letter <= ' ' || letter > '~' })
}
