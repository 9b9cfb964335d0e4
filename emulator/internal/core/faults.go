package core

import (
	"slices"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/faultqueue"
)

// faults.go owns the queue of injected faults. What each does on the wire is in
// faultwire.go.

// Faults is the queue of injected faults. The zero value is an empty queue. It is safe for
// concurrent use.
type Faults struct {
	queue faultqueue.Queue[emulator.Fault]
}

// Add adds a fault. The first one that matches a request strikes it.
func (q *Faults) Add(f emulator.Fault) error {
	if err := f.Valid(); err != nil {
		return err
	}
	q.queue.Add(f, f.Times, f.Skip)
	return nil
}

// Clear removes all faults.
func (q *Faults) Clear() { q.queue.Clear() }

// Pending returns the faults in the queue, with Times as it remains.
func (q *Faults) Pending() (list []emulator.Fault) {
	for f, left := range q.queue.Pending() {
		f.Times = left
		list = append(list, f)
	}
	return list
}

// Take uses up the fault for a request with these names, if there is one.
func (q *Faults) Take(names ...emulator.Endpoint) (emulator.Fault, bool) {
	f := q.queue.Take(func(f emulator.Fault) bool { return f.On == emulator.AtAny || slices.Contains(names, f.On) })
	if f == nil {
		return emulator.Fault{}, false
	}
	return *f, true
}
