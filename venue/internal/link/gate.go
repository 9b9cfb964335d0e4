package link

import (
	"context"
	"sync"
)

// gate.go owns waiting for what a state is to become.

// Gate is the lock of a state that others wait for. The zero value is ready.
type Gate struct {
	sync.Mutex
	changed chan struct{} // closed at the next change; nil if nobody waits
}

// Changed has those who wait look again. The Gate is locked.
func (g *Gate) Changed() {
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// Wait waits until the condition is met or has an error, which it returns. It is asked
// at once and after each change, with the Gate locked. If the context ends first Wait
// returns the context's error.
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
