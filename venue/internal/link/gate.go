package link

import (
	"context"
	"sync"
)

// gate.go owns waiting for a condition on shared state.

// Gate is a mutex that goroutines can wait on until the state that it guards meets a
// condition: a sync.Cond that heeds contexts. The zero value is ready to use.
type Gate struct {
	sync.Mutex
	changed chan struct{} // closed at the next change; nil if no goroutine waits
}

// Changed wakes the waiters, which check their conditions again. The caller holds the
// lock.
func (g *Gate) Changed() {
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// Wait waits until the condition is met, or returns an error, which Wait returns. The
// condition is called at once and after each change, with the Gate locked. If the
// context ends first, Wait returns the context's error. The caller must not hold the
// lock.
func (g *Gate) Wait(ctx context.Context, condition func() (met bool, err error)) error {
	for {
		g.Lock()
		met, err := condition()
		if met || err != nil {
			g.Unlock()
			return err
		}
		if g.changed == nil {
			g.changed = make(chan struct{})
		}
		changed := g.changed
		g.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
