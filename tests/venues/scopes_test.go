package venues_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ttpemu "github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/ttp"
)

// telling is a user with a browser who remembers the lines that were shown.
type telling struct {
	keepertest.Browser
	told chan string
}

func (u telling) Tell(line string) { u.told <- line }

func newTelling() telling {
	return telling{keepertest.Browser{Person: emulator.Person{Name: "alice", Password: "wonderland"}, Failed: make(chan error, 1)}, make(chan string, 16)}
}

func (u telling) lines() []string {
	close(u.told)
	var lines []string
	for line := range u.told {
		lines = append(lines, line)
	}
	return lines
}

// A venue that grants less than was asked for says so (RFC 6749 §3.3, §5.1). The
// sign-in stands, and the user hears of it at once: a bot that cannot trade is found
// out at the first order otherwise.
func TestAttackAVenueThatGrantsLessThanWasAskedFor(t *testing.T) {
	server := &ttpemu.Server{Knobs: ttpemu.Knobs{AnyLoopbackRedirect: true, Scopes: "trade", GrantOnly: "basic"}}
	site := httptest.NewServer(server)
	defer site.Close()
	app := venuekey.App{Venue: "ttp", ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback", Scopes: []string{"trade", "basic"}, URLs: map[string]string{"base": site.URL}}
	keeper := &venuekey.Keeper{
		Vault: &venuekey.Vault{Store: &memory.Store{}}, Venues: []venuekey.Venue{ttp.Venue{}},
		Apps: func(context.Context, string) (venuekey.App, error) { return app, nil },
	}
	id, ui := venuekey.ID{Venue: "ttp", Name: "alice"}, newTelling()
	token, err := keeper.SignIn(t.Context(), id, ui)
	if err != nil {
		t.Fatal("the sign-in did not stand:", err)
	}
	lines := ui.lines()
	if !slices.ContainsFunc(lines, func(line string) bool {
		return strings.Contains(line, "fewer scopes than requested") && strings.Contains(line, "trade")
	}) {
		t.Errorf("the user was told %q", lines)
	}
	if !slices.Equal(token.Missing(), []string{"trade"}) {
		t.Error("the token says nothing:", token.Scopes, token.Missing())
	}

	// It is told for as long as it is so, over renewals, and to every program.
	if _, err := keeper.Refresh(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	status, err := keeper.Status(t.Context(), id)
	if err != nil || status.State != venuekey.StateFresh || !slices.Equal(status.ScopesMissing, []string{"trade"}) {
		t.Errorf("%+v %v", status, err)
	}
	for event := range keeper.Events(t.Context()) {
		if !slices.Equal(event.Status.ScopesMissing, []string{"trade"}) {
			t.Errorf("%+v", event)
		}
		break
	}

	// With what was asked for it is over.
	server.Tune(func(k *ttpemu.Knobs) { k.GrantOnly = "" })
	ui = newTelling()
	if _, err := keeper.SignIn(t.Context(), id, ui); err != nil {
		t.Fatal(err)
	}
	if status, _ := keeper.Status(t.Context(), id); len(status.ScopesMissing) > 0 {
		t.Errorf("%+v", status)
	}
	for _, line := range ui.lines() {
		if strings.Contains(line, "scope") {
			t.Errorf("told for nothing: %s", line)
		}
	}

	// A renewal that brings less is told too.
	server.Tune(func(k *ttpemu.Knobs) { k.GrantOnly = "basic" })
	renewed, err := keeper.Refresh(t.Context(), id)
	if err != nil || !slices.Equal(renewed.Missing(), []string{"trade"}) {
		t.Error(renewed.Missing(), err)
	}
}

// Scopes are compared as sets.
func TestScopesAreSets(t *testing.T) {
	for _, row := range []struct{ asked, granted, missing []string }{
		{nil, []string{"basic"}, nil},
		{[]string{"a", "b"}, []string{"b", "a", "a"}, nil},
		{[]string{"a", "b", "b"}, []string{"a", "c"}, []string{"b"}},
		{[]string{"A"}, []string{"a"}, []string{"A"}}, // RFC 6749 §3.3: case-sensitive
		{[]string{"a"}, nil, nil},                     // not told means as asked
	} {
		token := venuekey.Token{Asked: row.asked, Scopes: row.granted}
		if got := token.Missing(); !slices.Equal(got, row.missing) {
			t.Errorf("%v of %v: %v", row.granted, row.asked, got)
		}
	}
}

// A read-only sign-in is a bot that cannot trade, and cTrader's answer does not say
// it: no human hears of it before the first order is refused.
func TestASignInThatCannotTradeSaysSo(t *testing.T) {
	for _, s := range stages() {
		if s.name != "ctrader" {
			continue
		}
		for scope, limited := range map[string]bool{"accounts": true, "trading": false, "": false} {
			if s.app.Scopes = nil; scope != "" {
				s.app.Scopes = []string{scope}
			}
			keeper, id := s.open(t)
			ui := newTelling()
			if _, err := keeper.SignIn(t.Context(), id, ui); err != nil {
				t.Fatal(err)
			}
			status, err := keeper.Status(t.Context(), id)
			if err != nil || strings.Contains(status.Limits, "trade") != limited {
				t.Errorf("%q: %q %v", scope, status.Limits, err)
			}
			if lines := strings.Join(ui.lines(), "\n"); strings.Contains(lines, "can read accounts but not trade") != limited {
				t.Errorf("%q: the user was told %q", scope, lines)
			}
		}
	}
}
