package audit

import (
	"fmt"
	"time"
)

// flood.go owns that nobody pushes the history out of the log by asking for what they may
// not have: that costs them nothing, and lines push lines out.

const (
	// mostRefusals may be written at once, and one more each refusalPause: at that rate the
	// usual log holds a week.
	mostRefusals = 100
	refusalPause = time.Second
	// floodPause is how often a flood is told.
	floodPause = time.Minute
)

// flood bounds the lines about refusals.
type flood struct {
	full    time.Time // when as many as possible may be written again, as with a leaky bucket
	count   int       // the refusals that were not written, since the time in since
	since   time.Time
	bounded bool
}

// takes reports whether a refusal gets no line of its own, and counts it.
func (f *flood) takes(e Entry, now time.Time) bool {
	if !f.bounded || e.Outcome == OutcomeGiven || e.Durable {
		return false
	}
	if f.full.Before(now) {
		f.full = now
	}
	if f.full.Sub(now) <= (mostRefusals-1)*refusalPause {
		f.full = f.full.Add(refusalPause)
		return false
	}
	if f.count++; f.count == 1 {
		f.since = now
	}
	return true
}

// due reports whether the flood is to be told.
func (f *flood) due(now time.Time) bool { return f.count > 0 && now.Sub(f.since) >= floodPause }

func (f *flood) note() string {
	return fmt.Sprintf("refusals since %s were too many for a line each: %d more", f.since.UTC().Format(time.RFC3339), f.count)
}
