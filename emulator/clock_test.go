package emulator

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c Clock
		start := time.Now()
		if !c.Now().Equal(start) {
			t.Error("the zero clock is not the wall clock")
		}
		c.Advance(time.Hour)
		if got := c.Now().Sub(start.Round(0)); got != time.Hour {
			t.Errorf("advanced by %v", got)
		}
		there := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
		c.Set(there)
		time.Sleep(time.Second) // the bubble's time: no waiting
		if got := c.Now().Sub(there); got != time.Second {
			t.Errorf("a set clock runs on by %v in a second", got)
		}
		c.Advance(-c.Offset())
		if !c.Now().Equal(time.Now()) {
			t.Error("the clock does not come back")
		}
	})
}

func TestLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Log
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		go func() { done <- l.Wait(ctx, EventRefreshGranted, 2) }()
		go func() { done <- l.Wait(ctx, EventPenalty, 1) }()
		synctest.Wait()
		l.Add(Event{Kind: EventRefreshGranted})
		l.Add(Event{Kind: EventRefreshRefused})
		synctest.Wait()
		if len(done) != 0 {
			t.Fatal("waiting ended too early")
		}
		l.Add(Event{Kind: EventRefreshGranted})
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-done; err != context.Canceled {
			t.Fatalf("waiting on a dead context: %v", err)
		}
		if l.Count(EventRefreshGranted) != 2 || len(l.Events()) != 3 {
			t.Errorf("log: %+v", l.Events())
		}
		if since := l.Since(2); len(since) != 1 || since[0].Seq != 3 {
			t.Errorf("since 2: %+v", since)
		}
		if since := l.Since(99); len(since) != 0 {
			t.Errorf("since 99: %+v", since)
		}
		l.Clear()
		l.Add(Event{})
		if e := l.Events(); len(e) != 1 || e[0].Seq != 4 {
			t.Errorf("numbering after a reset: %+v", e)
		}
	})
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	if got := Fingerprint("abc"); got != "ba7816bf8f01" { // FIPS 180-2, appendix B.1
		t.Error(got)
	}
	if got := Fingerprint(""); got != "" {
		t.Error(got)
	}
}
