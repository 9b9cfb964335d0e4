package venuekey

import (
	"context"
	"time"
)

// sight.go owns the look whether a venue answers again, before a chance is used
// that does not come twice. After an outage thousands of records may wait for it,
// and one look does for all of them.

const (
	// probeDeadline is how long a venue may take to be seen.
	probeDeadline = 10 * time.Second
	// seenFor is how long a venue that was seen is taken to answer, and unseenFor how
	// long one that was not is left alone.
	seenFor   = 2 * time.Second
	unseenFor = 5 * time.Second
)

// sight is the last look at a venue.
type sight struct {
	// turn holds an item while somebody looks.
	turn  chan struct{}
	until time.Time // when it has to be looked again
	err   error
}

func (k *Keeper) sight(venue string) *sight {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.sights[venue]
	if !ok {
		s = &sight{turn: make(chan struct{}, 1)}
		k.sights[venue] = s
	}
	return s
}

// seen looks whether the venue answers again. A venue that cannot be probed is
// taken to answer.
func (k *Keeper) seen(ctx context.Context, venue Venue, app App) error {
	prober, ok := venue.(Prober)
	if !ok {
		return nil
	}
	s := k.sight(venue.Name())
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return &Error{Class: ClassLater, Err: ctx.Err()}
	}
	if time.Now().Before(s.until) {
		return s.err
	}
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	s.err = said(prober.Probe(ctx, app), venue, app)
	life := seenFor
	if s.err != nil {
		life = unseenFor
		if grace := venue.Policy().Grace; grace > 0 {
			life = min(life, grace/8)
		}
	}
	s.until = time.Now().Add(life)
	return s.err
}
