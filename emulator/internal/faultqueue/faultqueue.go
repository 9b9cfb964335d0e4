// Package faultqueue has the queue of the faults that tests inject into an emulated venue.
package faultqueue

import (
	"iter"
	"slices"
	"sync"
)

// Queue holds faults in the order in which they were added. The zero value is an empty
// queue. It is safe for concurrent use.
type Queue[F any] struct {
	mu   sync.Mutex
	list []order[F]
}

type order[F any] struct {
	fault       F
	times, skip int
}

// Add adds a fault that strikes a number of times (0 means once, -1 always), after it has
// let skip matches pass.
func (q *Queue[F]) Add(fault F, times, skip int) {
	if times == 0 {
		times = 1
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, order[F]{fault, times, skip})
}

// Clear removes all faults.
func (q *Queue[F]) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = nil
}

// Pending iterates over the faults in the queue, each with the number of strikes left.
func (q *Queue[F]) Pending() iter.Seq2[F, int] {
	q.mu.Lock()
	list := slices.Clone(q.list)
	q.mu.Unlock()
	return func(yield func(F, int) bool) {
		for _, o := range list {
			if !yield(o.fault, o.times) {
				return
			}
		}
	}
}

// Take returns the first fault that matches and has nothing left to skip, and uses up one
// of its strikes. It returns nil if there is none.
func (q *Queue[F]) Take(matches func(F) bool) *F {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.list {
		o := &q.list[i]
		if !matches(o.fault) {
			continue
		}
		if o.skip > 0 {
			o.skip--
			continue
		}
		fault := o.fault
		if o.times > 0 {
			o.times--
		}
		if o.times == 0 {
			q.list = slices.Delete(q.list, i, i+1)
		}
		return &fault
	}
	return nil
}
