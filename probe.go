package venuekey

import (
	"context"
	"time"
)

// probe.go owns the look whether a venue answers again, before a chance is used
// that does not come twice. After an outage thousands of records may wait for it,
// and one look does for all of them.

const (
	// probeDeadline is how long a venue may take to be seen.
	probeDeadline = 10 * time.Second
	// seenFor is how long a venue that was seen is taken to answer, and unseenFor how
	// long one that was not is left alone.
	answeredFor = 2 * time.Second
	silentFor   = 5 * time.Second
)

// probeResult is the last look at a venue.
type probeResult struct {
	// probing holds an item while somebody looks.
	probing chan struct{}
	until   time.Time // when it has to be looked again
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

// probeVenue looks whether the venue answers again. A venue that cannot be probed is
// taken to answer.
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
	s.err = venueError(prober.Probe(ctx, app), venue, app)
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
