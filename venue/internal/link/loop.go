package link

import (
	"context"
	"math/rand/v2"
	"time"
)

// loop.go owns reconnecting, and the back-off between tries.

const (
	// firstWait and lastWait bound the back-off.
	firstWait = 500 * time.Millisecond
	lastWait  = time.Minute
	// Steady is how long a connection or session must have lasted to reset the back-off.
	Steady = 30 * time.Second
)

// Loop keeps a connection up. All fields are required.
type Loop struct {
	// Session runs one connection from start to end, and returns why it ended.
	Session func(ctx context.Context) error
	// Final reports whether an error ends the loop, because only a person can help.
	Final func(error) bool
	// Floor returns how long the venue asked us to wait, or 0 if it did not.
	Floor func(error) time.Duration
	// Waits is called before each pause, with the error that ended the session.
	Waits func(err error, wait time.Duration)
}

// Run runs one session after another until the context ends, and then returns the
// context's error, or until a session ends with a final error, and then returns that.
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

// Backoff returns how long to wait before the next try, after try earlier failures in a
// row: the delay doubles each time from half a second to a minute, jitter takes off up
// to half of it, and it is never less than floor.
func Backoff(try int, floor time.Duration) time.Duration {
	wait := lastWait
	if try < 7 {
		wait = min(lastWait, firstWait<<try)
	}
	return max(floor, wait/2+rand.N(wait/2))
}

// Scatter returns a short random duration, to spread out programs that were all asked to
// return at the same moment.
func Scatter() time.Duration { return rand.N(firstWait) }
