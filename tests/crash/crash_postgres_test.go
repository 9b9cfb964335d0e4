package crash_test

import (
	"testing"

	"github.com/venuekey/venuekey"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/internal/pgtest"
)

// The database goes away between the venue's answer and the save.
func TestADatabaseUnpluggedInTheMiddleOfARenewal(t *testing.T) {
	needs.Time(t, "a network is cut in real time")
	t.Parallel()
	server := pgtest.Start(t)
	s := newScene(t, server.Database(t), ctraderemu.Knobs{})
	keeper := s.program(t)
	s.ID = venuekey.ID{Venue: "ctrader", Name: "alice"}
	keepertest.SignIn(t, keeper, s.ID)
	first := refreshOf(t, keeper, s.ID)

	doomed := s.program(t)
	keepertest.OnStep(doomed, func(step string) {
		if step == "answered" {
			server.Halt(t, "immediate")
		}
	})
	token, err := doomed.Refresh(t.Context(), s.ID)
	if err != nil || !s.venue.Alive(string(token.Access)) {
		t.Fatalf("the token is in a spill file and was not given: %v", err)
	}
	for range 2 {
		if got, err := doomed.Token(t.Context(), s.ID); err != nil || got.Access != token.Access {
			t.Fatalf("while the database is away: %v", err)
		}
	}
	server.Resume(t)
	got, err := s.program(t).Token(t.Context(), s.ID)
	if err != nil || got.Access != token.Access {
		t.Fatalf("a program that starts afterwards: %v", err)
	}
	if files := keepertest.Spills(t, s.Spill); len(files) != 0 {
		t.Fatal(files)
	}
	if shown, _ := s.presentations(); shown[first] != 1 {
		t.Fatalf("presented %d times", shown[first])
	}
}
