package local

import (
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/ttp"
)

// venues.go owns the list of this module's venues, and the checks that keep an emulated
// app away from a real venue.

// Venues returns the venues of this module that are written in Go. Those that a file
// describes are found by their names; see Place.Venue.
func Venues() []venuekey.Venue {
	return []venuekey.Venue{ctrader.Venue{}, tradovate.Venue{}, ttp.Venue{}}
}

func (p *Place) compiled(name string) (venuekey.Venue, bool) {
	for _, venue := range p.config.Venues {
		if venue.Name() == name {
			return venue, true
		}
	}
	return nil, false
}

// beside returns the venues of Config.Venues, and one more if it is not among them: their names
// of addresses are known.
func (p *Place) beside(venue venuekey.Venue) []venuekey.Venue {
	if p.isCompiled(venue.Name()) {
		return p.config.Venues
	}
	return append(slices.Clone(p.config.Venues), venue)
}

func (p *Place) isCompiled(name string) bool {
	_, compiled := p.compiled(name)
	return compiled
}

// emulatedClient is the client ID that every emulated venue knows.
const emulatedClient = "demo-client"

// checkEmulated refuses an environment for emulated venues that is only partly set: the
// made-up app would be sent to the real venue.
func checkEmulated(app venuekey.App) error {
	if app.ClientID != emulatedClient || environ.EmulatedAt(app) != "" {
		return nil
	}
	return &venuekey.Error{ID: venuekey.ID{Venue: app.Venue}, Class: venuekey.ClassMisconfigured,
		Reason: "the client id " + app.ClientID + " belongs to an emulated venue, but " + environ.Variable(app.Venue, "BASE_URL") + " does not lead to one: the real venue would be asked",
		Remedy: "set every variable that venuekey emulate prints, or none of them"}
}

// checkShown refuses a redirect URI that may hold a secret: redirect URIs are shown.
func checkShown(app venuekey.App) error {
	if !strings.ContainsAny(app.RedirectURI, "@?#") {
		return nil
	}
	_, err := oauth.ParseRedirect(app.RedirectURI)
	return venuekey.About(venuekey.ID{Venue: app.Venue}, "", err)
}
