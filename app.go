package venuekey

import (
	"net/url"
	"strings"
	"time"
)

// app.go owns a program's registration with a venue.

// App is your program's registration with one venue.
type App struct {
	// Venue is the name of the venue that the app is registered with.
	Venue string
	// ClientID and ClientSecret are the credentials that the venue issued for the
	// app (RFC 6749 §2.3.1).
	ClientID     string
	ClientSecret Secret
	// RedirectURI is where the venue sends the user after sign-in. Venues compare it
	// byte for byte with the registered one.
	RedirectURI string
	// Scopes are requested at sign-in; empty means the venue's default.
	Scopes []string
	// Environment is the venue's environment, "live" or "demo"; empty means the
	// venue's default.
	Environment string
	// URLs replaces addresses of the venue, by the names that the venue documents.
	// "base" replaces the scheme, host and port of all of them and may add a path
	// prefix; this is how to reach an emulated venue.
	URLs map[string]string
	// Pace and Burst replace those of the venue's Policy for an app whose limits
	// differ; zero means the policy's.
	Pace  time.Duration
	Burst int
	// Params holds parameters specific to this venue, by the names that its AppForm
	// documents.
	Params map[string]Secret
}

// URL returns the address of that name: the app's own if it has one, else the
// venue's standard address, moved to the app's base if that is set. A base that is
// not a valid URL is returned as is, so that it is refused, rather than falling back
// to the real venue's address.
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

// Param returns a parameter specific to the venue, or "" if it is not set.
func (a App) Param(name string) Secret { return a.Params[name] }
