package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// summary.go owns the line that sums up all sign-ins.

// summary counts sign-ins by their state.
type summary struct {
	total  int
	states map[venuekey.State]int
	venues []string
	// leftAlone says until when a venue asked to be left alone, by its name.
	leftAlone map[string]time.Time
}

func (s *summary) add(status venuekey.Status) {
	state := status.State
	if status.Err != nil {
		state = "unreadable"
	}
	s.total++
	if s.states == nil {
		s.states = map[venuekey.State]int{}
	}
	s.states[state]++
	if !slices.Contains(s.venues, status.ID.Venue) {
		s.venues = append(s.venues, status.ID.Venue)
	}
	if !status.LeftAloneUntil.IsZero() {
		if s.leftAlone == nil {
			s.leftAlone = map[string]time.Time{}
		}
		s.leftAlone[status.ID.Venue] = status.LeftAloneUntil
	}
}

// tellLeftAlone prints which venues asked to be left alone, and until when.
func (s summary) tellLeftAlone(p *program) {
	for _, venue := range slices.Sorted(maps.Keys(s.leftAlone)) {
		p.tell("%s is left alone until %s, as the venue asked", venue, until(s.leftAlone[venue]))
	}
}

// String returns "3 sign-ins (2 fresh, 1 needs sign-in)", the worst last.
func (s summary) String() string {
	var parts []string
	for _, state := range []venuekey.State{
		venuekey.StateFresh, venuekey.StateDue, venuekey.StateRefreshing, venuekey.StateDegraded,
		venuekey.StateUncertain, venuekey.StateExpired, venuekey.StateNeedsSignIn, "unreadable",
	} {
		if n := s.states[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	noun := "sign-ins"
	if s.total == 1 {
		noun = "sign-in"
	}
	return fmt.Sprintf("%d %s (%s)", s.total, noun, strings.Join(parts, ", "))
}

// tellEmulated prints which of the venues are emulated.
func (p *program) tellEmulated(ctx context.Context, v *local.Vault, names []string) {
	var emulated []string
	for _, name := range names {
		venue, known := p.venueOf(name)
		if !known {
			continue
		}
		if app, _, err := v.App(ctx, venue.Name()); err == nil && environ.EmulatedAt(app) != "" {
			emulated = append(emulated, name)
		}
	}
	if len(emulated) > 0 {
		p.tell("emulated, not the real venue: %s", strings.Join(emulated, ", "))
	}
}

// several is a number with its noun, in the plural if needed.
func several(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// isAre is several with its verb.
func isAre(n int, thing string) string {
	if n == 1 {
		return several(n, thing) + " is"
	}
	return several(n, thing) + " are"
}
