package venuekey

import (
	"context"
	"sync"
	"time"
)

// sight.go owns the look whether a venue answers, before a chance is used that does
// not come twice.

const (
	// probeDeadline is how long a venue may take to be seen.
	probeDeadline = 10 * time.Second
	// sightLife is how long a look counts, for all sign-ins of an app: thousands may
	// wait for the venue.
	sightLife = time.Second
)

// sight is the last look at the venue of an app.
type sight struct {
	mu    sync.Mutex
	until time.Time
	err   error
}

// seen looks whether the venue answers. One that cannot be probed is taken to.
func (k *Keeper) seen(ctx context.Context, venue Venue, app App) error {
	prober, ok := venue.(Prober)
	if !ok {
		return nil
	}
	s := &k.purse(app.Venue).sight
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.until) {
		return s.err
	}
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	s.err = prober.Probe(ctx, app)
	s.until = time.Now().Add(sightLife)
	return s.err
}
