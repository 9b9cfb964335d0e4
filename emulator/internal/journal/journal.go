// Package journal owns the list of what happened at an emulated venue, which
// tests count in and wait for.
package journal

import (
	"context"
	"slices"
	"sync"
)

// Journal keeps entries in the order in which they came, and numbers them from
// 1. The zero value is empty and ready, and safe for concurrent use.
type Journal[E any] struct {
	mu      sync.Mutex
	entries []E
	last    int           // number of the newest
	grown   chan struct{} // closed and replaced when an entry comes
}

// Add appends the entry that is made with its number.
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

// Since is a copy of the entries with greater numbers.
func (j *Journal[E]) Since(number int) []E {
	j.mu.Lock()
	defer j.mu.Unlock()
	forgotten := j.last - len(j.entries)
	return slices.Clone(j.entries[min(len(j.entries), max(0, number-forgotten)):])
}

// Count is how many entries match.
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

// Wait blocks until at least n entries match, or ctx ends.
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

// Clear forgets the entries; numbering goes on, so that a reader's number stays
// good.
func (j *Journal[E]) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = nil
}
