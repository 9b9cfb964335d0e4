package venuetest

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/venuekey/venuekey"
)

// registration.go owns the tests of names and apps.

var registration = []test{
	{"its name is valid in an ID", named},
	{"its policy survives JSON, and is constant", writtenDown},
	{"its app passes its own check", checkedApp},
	{"its form has distinct field names", formed},
}

func named(s *stage) {
	id := venuekey.ID{Venue: s.Venue.Name(), Name: "alice"}
	if back, err := venuekey.ParseID(id.String()); err != nil || back != id {
		s.Errorf("%q: %v", id.Venue, err)
	}
}

func writtenDown(s *stage) {
	policy := s.Venue.Policy()
	text, err := json.Marshal(policy)
	var back venuekey.Policy
	if err != nil || json.Unmarshal(text, &back) != nil || !reflect.DeepEqual(back, policy) {
		s.Errorf("%s: %v", text, err)
	}
	if again := s.Venue.Policy(); !reflect.DeepEqual(again, policy) {
		s.Error("Policy differs from one call to the next")
	}
}

func checkedApp(s *stage) {
	registrar, ok := s.Venue.(venuekey.Registrar)
	if !ok {
		s.Skip("the venue is not a Registrar")
	}
	if err := registrar.CheckApp(s.App); err != nil {
		s.Error(err)
	}
	if s.App.ClientID == "" && len(s.App.Params) == 0 {
		return // the venue needs to know nothing of an app
	}
	s.want("an empty app", registrar.CheckApp(venuekey.App{Venue: s.App.Venue}), venuekey.ClassMisconfigured)
	seen := s.front.watched(func() { _ = registrar.CheckApp(s.App) })
	if len(seen) > 0 {
		s.Error("CheckApp sent a request")
	}
}

func formed(s *stage) {
	form := s.form()
	var names []string
	for _, field := range form.Fields {
		if field.Name == "" || field.Help == "" || slices.Contains(names, field.Name) {
			s.Errorf("field %q has no name, no help, or a name that is used twice", field.Name)
		}
		names = append(names, field.Name)
	}
	if slices.Contains(form.URLs, "base") {
		s.Error(`"base" belongs to every venue, and must not be listed in URLs`)
	}
}
