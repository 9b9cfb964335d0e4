package main

import (
	"cmp"
	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// venues.go owns the venues as this command names and explains them.

func venueNames() []string {
	var names []string
	for _, venue := range local.Venues() {
		names = append(names, venue.Name())
	}
	return names
}

func venueOf(name string) (venuekey.Venue, bool) {
	for _, venue := range local.Venues() {
		if venue.Name() == name {
			return venue, true
		}
	}
	return nil, false
}

// registration says where an app is registered at a venue, for somebody who has
// none.
func registration(venue venuekey.Venue) string {
	return cmp.Or(environ.Form(venue).Register, "Register one at the venue")
}
