package venuetest

import (
	"encoding/json"
	"slices"

	"github.com/venuekey/venuekey"
)

// registration.go owns what the contract says of names and apps.

var registration = []test{
	{"its name is part of an ID", named},
	{"its policy can be written down", writtenDown},
	{"its app passes its own check", checkedApp},
	{"its form has names that differ", formed},
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
	if err != nil || json.Unmarshal(text, &back) != nil || back != policy {
		s.Errorf("%s: %v", text, err)
	}
	if again := s.Venue.Policy(); again != policy {
		s.Error("it differs from one call to the next")
	}
}

func checkedApp(s *stage) {
	registrar, ok := s.Venue.(venuekey.Registrar)
	if !ok {
		s.Skip("the venue is no Registrar")
	}
	if err := registrar.CheckApp(s.App); err != nil {
		s.Error(err)
	}
	s.want("an app of which nothing is known", registrar.CheckApp(venuekey.App{Venue: s.App.Venue}), venuekey.ClassMisconfigured)
	seen := s.front.watched(func() { _ = registrar.CheckApp(s.App) })
	if len(seen) > 0 {
		s.Error("the check of an app asked somebody")
	}
}

func formed(s *stage) {
	form := s.form()
	var names []string
	for _, field := range form.Fields {
		if field.Name == "" || field.Help == "" || slices.Contains(names, field.Name) {
			s.Errorf("field %q has no name, no help, or the name of another", field.Name)
		}
		names = append(names, field.Name)
	}
	if slices.Contains(form.URLs, "base") {
		s.Error(`"base" is everybody's, and no address of the venue's own`)
	}
}
