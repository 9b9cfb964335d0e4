package main

import (
	"cmp"
	"log/slog"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// venues.go owns looking up venues by name, and how this command explains them.

// definitions returns where the files are that describe venues. It is no place of a vault: arguments are
// checked before all flags have had their effect, and hooks ask at the same time.
func (p *program) definitions() (*local.Place, error) {
	p.naming.Lock()
	defer p.naming.Unlock()
	if p.names != nil {
		return p.names, nil
	}
	var err error
	p.names, err = local.Config{Definitions: p.venuesIn, Environ: p.environ, Log: slog.New(slog.DiscardHandler)}.Place()
	return p.names, err
}

// venueNames returns the names of all venues, also of those that a file describes.
func (p *program) venueNames() []string {
	if place, err := p.definitions(); err == nil {
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
	place, err := p.definitions()
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
