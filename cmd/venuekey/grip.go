package main

import (
	"sync"
	"time"
)

// grip.go owns whether this run holds something that would be lost with it. A run that holds
// nothing ends soon after the first signal, even if it waits for a dead disk, which nothing
// interrupts.

// grace is how long a run that holds nothing has for an orderly end.
const grace = 2 * time.Second

// grip counts what is held. The zero value holds nothing.
type grip struct {
	mu   sync.Mutex
	held int
}

// take holds something. If the run is already ending because nothing is held, take blocks
// until then.
func (g *grip) take() {
	if g == nil {
		return
	}
	g.mu.Lock()
	g.held++
	g.mu.Unlock()
}

func (g *grip) give() {
	if g == nil {
		return
	}
	g.mu.Lock()
	g.held--
	g.mu.Unlock()
}

// end calls die, which does not return, as soon as nothing is held.
func (g *grip) end(die func()) {
	for {
		time.Sleep(grace)
		g.mu.Lock()
		if g.held == 0 {
			die() // with the lock held, so that nothing more is taken
		}
		g.mu.Unlock()
	}
}
