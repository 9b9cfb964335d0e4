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
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// definitions.go owns finding a venue by its name, among those written in Go and those that a file
// describes, and the folder of this user's own files.

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

// definition reads a file of this user's, nil if there is none.
func (p *Place) definition(name string) ([]byte, error) {
	if _, err := venuekey.ParseID(name + "/x"); err != nil {
		return nil, nil
	}
	path := filepath.Join(p.Definitions(), name+".json")
	text, err := own.Read(path, definition.MostBytes, 0o022)
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
