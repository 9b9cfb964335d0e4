package emulator

import (
	"sync"
	"time"
)

// clock.go owns the movable clock.

// Clock is the time an emulated venue lives by. The zero value runs with the
// wall clock. After Advance or Set it runs on from where it was put: codes and
// tokens age at once, timers of the program under test do not notice.
//
// A Clock may be shared by several venues and is safe for concurrent use.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
}

// Now is the wall clock plus the offset. The reading carries no monotonic part,
// so that a suspended machine ages tokens as a venue on the internet would.
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

// Set puts the clock to t, from where it runs on.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = t.Sub(time.Now().Round(0))
}

// Offset is how far the clock is from the wall clock.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}
