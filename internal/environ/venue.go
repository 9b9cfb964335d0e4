package environ

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/loopback"
	"github.com/venuekey/venuekey/oauth"
)

// venue.go owns the fields and addresses of an app that the environment may set.

// Form returns the fields that a venue needs in an app; the zero AppForm if it names none.
func Form(venue venuekey.Venue) venuekey.AppForm {
	if registrar, ok := venue.(venuekey.Registrar); ok {
		return registrar.AppForm()
	}
	return venuekey.AppForm{}
}

// URLNames returns the names of the venues' addresses: "base", as in
// VENUEKEY_TTP_BASE_URL, and those of their forms.
func URLNames(venues []venuekey.Venue) []string {
	names := []string{"base"}
	for _, venue := range venues {
		for _, name := range Form(venue).URLs {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// EmulatedAt returns the address of an app's venue if it is on this machine, "" if not.
// Only an emulated venue is.
func EmulatedAt(app venuekey.App) string {
	for _, name := range []string{"base", "token", "api"} {
		address, err := url.Parse(app.URLs[name])
		if err != nil || address.Host == "" {
			continue
		}
		if loopback.Host(address.Hostname()) {
			return app.URLs[name]
		}
	}
	return ""
}

// CheckURLs refuses an address of an app that cannot be meant: under a name that no venue
// has, or not a URL. Ignoring one would send the program to the real venue.
func CheckURLs(app venuekey.App, venues []venuekey.Venue) error {
	names := URLNames(venues)
	for _, name := range slices.Sorted(maps.Keys(app.URLs)) {
		if !slices.Contains(names, name) {
			return &venuekey.Error{ID: venuekey.ID{Venue: app.Venue}, Class: venuekey.ClassMisconfigured, Reason: "no address of a venue is called " + name,
				Remedy: "use one of " + strings.Join(names, ", ")}
		}
		if _, err := oauth.Endpoint(name, app.URLs[name]); err != nil {
			return venuekey.About(venuekey.ID{Venue: app.Venue}, "", err)
		}
	}
	return nil
}
