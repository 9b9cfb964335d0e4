// Package faultqueue is the queue of what is to go wrong at an emulated
// venue.
package faultqueue

import (
	"iter"
	"slices"
	"sync"
)

// Queue holds orders in the order in which they came. The zero value is empty
// and ready, and safe for concurrent use.
type Queue[F any] struct {
	mu   sync.Mutex
	list []order[F]
}

type order[F any] struct {
	fault       F
	times, skip int
}

// Add orders a fault for so many hits, -1 for all and 0 for one, after so many
// that are let pass.
func (q *Queue[F]) Add(fault F, times, skip int) {
	if times == 0 {
		times = 1
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, order[F]{fault, times, skip})
}

// Clear takes all orders back.
func (q *Queue[F]) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = nil
}

// Pending is what still waits, with how many hits are left.
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

// Take uses up the first order that matches, if one does and is not to let this
// pass; nil if none.
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
