package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// Whoever reads what a file says learns of every host that gets a secret: also those of the request
// before the page, of the call that keeps a session alive, and the one that only an answer names.
func TestEveryHostThatGetsASecretIsShown(t *testing.T) {
	keepalive, before := definitionNamed(t, "capital"), definitionNamed(t, "dhan")
	keepalive.Keepalive.Request.URL = "https://ping.example/x"
	before.Before.Request.URL = "https://begin.example/x"
	for host, d := range map[string]*definition.Definition{"ping.example": keepalive, "begin.example": before} {
		if !slices.Contains(hosts(d), host) {
			t.Errorf("%s is missing in %q", host, hosts(d))
		}
	}
	named := definitionNamed(t, "questrade")
	for what, text := range map[string]string{"what is shown": portrayed(named), "the page": venuePage(named)} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), "the API's address that the venue's answer names") {
			t.Errorf("%s does not say that the answer names a host:\n%s", what, text)
		}
	}
}

func definitionNamed(t *testing.T, name string) *definition.Definition {
	t.Helper()
	file, text, err := defined.Text(name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := defined.Parse(file, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
