package emulator

// This file owns the board on which a running venue's knobs are turned.

import (
	"encoding/json"
	"reflect"
	"sync"
)

// Board holds the knobs of a running venue: a plain struct of public fields that
// is copied in and out, so that a request sees one state of all knobs. K must be
// comparable: a struct with maps or slices would be shared and not copied.
//
// In JSON the knobs go by the names of their fields, in any case, and durations
// are strings such as "90s".
type Board[K comparable] struct {
	mu    sync.RWMutex
	start K
	now   K
}

// NewBoard makes a board that stands as k says, and goes back there on Reset.
func NewBoard[K comparable](k K) *Board[K] { return &Board[K]{start: k, now: k} }

// Current is a copy of the knobs.
func (b *Board[K]) Current() K {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.now
}

// Tune changes knobs.
func (b *Board[K]) Tune(change func(*K)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.now)
}

// Reset puts the knobs back to where they stood at the start.
func (b *Board[K]) Reset() { b.Tune(func(k *K) { *k = b.start }) }

// Merge turns the knobs that the JSON object names and leaves the others. On an
// error nothing is turned.
func (b *Board[K]) Merge(object []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := b.now
	if err := mergeFields(reflect.ValueOf(&next).Elem(), object, ""); err != nil {
		return err
	}
	b.now = next
	return nil
}

// MarshalJSON shows all knobs.
func (b *Board[K]) MarshalJSON() ([]byte, error) {
	return json.Marshal(showFields(reflect.ValueOf(b.Current())))
}
