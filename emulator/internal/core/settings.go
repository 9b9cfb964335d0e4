package core

import (
	"encoding/json"
	"reflect"
	"sync"
)

// settings.go owns the knobs of a running venue: how they are read, changed and put
// back.

// Knobs are [Settings] of any knobs.
type Knobs interface {
	json.Marshaler
	Merge(object []byte) error
	Reset()
}

// Settings hold the knobs of a running venue: a plain struct of public fields that
// is copied in and out, so that a request sees one state of all knobs. K must be
// comparable: a struct with maps or slices would be shared and not copied.
//
// In JSON the knobs go by the names of their fields, in any case, and durations
// are strings such as "90s".
type Settings[K comparable] struct {
	mu    sync.RWMutex
	start K
	now   K
}

// NewSettings stand as k says, and go back there on Reset.
func NewSettings[K comparable](k K) *Settings[K] { return &Settings[K]{start: k, now: k} }

// Current is a copy of the knobs.
func (s *Settings[K]) Current() K {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now
}

// Tune changes knobs.
func (s *Settings[K]) Tune(change func(*K)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.now)
}

// Reset puts the knobs back to where they stood at the start.
func (s *Settings[K]) Reset() { s.Tune(func(k *K) { *k = s.start }) }

// Merge turns the knobs that the JSON object names and leaves the others. On an
// error nothing is turned.
func (s *Settings[K]) Merge(object []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.now
	if err := mergeFields(reflect.ValueOf(&next).Elem(), object, ""); err != nil {
		return err
	}
	s.now = next
	return nil
}

// MarshalJSON shows all knobs.
func (s *Settings[K]) MarshalJSON() ([]byte, error) {
	return json.Marshal(showFields(reflect.ValueOf(s.Current())))
}
