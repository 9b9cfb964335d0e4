package link_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/venue/internal/link"
)

// loop_test.go owns the stories of connections that end.

// outage is why a session of a test ended.
type outage struct {
	floor time.Duration
	final bool
}

func (outage) Error() string { return "outage" }

// looped is a Loop over sessions of a test, and what it waited.
func looped(session func(ctx context.Context, n int) error) (link.Loop, *[]time.Duration) {
	n, waits := 0, []time.Duration{}
	return link.Loop{
		Session: func(ctx context.Context) error {
			n++
			return session(ctx, n)
		},
		Final: func(err error) bool {
			var known outage
			return errors.As(err, &known) && known.final
		},
		Floor: func(err error) time.Duration {
			var known outage
			errors.As(err, &known)
			return known.floor
		},
		Waits: func(_ error, wait time.Duration) { waits = append(waits, wait) },
	}, &waits
}

func TestALongOutageIsWaitedForInPausesThatGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop, waits := looped(func(_ context.Context, n int) error { return outage{final: n == 12} })
		began := time.Now()
		if err := loop.Run(t.Context()); !errors.Is(err, outage{final: true}) {
			t.Error(err)
		}
		whole := 500 * time.Millisecond
		for i, wait := range *waits {
			if wait < whole/2 || wait > whole {
				t.Errorf("pause %d is %v, of %v", i, wait, whole)
			}
			whole = min(time.Minute, 2*whole)
		}
		total := time.Duration(0)
		for _, wait := range *waits {
			total += wait
		}
		if len(*waits) != 11 || time.Since(began) != total {
			t.Error(len(*waits), "pauses of", total, "in", time.Since(began))
		}
	})
}

func TestAConnectionThatLivedMakesTheNextPauseShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop, waits := looped(func(_ context.Context, n int) error {
			if n == 8 {
				time.Sleep(link.Steady + time.Second)
			}
			return outage{final: n == 9}
		})
		_ = loop.Run(t.Context())
		if last := (*waits)[7]; last > 500*time.Millisecond {
			t.Error(*waits)
		}
	})
}

func TestThePauseIsAtLeastWhatTheVenueAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop, waits := looped(func(_ context.Context, n int) error { return outage{floor: time.Hour, final: n == 3} })
		_ = loop.Run(t.Context())
		if !slices.Equal(*waits, []time.Duration{time.Hour, time.Hour}) {
			t.Error(*waits)
		}
	})
}

func TestTheEndOfTheContextEndsTheLoop(t *testing.T) {
	for name, session := range map[string]func(context.Context, int) error{
		"in a session": func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return outage{final: true}
		},
		"in a pause": func(context.Context, int) error { return outage{floor: time.Hour} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				loop, _ := looped(session)
				if err := loop.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second {
					t.Error(err, time.Since(began))
				}
			})
		})
	}
}

func TestBackoffIsNotTheSameForAll(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 20 {
		seen[link.Backoff(3, 0)] = true
		if wait := link.Backoff(1000, 0); wait < 30*time.Second || wait > time.Minute {
			t.Error(wait)
		}
		if little := link.Scatter(); little < 0 || little >= 500*time.Millisecond {
			t.Error(little)
		}
	}
	if len(seen) < 2 {
		t.Error(seen)
	}
}
