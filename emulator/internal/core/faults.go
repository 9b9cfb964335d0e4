package core

import (
	"slices"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/internal/faultqueue"
)

// faults.go owns the queue of faults that were ordered. How each one looks on the
// wire is in faultwire.go.

// Faults is the queue of ordered faults. The zero value is empty and ready, and
// safe for concurrent use.
type Faults struct {
	queue faultqueue.Queue[emulator.Fault]
}

// Add orders a fault. The first order that matches a request wins it.
func (q *Faults) Add(f emulator.Fault) error {
	if err := f.Valid(); err != nil {
		return err
	}
	q.queue.Add(f, f.Times, f.Skip)
	return nil
}

// Clear takes all orders back.
func (q *Faults) Clear() { q.queue.Clear() }

// Pending lists the orders that still wait; Times is what remains.
func (q *Faults) Pending() (list []emulator.Fault) {
	for f, left := range q.queue.Pending() {
		f.Times = left
		list = append(list, f)
	}
	return list
}

// Take uses up the fault for a request that goes by these names, if one waits.
func (q *Faults) Take(names ...emulator.Endpoint) (emulator.Fault, bool) {
	f := q.queue.Take(func(f emulator.Fault) bool { return f.On == emulator.AtAny || slices.Contains(names, f.On) })
	if f == nil {
		return emulator.Fault{}, false
	}
	return *f, true
}
