package emulator

import (
	"sync"
	"time"
)

// clock.go owns the movable clock.

// Clock is the clock of an emulated venue. The zero value shows the wall clock's time.
// Advance and Set move it, and it keeps running from there: codes and tokens age at once,
// but timers in the program under test do not notice.
//
// Several venues can share a Clock. It is safe for concurrent use.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
}

// Now returns the wall clock's time plus the offset. It has no monotonic reading, so that
// tokens age while the machine is suspended, as they would at a real venue.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset).Round(0)
}

// Advance moves the clock by d; a negative d moves it back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// Set sets the clock to t, from where it keeps running.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = t.Sub(time.Now().Round(0))
}

// Offset returns how far the clock is ahead of the wall clock.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}
