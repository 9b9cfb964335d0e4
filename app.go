package venuekey

import (
	"net/url"
	"strings"
	"time"
)

// app.go owns a program's registration with a venue.

// App is our registration at one venue.
type App struct {
	// Venue is the name of the venue that the app is registered at.
	Venue string
	// ClientID and ClientSecret are what the venue issued for the app.
	ClientID     string
	ClientSecret Secret
	// RedirectURI is where the venue sends the user back to. Venues compare it
	// byte for byte with what was registered.
	RedirectURI string
	// Scopes are asked for at sign-in; empty means the venue's default.
	Scopes []string
	// Environment selects among the venue's worlds, "live" or "demo"; empty
	// means the venue's default.
	Environment string
	// URLs replaces addresses of the venue, by the names that the venue
	// documents; "base" replaces scheme, host and port of all of them, and
	// may put a path before theirs; an emulated venue is reached so.
	URLs map[string]string
	// Pace and Burst replace the policy's budget of renewals where the venue grants
	// the app another one; zero means the policy's.
	Pace  time.Duration
	Burst int
	// Params holds what only this venue asks for, by the names that the venue's
	// AppForm documents.
	Params map[string]Secret
}

// URL gives the address of that name: the app's own, else the venue's standard
// one, moved to the app's base, below its path, where there is one. A base that is no URL is given
// as it is, to be refused, rather than the real venue's address.
func (a App) URL(name, standard string) string {
	if own := a.URLs[name]; own != "" {
		return own
	}
	text := a.URLs["base"]
	base, err := url.Parse(text)
	moved, wrong := url.Parse(standard)
	switch {
	case text == "" || wrong != nil:
		return standard
	case err != nil || base.Host == "":
		return text
	}
	moved.Scheme, moved.Host = base.Scheme, base.Host
	// A site may live below a path, as in https://host/blog.
	moved.Path, moved.RawPath = strings.TrimSuffix(base.Path, "/")+moved.Path, strings.TrimSuffix(base.EscapedPath(), "/")+moved.EscapedPath()
	return moved.String()
}

// pace is the least time between two renewals of the app, in the long run.
func (a App) pace(policy Policy) time.Duration { return orElse(a.Pace, policy.pace()) }

// burst is how many renewals of the app may come at once.
func (a App) burst(policy Policy) int {
	if a.Burst > 0 {
		return a.Burst
	}
	return policy.burst()
}

// Param gives the value of a venue's own parameter, "" when it is not set.
func (a App) Param(name string) Secret { return a.Params[name] }
