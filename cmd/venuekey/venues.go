package main

import (
	"maps"
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

// registration says where an app is registered at a venue, for somebody who has
// none.
func registration(venue string) string {
	switch venue {
	case "ctrader":
		return "Register one at https://openapi.ctrader.com/apps"
	case "tradovate":
		return "Register one in Trader under Application Settings, API Access,\nor make an API key there, which needs no redirect uri and no client id"
	case "ttp":
		return "Ask TheTradingParrot for one by mail"
	}
	return "Register one at the venue"
}

// fieldsOf are the values that only this venue asks for.
func fieldsOf(venue venuekey.Venue) []venuekey.Field {
	if asker, ok := venue.(venuekey.Asker); ok {
		return asker.Fields()
	}
	return nil
}

// urlNames are the names that venues give their addresses.
func urlNames() []string { return []string{"base", "authorize", "token", "me", "revoke", "api"} }

// checkURLs finds an address that could not be meant: one that is taken for
// nothing would leave a program at the real venue.
func checkURLs(app venuekey.App) error {
	for _, name := range slices.Sorted(maps.Keys(app.URLs)) {
		if !slices.Contains(urlNames(), name) {
			return &venuekey.Error{ID: venuekey.ID{Venue: app.Venue}, Class: venuekey.Wrong, Reason: "no address of a venue is called " + name,
				Remedy: "use one of " + strings.Join(urlNames(), ", ")}
		}
		if _, err := oauth.Endpoint(name, app.URLs[name]); err != nil {
			return about(venuekey.ID{Venue: app.Venue}, "", err)
		}
	}
	return nil
}
