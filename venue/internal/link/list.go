package link

import (
	"slices"
	"sync"
	"sync/atomic"
)

// list.go owns who is listening.

// List is who listens to a connection. Listeners come and go rarely, and for every event
// all of them are looked at: so the list is replaced, never modified, and reading it takes
// no lock. The zero value is ready to use.
type List[T any] struct {
	mu  sync.Mutex
	all atomic.Pointer[[]*T]
}

// All returns the listeners in the order in which they came. It must not be modified.
func (l *List[T]) All() []*T {
	if all := l.all.Load(); all != nil {
		return *all
	}
	return nil
}

// Add adds a listener, and returns a function that removes it.
func (l *List[T]) Add(listener *T) (remove func()) {
	l.change(func(all []*T) []*T { return append(all, listener) })
	return func() {
		l.change(func(all []*T) []*T { return slices.DeleteFunc(all, func(one *T) bool { return one == listener }) })
	}
}

// change replaces the list with an edited copy.
func (l *List[T]) change(edit func([]*T) []*T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := edit(slices.Clone(l.All()))
	l.all.Store(&all)
}
