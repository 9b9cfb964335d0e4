package main

import (
	"cmp"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// venues.go owns looking up venues by name, and how this command explains them.

// venueNames returns the names of all venues, also of those that a file describes.
func (p *program) venueNames() []string {
	if place, err := p.place(); err == nil {
		return place.VenueNames()
	}
	var names []string
	for _, venue := range local.Venues() {
		names = append(names, venue.Name())
	}
	return names
}

// venueOf returns the venue of a name. One whose file has mistakes is not known here; whoever needs
// it gets them from the Keeper.
func (p *program) venueOf(name string) (venuekey.Venue, bool) {
	for _, venue := range local.Venues() { // needs no place
		if venue.Name() == name {
			return venue, true
		}
	}
	place, err := p.place()
	if err != nil {
		return nil, false
	}
	venue, err := place.Venue(name)
	return venue, err == nil && venue != nil
}

// venues returns all venues whose files have no mistakes.
func (p *program) venues() (all []venuekey.Venue) {
	for _, name := range p.venueNames() {
		if venue, ok := p.venueOf(name); ok {
			all = append(all, venue)
		}
	}
	return all
}

// beside returns the venues that are written in Go and one more, whose names of addresses are known
// together.
func (p *program) beside(venue venuekey.Venue) []venuekey.Venue { return append(local.Venues(), venue) }

// registration says where to register an app with a venue.
func registration(venue venuekey.Venue) string {
	return cmp.Or(environ.Form(venue).Register, "Register one with the venue")
}
