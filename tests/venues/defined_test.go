package venues_test

import (
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// definitionOf returns a definition that comes with the module. One that is none fails every
// test here.
func definitionOf(name string) *definition.Definition {
	file, text, err := defined.Text(name)
	if err != nil {
		panic(err)
	}
	d, err := defined.Parse(file, text)
	if err != nil {
		panic(err)
	}
	return d
}
