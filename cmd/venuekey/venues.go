package main

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/ttp"
)

// venues.go owns the list of venues that this command knows.

func venues() []venuekey.Venue {
	return []venuekey.Venue{ctrader.Venue{}, tradovate.Venue{}, ttp.Venue{}}
}

func venueNames() []string {
	var names []string
	for _, venue := range venues() {
		names = append(names, venue.Name())
	}
	return names
}

func venueOf(name string) (venuekey.Venue, bool) {
	for _, venue := range venues() {
		if venue.Name() == name {
			return venue, true
		}
	}
	return nil, false
}

// formOf is what a venue wants to know of an app.
func formOf(venue venuekey.Venue) venuekey.AppForm {
	if registrar, ok := venue.(venuekey.Registrar); ok {
		return registrar.AppForm()
	}
	return venuekey.AppForm{}
}

// registration says where an app is registered at a venue, for somebody who has
// none.
func registration(venue venuekey.Venue) string {
	return orElse(formOf(venue).Register, "Register one at the venue")
}

// fieldsOf are the values that only this venue asks for.
func fieldsOf(venue venuekey.Venue) []venuekey.Field { return formOf(venue).Fields }

// urlNames are the names that venues give their addresses.
func urlNames() []string {
	names := []string{"base"}
	for _, venue := range venues() {
		for _, name := range formOf(venue).URLs {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// emulatedAt is where an app's venue is, if that is on this machine: an emulated
// one. Nobody else's venue is.
func emulatedAt(app venuekey.App) string {
	for _, name := range []string{"base", "token", "api"} {
		address, err := url.Parse(app.URLs[name])
		if err != nil || address.Host == "" {
			continue
		}
		if ip, err := netip.ParseAddr(address.Hostname()); address.Hostname() == "localhost" || err == nil && ip.IsLoopback() {
			return app.URLs[name]
		}
	}
	return ""
}

// checkEmulated finds an environment for emulated venues of which only a part is
// set: the rest would lead a made-up app to the real venue.
func checkEmulated(app venuekey.App) error {
	if app.ClientID != emulatedApp().ClientID || emulatedAt(app) != "" {
		return nil
	}
	return &venuekey.Error{ID: venuekey.ID{Venue: app.Venue}, Class: venuekey.ClassMisconfigured,
		Reason: "the client id " + app.ClientID + " is an emulated venue's, and " + variable(app.Venue, "BASE_URL") + " leads to none: the real venue would be asked",
		Remedy: "set all that venuekey emulate prints, or nothing of it"}
}

// checkShown finds a redirect uri with something in it that is not to be shown,
// as every other one is.
func checkShown(app venuekey.App) error {
	if !strings.ContainsAny(app.RedirectURI, "@?#") {
		return nil
	}
	_, err := oauth.ParseRedirect(app.RedirectURI)
	return venuekey.About(venuekey.ID{Venue: app.Venue}, "", err)
}

// checkURLs finds an address that could not be meant: one that is taken for
// nothing would leave a program at the real venue.
func checkURLs(app venuekey.App) error {
	for _, name := range slices.Sorted(maps.Keys(app.URLs)) {
		if !slices.Contains(urlNames(), name) {
			return &venuekey.Error{ID: venuekey.ID{Venue: app.Venue}, Class: venuekey.ClassMisconfigured, Reason: "no address of a venue is called " + name,
				Remedy: "use one of " + strings.Join(urlNames(), ", ")}
		}
		if _, err := oauth.Endpoint(name, app.URLs[name]); err != nil {
			return venuekey.About(venuekey.ID{Venue: app.Venue}, "", err)
		}
	}
	return nil
}
