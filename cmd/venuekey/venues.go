package main

import (
	"cmp"
	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// venues.go owns looking up venues by name, and how this command explains them.

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

// registration says where to register an app with a venue.
func registration(venue venuekey.Venue) string {
	return cmp.Or(environ.Form(venue).Register, "Register one with the venue")
}
