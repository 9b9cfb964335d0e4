package main

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// grip_test.go owns the end of runs that hold something, and of those that do not.

func TestARunThatHoldsNothingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g grip
		began := time.Now()
		ended := make(chan time.Duration, 1)
		g.take()
		go g.end(func() {
			if g.mu.TryLock() {
				t.Error("something can be taken while the run ends")
			}
			ended <- time.Since(began)
			g.mu.Unlock() // as if the process had ended
			runtime.Goexit()
		})
		time.Sleep(time.Hour)
		select {
		case <-ended:
			t.Fatal("it ended while something was held")
		default:
		}
		g.give()
		if after := <-ended - time.Hour; after > grace {
			t.Errorf("it ended %v after it held nothing any more", after)
		}
	})
}
