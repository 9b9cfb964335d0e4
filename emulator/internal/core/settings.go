package core

import (
	"encoding/json"
	"reflect"
	"sync"
)

// settings.go owns the knobs of a running venue: reading, changing and resetting them.

// Knobs are the [Settings] of any type of knobs.
type Knobs interface {
	json.Marshaler
	Merge(object []byte) error
	Reset()
}

// Settings hold the knobs of a running venue: a plain struct of public fields, which is
// copied in and out, so that a request sees all knobs in one state. K must be comparable,
// since maps and slices would be shared, not copied.
//
// In JSON, knobs have their field names, in any case, and durations are strings such as
// "90s".
type Settings[K comparable] struct {
	mu    sync.RWMutex
	start K
	now   K
}

// NewSettings returns settings with the knobs k, to which Reset returns.
func NewSettings[K comparable](k K) *Settings[K] { return &Settings[K]{start: k, now: k} }

// Current returns a copy of the knobs.
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

// Reset restores the knobs of the start.
func (s *Settings[K]) Reset() { s.Tune(func(k *K) { *k = s.start }) }

// Merge sets the knobs that the JSON object contains and keeps the others. After an error
// nothing has changed.
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

// MarshalJSON returns all knobs.
func (s *Settings[K]) MarshalJSON() ([]byte, error) {
	return json.Marshal(showFields(reflect.ValueOf(s.Current())))
}
