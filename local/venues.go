package local

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/loopback"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/ttp"
)

// venues.go owns the list of this module's venues, and what is asked of the addresses
// of an app.

// Venues are the venues of this module: what a Config without any takes.
func Venues() []venuekey.Venue {
	return []venuekey.Venue{ctrader.Venue{}, tradovate.Venue{}, ttp.Venue{}}
}

// venue gives the venue of a name.
func (p *Place) venue(name string) (venuekey.Venue, bool) {
	for _, venue := range p.config.Venues {
		if venue.Name() == name {
			return venue, true
		}
	}
	return nil, false
}

// Form is what a venue wants to know of an app.
func Form(venue venuekey.Venue) venuekey.AppForm {
	if registrar, ok := venue.(venuekey.Registrar); ok {
		return registrar.AppForm()
	}
	return venuekey.AppForm{}
}

// URLNames are the names that venues give their addresses, as in
// VENUEKEY_TTP_BASE_URL.
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

// EmulatedAt is where an app's venue is, if that is on this machine: an emulated one.
// Nobody else's venue is.
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

// emulatedClient is the client ID that every emulated venue knows.
const emulatedClient = "demo-client"

// checkEmulated finds an environment for emulated venues of which only a part is
// set: the rest would lead a made-up app to the real venue.
func checkEmulated(app venuekey.App) error {
	if app.ClientID != emulatedClient || EmulatedAt(app) != "" {
		return nil
	}
	return &venuekey.Error{ID: venuekey.ID{Venue: app.Venue}, Class: venuekey.ClassMisconfigured,
		Reason: "the client id " + app.ClientID + " is an emulated venue's, and " + Variable(app.Venue, "BASE_URL") + " leads to none: the real venue would be asked",
		Remedy: "set all that venuekey emulate prints, or nothing of it"}
}

// checkShown finds a redirect URI with something in it that is not to be shown,
// as every other one is.
func checkShown(app venuekey.App) error {
	if !strings.ContainsAny(app.RedirectURI, "@?#") {
		return nil
	}
	_, err := oauth.ParseRedirect(app.RedirectURI)
	return venuekey.About(venuekey.ID{Venue: app.Venue}, "", err)
}

// CheckURLs finds an address of an app that could not be meant: one that is taken for
// nothing would leave a program at the real venue. The venues say which names they know.
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
