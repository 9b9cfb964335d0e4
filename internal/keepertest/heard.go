package keepertest

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/venuekey/venuekey"
)

// heard.go owns the recording of a Keeper's events.

// Heard records a Keeper's events, inside a bubble of virtual time.
type Heard struct {
	t    testing.TB
	mu   sync.Mutex
	list []venuekey.Event
}

// Listen starts recording, and returns when the initial events have arrived.
func Listen(t testing.TB, keeper *venuekey.Keeper, only ...venuekey.ID) *Heard {
	t.Helper()
	h := &Heard{t: t}
	go func() {
		for event := range keeper.Events(t.Context(), only...) {
			h.mu.Lock()
			h.list = append(h.list, event)
			h.mu.Unlock()
		}
	}()
	synctest.Wait()
	return h
}

// Take returns the events since the last call, except EventChanged.
func (h *Heard) Take() (events []venuekey.Event) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range h.list {
		if event.Kind != venuekey.EventChanged {
			events = append(events, event)
		}
	}
	h.list = nil
	return events
}

// Want checks the events since the last call, as "kind state".
func (h *Heard) Want(want ...string) []venuekey.Event {
	h.t.Helper()
	events := h.Take()
	var got []string
	for _, event := range events {
		got = append(got, strings.TrimSpace(string(event.Kind)+" "+string(event.Status.State)))
	}
	if !slices.Equal(got, want) {
		h.t.Fatalf("told %q, want %q", got, want)
	}
	return events
}
