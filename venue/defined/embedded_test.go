package defined_test

import (
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/defined"
)

// Every definition that comes with the module is one, under its own name.
func TestTheEmbeddedDefinitions(t *testing.T) {
	if len(defined.Names()) < 6 {
		t.Errorf("%v", defined.Names())
	}
	for _, name := range defined.Names() {
		venue, err := defined.Named(name)
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
			continue
		}
		if venue.Name() != name {
			t.Errorf("%s is called %s", name, venue.Name())
		}
	}
	if _, err := defined.Named("nobody"); !venuekey.Misconfigured(err) {
		t.Error(err)
	}
}

func BenchmarkNamed(b *testing.B) {
	for b.Loop() {
		if _, err := defined.Named("kite"); err != nil {
			b.Fatal(err)
		}
	}
}
