// Package journal has the log of what happened at an emulated venue. Tests count its
// entries and wait for them.
package journal

import (
	"context"
	"slices"
	"sync"
)

// Journal keeps entries in order, and numbers them from 1. The zero value is an empty
// journal. It is safe for concurrent use.
type Journal[E any] struct {
	mu      sync.Mutex
	entries []E
	last    int           // number of the newest
	grown   chan struct{} // closed when an entry is added; nil if no goroutine waits
}

// Add calls entry with the next number, and appends what it returns.
func (j *Journal[E]) Add(entry func(number int) E) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	j.entries = append(j.entries, entry(j.last))
	if j.grown != nil {
		close(j.grown)
		j.grown = nil
	}
}

// Since returns a copy of the entries with greater numbers.
func (j *Journal[E]) Since(number int) []E {
	j.mu.Lock()
	defer j.mu.Unlock()
	forgotten := j.last - len(j.entries)
	return slices.Clone(j.entries[min(len(j.entries), max(0, number-forgotten)):])
}

// Count returns the number of entries that match.
func (j *Journal[E]) Count(matches func(E) bool) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.count(matches)
}

func (j *Journal[E]) count(matches func(E) bool) (n int) {
	for _, entry := range j.entries {
		if matches(entry) {
			n++
		}
	}
	return n
}

// Wait waits until at least n entries match. If the context ends first, it returns the
// context's error.
func (j *Journal[E]) Wait(ctx context.Context, n int, matches func(E) bool) error {
	for {
		j.mu.Lock()
		if j.count(matches) >= n {
			j.mu.Unlock()
			return nil
		}
		if j.grown == nil {
			j.grown = make(chan struct{})
		}
		grown := j.grown
		j.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Clear removes all entries. Numbering continues, so the number of a reader stays valid.
func (j *Journal[E]) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = nil
}
