package link

import (
	"context"
	"math/rand/v2"
	"time"
)

// loop.go owns what happens when a connection ended.

const (
	// firstWait and lastWait bound the pause before the next try.
	firstWait = 500 * time.Millisecond
	lastWait  = time.Minute
	// Steady is how long something must have lived for its next failure to count as
	// the first.
	Steady = 30 * time.Second
)

// Loop keeps a connection alive. All fields are needed.
type Loop struct {
	// Session is one connection, from its beginning to its end; the error says why it
	// ended.
	Session func(ctx context.Context) error
	// Final reports whether an error ends the loop, since only a person can help.
	Final func(error) bool
	// Floor is how long the venue asked to be left alone, 0 if it did not.
	Floor func(error) time.Duration
	// Waits hears of each pause before it begins.
	Waits func(err error, wait time.Duration)
}

// Run has one session after the other until the context ends, and then returns its
// error; or until a session ends with an error that is final, and then returns that.
func (l Loop) Run(ctx context.Context) error {
	for try := 0; ; try++ {
		began := time.Now()
		err := l.Session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if l.Final(err) {
			return err
		}
		if time.Since(began) > Steady {
			try = 0
		}
		wait := Backoff(try, l.Floor(err))
		l.Waits(err, wait)
		if err := Pause(ctx, wait); err != nil {
			return err
		}
	}
}

// Backoff is how long to wait after so many tries in a row: between the half and the
// whole of a time that doubles, and at least the floor.
func Backoff(try int, floor time.Duration) time.Duration {
	wait := lastWait
	if try < 7 {
		wait = min(lastWait, firstWait<<try)
	}
	return max(floor, wait/2+rand.N(wait/2))
}

// Scatter is a little while, another one each time, so that not all programs come in
// the moment for which a venue asked them.
func Scatter() time.Duration { return rand.N(firstWait) }
