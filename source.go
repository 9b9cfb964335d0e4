package venuekey

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Source is a handle on one ID: "a good token, now". It comes from
// Keeper.Source and may be used by any number of goroutines.
type Source struct {
	keeper *Keeper
	id     ID
	fresh  atomic.Pointer[handout]
}

// handout is a token with the moment until which it may be given away without
// a look at the store.
type handout struct {
	token      Token
	generation int64
	until      int64 // Unix nanoseconds
}

// ID returns what the Source is a handle on.
func (s *Source) ID() ID { return s.id }

// Token returns a good token, renewing it first where it is due. Many callers
// cause one renewal. A caller whose context ends leaves; the renewal goes on.
//
// While the old token is still good, a renewal that takes long or fails is no
// reason for an error: the old one is returned. The returned token carries no
// refresh token. Errors answer NeedsSignIn, Temporary and Misconfigured.
//
// While the token is fresh, Token takes no lock, allocates nothing and asks
// neither the store nor the system's clock.
func (s *Source) Token(ctx context.Context) (Token, error) {
	if h := s.fresh.Load(); h != nil && s.keeper.clock.before(h.until) {
		return h.token, nil
	}
	return s.keeper.token(ctx, s)
}

// Refused reports an access token that the venue did not accept; see
// Keeper.Refused.
func (s *Source) Refused(ctx context.Context, access Secret) (Token, error) {
	return s.keeper.Refused(ctx, s.id, access)
}

func (s *Source) withdraw() { s.fresh.Store(nil) }

// offer publishes a token unless a newer one is already there.
func (s *Source) offer(h *handout) {
	for {
		old := s.fresh.Load()
		if old != nil && old.generation > h.generation {
			return
		}
		if s.fresh.CompareAndSwap(old, h) {
			return
		}
	}
}

// token is Source.Token when nothing fresh is at hand.
func (k *Keeper) token(ctx context.Context, s *Source) (Token, error) {
	token, record, err := k.Vault.Load(ctx, s.id)
	if err != nil {
		return Token{}, at(err, s.id, "token")
	}
	now := time.Now()
	alive, due := token.Valid(now), isDue(record, now)
	switch {
	case alive && !due:
		k.publish(s.id, token, record)
		return token.handedOut(), nil
	case !alive && record.NextRefresh.IsZero():
		return Token{}, &Error{ID: s.id, Op: "token", Class: Refused, Reason: orReason(record.Reason, "the access token expired and cannot be renewed")}
	case !alive && !due && record.Failures > 0:
		return Token{}, &Error{ID: s.id, Op: "token", Class: Later, RetryAfter: record.NextRefresh.Sub(now),
			Reason: "the access token expired and the last renewal failed: " + record.Reason}
	}
	var patience <-chan time.Time
	if venue, err := k.Venue(s.id.Venue); alive && err == nil && !venue.Policy().KillsAccess {
		timer := time.NewTimer(k.patience())
		defer timer.Stop()
		patience = timer.C
	}
	got, err := k.await(ctx, k.fly(ctx, s.id, record.Generation), patience)
	if err != nil && ctx.Err() == nil && token.Valid(time.Now()) {
		return token.handedOut(), nil
	}
	return got, err
}

// publish lets Sources hand the token out until it is due.
func (k *Keeper) publish(id ID, token Token, record Record) {
	until := token.Expires
	if !record.NextRefresh.IsZero() && record.NextRefresh.Before(until) {
		until = record.NextRefresh
	}
	k.clock.run()
	k.Source(id).offer(&handout{token: token.handedOut(), generation: record.Generation, until: until.UnixNano()})
}

// forget makes Sources look at the store again, and drops what was held for it.
func (k *Keeper) forget(id ID) {
	k.Source(id).withdraw()
	k.mu.Lock()
	delete(k.unsaved, id)
	k.mu.Unlock()
}

// flight is one renewal that any number of callers wait for.
type flight struct {
	generation int64
	done       chan struct{}
	token      Token
	err        error
}

// fly starts the renewal of a generation, or joins the one under way. It runs
// on a context of its own: a caller that leaves stops waiting, nothing more.
func (k *Keeper) fly(ctx context.Context, id ID, generation int64) *flight {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.flights[id]
	if before != nil && before.generation == generation {
		return before
	}
	f := &flight{generation: generation, done: make(chan struct{})}
	k.flights[id] = f
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*k.lease())
	k.flying.Go(func() {
		defer cancel()
		if before != nil {
			<-before.done
		}
		f.token, f.err = k.renew(ctx, id, generation)
		k.land(id, f)
	})
	return f
}

func (k *Keeper) land(id ID, f *flight) {
	k.mu.Lock()
	if k.flights[id] == f {
		delete(k.flights, id)
	}
	k.mu.Unlock()
	if f.err != nil {
		f.err = at(f.err, id, "refresh")
	}
	close(f.done)
}

// await waits for a flight, until the caller's context or patience ends.
func (k *Keeper) await(ctx context.Context, f *flight, patience <-chan time.Time) (Token, error) {
	select {
	case <-f.done:
		return f.token.handedOut(), f.err
	case <-ctx.Done():
		return Token{}, &Error{Op: "refresh", Class: Later, Reason: "the renewal goes on, but the caller stopped waiting", Err: ctx.Err()}
	case <-patience:
		return Token{}, &Error{Op: "refresh", Class: Later, Reason: "the renewal takes long"}
	}
}

// coarseClock tells the wall clock to within a tick without asking for it.
// Reading the system's clock takes longer than everything else that handing
// out a fresh token does. A timer follows the wall clock while somebody asks,
// and stops when nobody did for a tick, so that an idle Keeper costs nothing.
// After a suspend the timer fires within a tick of running time, so that the
// clock is never wrong for longer than that.
type coarseClock struct {
	now  atomic.Int64 // Unix nanoseconds; 0 while stopped
	used atomic.Bool
	mu   sync.Mutex
	on   bool
}

const clockTick = time.Second

func (c *coarseClock) before(until int64) bool {
	now := c.now.Load()
	if now == 0 || now >= until {
		return false
	}
	// Readers on many cores share this line: write it once a tick only.
	if !c.used.Load() {
		c.used.Store(true)
	}
	return true
}

func (c *coarseClock) run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Store(time.Now().UnixNano())
	if !c.on {
		c.on = true
		time.AfterFunc(clockTick, c.tick)
	}
}

func (c *coarseClock) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used.Swap(false) {
		c.now.Store(time.Now().UnixNano())
		time.AfterFunc(clockTick, c.tick)
		return
	}
	c.now.Store(0)
	c.on = false
}
