package defined

import (
	"embed"
	"errors"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// embedded.go owns the definitions that come with this module. Each is read only when its
// venue is named.

//go:embed venues/*.json
var files embed.FS

// Names returns the names of the venues whose definitions come with this module.
func Names() (names []string) {
	entries, err := files.ReadDir("venues")
	if err != nil {
		return nil // the folder is part of the program
	}
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".json"))
	}
	return names
}

// Text returns the text of such a definition, for definition.ParseWith: another may extend
// it.
func Text(name string) (file string, text []byte, err error) {
	file = name + ".json"
	if text, err = files.ReadFile("venues/" + file); err != nil {
		return file, nil, errors.New("none of that name comes with this program")
	}
	return file, text, nil
}

// Parse reads a definition, which may extend one that comes with this module; file is what
// to call it in mistakes.
func Parse(file string, text []byte) (*definition.Definition, error) {
	return definition.ParseWith(file, text, Text)
}

// Named returns the venue of that name whose definition comes with this module.
func Named(name string) (venuekey.Venue, error) {
	file, text, err := Text(name)
	if err != nil {
		return nil, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "there is no definition of " + name, Remedy: "known are " + strings.Join(Names(), ", "), Err: err}
	}
	d, err := Parse(file, text)
	if err != nil {
		return nil, err
	}
	return New(d), nil
}
