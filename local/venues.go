package local

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/defined"
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

// Definitions returns the folder of this user's own definitions of venues, one file each:
// Config.Definitions, VENUEKEY_VENUES, or "venues" in the folder of the key.
func (p *Place) Definitions() string {
	if p.config.Definitions != "" {
		return p.config.Definitions
	}
	if folder := p.env("VENUEKEY_VENUES"); folder != "" {
		return folder
	}
	return filepath.Join(p.Config, "venues")
}

// Venue returns the venue of a name: one of Config.Venues, one whose definition comes with
// this module, or one of this user's own. It is nil if there is none. An error says what is
// wrong with a file; it is read for the name that is asked for and no other.
func (p *Place) Venue(name string) (venuekey.Venue, error) {
	if venue, ok := p.compiled(name); ok {
		return venue, nil
	}
	return p.find(name)
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

// find is Venue for those that a file describes. If Config.Venues was given, there are none.
func (p *Place) find(name string) (venuekey.Venue, error) {
	if p.config.only || p.isCompiled(name) {
		return nil, nil
	}
	if slices.Contains(defined.Names(), name) {
		return defined.Named(name)
	}
	text, err := p.definition(name)
	if text == nil || err != nil {
		return nil, err
	}
	d, err := defined.Parse(name+".json", text)
	if err != nil {
		return nil, err
	}
	if d.Name != name {
		return nil, fmt.Errorf("%s.json: the name in it is %q; it has to be that of the file", name, d.Name)
	}
	return defined.New(d), nil
}

func (p *Place) isCompiled(name string) bool {
	_, compiled := p.compiled(name)
	return compiled
}

// mostDefinition is more than any definition has, in bytes.
const mostDefinition = 256 << 10

// definition reads a file of this user's, nil if there is none.
func (p *Place) definition(name string) ([]byte, error) {
	if _, err := venuekey.ParseID(name + "/x"); err != nil {
		return nil, nil
	}
	path := filepath.Join(p.Definitions(), name+".json")
	text, err := own.Read(path, mostDefinition, 0o022)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// DefinitionMark returns a mark of the file of this user's that describes a venue, "" if no such
// file does. It is another one when the file has changed.
func (p *Place) DefinitionMark(name string) string {
	if p.isCompiled(name) || slices.Contains(defined.Names(), name) {
		return ""
	}
	text, err := p.definition(name)
	if text == nil || err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// VenueNames returns the names of all venues: those written in Go first, then those whose
// definition comes with this module, and this user's own. It reads no file.
func (p *Place) VenueNames() (names []string) {
	for _, venue := range p.config.Venues {
		names = append(names, venue.Name())
	}
	if p.config.only {
		return names
	}
	for _, name := range defined.Names() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	entries, _ := os.ReadDir(p.Definitions()) // without a folder there are none
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".json"); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
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
