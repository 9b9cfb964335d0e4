package core

import (
	"testing"

	"github.com/venuekey/venuekey/emulator"
)

func TestAllows(t *testing.T) {
	t.Parallel()
	app := emulator.App{RedirectURIs: []string{"http://localhost:8080/auth/callback"}}
	for _, tc := range []struct {
		uri        string
		exact, any bool
	}{
		{"http://localhost:8080/auth/callback", true, true},
		{"http://localhost:8080/auth/callback/", false, true},
		{"http://LOCALHOST:8080/auth/callback", false, false},
		{"http://127.0.0.1:4711/cb", false, true},
		{"http://127.8.9.1/cb", false, true},
		{"http://[::1]:4711/cb", false, true},
		{"https://localhost:8080/auth/callback", false, false},
		{"http://user@localhost:8080/", false, false},
		{"http://localhost:8080/#x", false, false},
		{"http://localhost.evil.example/", false, false},
		{"http://192.0.2.1/", false, false},
		{"::", false, false},
		{"", false, false},
	} {
		if got := Allows(app, tc.uri, false); got != tc.exact {
			t.Errorf("%q exactly: %v", tc.uri, got)
		}
		if got := Allows(app, tc.uri, true); got != tc.any {
			t.Errorf("%q any loopback: %v", tc.uri, got)
		}
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	c := Start(new(Base), Setup{})
	if _, ok := c.Registry.SignIn("alice", "wonderland"); !ok {
		t.Error("alice is not known")
	}
	for _, wrong := range [][2]string{{"alice", ""}, {"alice", "builder"}, {"", ""}, {"carol", "x"}} {
		if _, ok := c.Registry.SignIn(wrong[0], wrong[1]); ok {
			t.Errorf("%q got in", wrong)
		}
	}
	c.Registry.PutUser(emulator.User{Name: "alice", Password: "new"})
	c.Registry.PutApp(emulator.App{ClientID: "demo-client", Name: "Renamed"})
	if u, a := c.Registry.Users(), c.Registry.Apps(); len(u) != 2 || u[0].Password != "new" || len(a) != 1 || a[0].Name != "Renamed" {
		t.Errorf("replaced: %+v %+v", u, a)
	}
	c.Reset()
	if _, ok := c.Registry.SignIn("alice", "wonderland"); !ok {
		t.Error("a reset does not bring the users back")
	}
}
