package link_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey/venue/internal/link"
)

// gate_test.go owns which waiters a Gate lets through, and when.

func TestAGateReleasesAWaiterWhoseConditionIsMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate link.Gate
		state, through := 0, make(chan int, 3)
		for want := range 3 {
			go func() {
				if err := gate.Wait(t.Context(), func() (bool, error) { return state >= want, nil }); err != nil {
					t.Error(err)
				}
				through <- want
			}()
		}
		for want := range 3 {
			synctest.Wait()
			if len(through) != 1 || <-through != want {
				t.Fatal("another one is through at", want)
			}
			gate.Lock()
			state++
			gate.Changed()
			gate.Changed() // nobody waits now
			gate.Unlock()
		}
	})
}

func TestAGateGivesUpWithTheContextAndWithTheConditionsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate link.Gate
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := gate.Wait(ctx, func() (bool, error) { return false, nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := gate.Wait(ctx, func() (bool, error) { return true, nil }); err != nil {
			t.Error("what is met already needs no time:", err)
		}
		gone := errors.New("gone")
		if err := gate.Wait(t.Context(), func() (bool, error) { return false, gone }); !errors.Is(err, gone) {
			t.Error(err)
		}
		if !gate.TryLock() {
			t.Error("somebody left it locked")
		}
	})
}
