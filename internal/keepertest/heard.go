package keepertest

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/venuekey/venuekey"
)

// heard.go owns what a program hears of a Keeper's events.

// Heard is what a program was told, inside a bubble of virtual time.
type Heard struct {
	t    testing.TB
	mu   sync.Mutex
	list []venuekey.Event
}

// Listen begins to listen, and has heard how everything stands.
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

// Take gives what was told since the last call, without what merely passes.
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

// Want checks what was told since the last call, as "kind state".
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
