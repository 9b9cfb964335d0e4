package link_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/venue/internal/link"
)

// pace_test.go owns the arithmetic of a pace; what a service sees of it is tested with
// the connections that keep to it.

// sent is when so many requests may go that are answered after a while, counted from
// now.
func sent(t *testing.T, p *link.Pace, born time.Time, n int, answered time.Duration) []time.Duration {
	t.Helper()
	began, times := time.Now(), []time.Duration{}
	for range n {
		permit, err := p.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(began))
		time.AfterFunc(answered, func() { permit.Answered(int64(time.Since(born)) + 1) })
	}
	return times
}

func TestNoMoreThanTheLimitGoWithinASpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		born := time.Now()
		times := sent(t, link.NewPace(3, time.Minute, born), born, 9, time.Second)
		for i, at := range times {
			if want := time.Duration(i/3) * 61 * time.Second; at < want-time.Second || at > want {
				t.Errorf("%d went after %v, want %v", i, at, want)
			}
		}
		time.Sleep(time.Second)
	})
}

func TestAnswersThatDoNotComeHoldUpBoundedly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		born := time.Now()
		times := sent(t, link.PerSecond(1, born), born, 3, time.Hour)
		if last := times[2]; last != 3*time.Second { // a second each, and half a second under way
			t.Error(times)
		}
		time.Sleep(time.Hour)
	})
}

func TestRatesBelowAndFarAboveOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		born := time.Now()
		if times := sent(t, link.PerSecond(0.1, born), born, 2, 0); times[1] != 10*time.Second {
			t.Error(times)
		}
		if times := sent(t, link.PerSecond(1e6, born), born, 3000, 0); times[2999] > 10*time.Millisecond {
			t.Error(times[2999])
		}
		synctest.Wait()
	})
}

func TestALateWriteCountsFromTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		born := time.Now()
		pace := link.PerSecond(1, born)
		now := func() int64 { return int64(time.Since(born)) + 1 }
		first, _ := pace.Wait(t.Context())
		time.Sleep(700 * time.Millisecond)
		first.Left(now())
		first.Answered(now())
		if _, err := pace.Wait(t.Context()); err != nil || time.Since(born) != 1700*time.Millisecond {
			t.Error(time.Since(born), err)
		}
		first.Left(now() + int64(time.Hour)) // the slot is another's by now
		first.Answered(now())
		began := time.Now()
		if _, err := pace.Wait(t.Context()); err != nil || time.Since(began) != 1500*time.Millisecond {
			t.Error(time.Since(began), err)
		}
	})
}

func TestGivingUpUsesNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		born := time.Now()
		pace := link.NewPace(1, time.Minute, born)
		_, _ = pace.Wait(t.Context())
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if _, err := pace.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if _, err := pace.Wait(t.Context()); err != nil || time.Since(born) > 61*time.Second {
			t.Error(time.Since(born), err)
		}
	})
}
