package venuekey

import (
	"context"
	"time"
)

// probe.go owns probing whether a venue answers again, before a last chance is used.
// After an outage thousands of records may wait for that, and one probe serves them all.

const (
	// probeDeadline is how long a venue may take to answer a probe.
	probeDeadline = 10 * time.Second
	// answeredFor is how long an answer to a probe counts, and silentFor how long to
	// wait before the next probe of a venue that did not answer.
	answeredFor = 2 * time.Second
	silentFor   = 5 * time.Second
)

// probeResult is the result of the last probe of a venue.
type probeResult struct {
	// probing holds an item while a probe is in flight.
	probing chan struct{}
	until   time.Time // how long the result counts
	err     error
}

func (k *Keeper) lastProbe(venue string) *probeResult {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.probes[venue]
	if !ok {
		s = &probeResult{probing: make(chan struct{}, 1)}
		k.probes[venue] = s
	}
	return s
}

// probeVenue checks whether the venue answers. A venue that cannot be probed counts as
// answering.
func (k *Keeper) probeVenue(ctx context.Context, venue Venue, app App) error {
	prober, ok := venue.(Prober)
	if !ok {
		return nil
	}
	s := k.lastProbe(venue.Name())
	select {
	case s.probing <- struct{}{}:
		defer func() { <-s.probing }()
	case <-ctx.Done():
		return &Error{Class: ClassLater, Err: ctx.Err()}
	}
	if time.Now().Before(s.until) {
		return s.err
	}
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	s.err = venueError(prober.Probe(k.withTickets(ctx, venue), app), venue, app)
	life := answeredFor
	if s.err != nil {
		life = silentFor
		if grace := venue.Policy().Grace; grace > 0 {
			life = min(life, grace/8)
		}
	}
	s.until = time.Now().Add(life)
	return s.err
}
