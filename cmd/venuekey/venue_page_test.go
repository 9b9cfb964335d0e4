package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/venue/defined"
)

// The pages about venues, and README's table of them, say what the definitions say. With
// VENUEKEY_UPDATE=1 they are written.
func TestVenuePages(t *testing.T) {
	const folder, readme, begins, ends = "../../doc/venues", "../../README.md", "<!-- venues by a file -->\n", "<!-- end -->"
	update := os.Getenv("VENUEKEY_UPDATE") != ""
	hold := func(path, want string) {
		got, err := os.ReadFile(path)
		if string(got) == want {
			return
		}
		if !update {
			t.Errorf("%s is not made from today's definition (%v): VENUEKEY_UPDATE=1 go test -run TestVenuePages ./cmd/venuekey", path, err)
			return
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if update {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	rows := []string{"| venue | sign-in by | lives | renewal |", "|---|---|---|---|"}
	known := map[string]bool{}
	for _, name := range defined.Names() {
		d := definitionNamed(t, name)
		if abouts[name] != "" {
			continue // written in Go, and in README already
		}
		known[name+".md"] = true
		hold(filepath.Join(folder, name+".md"), venuePage(d))
		rows = append(rows, venueRow(d))
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !known[entry.Name()] {
			t.Errorf("%s/%s is about no venue", folder, entry.Name())
		}
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begins)
	_, after, ended := strings.Cut(rest, ends)
	if !found || !ended {
		t.Fatal("README.md has no place for the table")
	}
	hold(readme, before+begins+strings.Join(rows, "\n")+"\n"+ends+after)
}
