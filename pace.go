package venuekey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// pace.go owns how fast renewals go to a venue. After an outage everything is due at
// once; a budget per venue and app then limits the rate. It is a note in the store, so
// that all machines share it (note.go), and a record by itself, so that bookkeeping never
// competes with a token for a version.
//
// A venue that sends a long Retry-After does not cost every sign-in: a token that is
// about to expire is tried once more all the same, and while tokens are expired, one of
// them is tried every hour, over all machines. The first renewal that succeeds opens the
// budget again.

const (
	defaultPace  = 200 * time.Millisecond
	defaultBurst = 10
	// permitLife is how long a permit that was taken in advance is valid.
	permitLife = 10 * time.Second
	// longestQueue is how long a renewal waits for its permit; beyond that it is
	// put off, so that it holds nothing up.
	longestQueue = 30 * time.Second
	// closureKnown is how long a program believes that a budget is closed before it
	// checks again: another program may have opened it.
	closureKnown = time.Minute
	// longestClosure bounds what a venue's Retry-After can do.
	longestClosure = 24 * time.Hour
)

// need is how badly a token needs its renewal while the budget is closed.
type need int

const (
	canWait  need = iota
	isDead        // it has expired; one of these is tried every hour
	lastCall      // it is about to expire
)

func needOf(token Token, now time.Time) need {
	switch {
	case token.Access == "" || !now.Before(token.Expires):
		return isDead
	case !now.Before(lastTry(token)):
		return lastCall
	default:
		return canWait
	}
}

// localBudget holds permits that this process took in advance, so that many renewals
// cost one write.
type localBudget struct {
	mu      sync.Mutex
	permits int
	until   time.Time
	// closed is until when the budget is closed, and believed until when that is not
	// checked again.
	closed, believed time.Time
}

func (k *Keeper) localBudget(venue string) *localBudget {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.budgets[venue]
	if !ok {
		p = new(localBudget)
		k.budgets[venue] = p
	}
	return p
}

// acquire waits until the budget has room for one more renewal. If the wait is too long
// it returns an error of ClassLater with RetryAfter set. A store that does not answer is
// no reason to hold up a renewal: the claim that follows asks it again.
func (k *Keeper) acquire(ctx context.Context, app App, policy Policy, how need) error {
	p := k.localBudget(app.Venue)
	for waited := time.Duration(0); ; {
		wait := k.tryAcquire(ctx, p, app, policy, how)
		if wait <= 0 {
			return nil
		}
		if waited+wait > longestQueue {
			return &Error{Class: ClassLater, RetryAfter: wait, Reason: fmt.Sprintf("%s is not asked for another %s: its budget of renewals is used up, or it asked for a pause", app.Venue, wait.Round(time.Second))}
		}
		if err := pause(ctx, wait); err != nil {
			return &Error{Class: ClassLater, RetryAfter: wait, Reason: "the renewal waits for its turn", Err: err}
		}
		waited += wait
	}
}

// tryAcquire takes a permit from the local budget, refilling it from the store if it is
// empty, or returns how long to wait.
func (k *Keeper) tryAcquire(ctx context.Context, p *localBudget, app App, policy Policy, how need) (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if wait := p.closed.Sub(now); wait > 0 && how == canWait && now.Before(p.believed) {
		return wait
	}
	if p.permits == 0 || now.After(p.until) {
		burst := app.burst(policy)
		granted, wait, err := k.Vault.takeBudget(ctx, k.budgetKey(app, policy), app.pace(policy), burst, max(burst/2, 1), how)
		if err != nil {
			k.log().Error("the budget of renewals cannot be read", "venue", app.Venue, "error", systemError(err))
			return 0
		}
		if granted == 0 {
			if wait > app.pace(policy) {
				p.closed, p.believed = now.Add(wait), now.Add(closureKnown)
			}
			return wait
		}
		p.permits, p.until = granted, now.Add(permitLife)
	}
	p.permits--
	return 0
}

// closeFor closes the budget of a venue that sent Retry-After, for all machines.
func (k *Keeper) closeFor(ctx context.Context, app App, policy Policy, wait time.Duration) {
	wait = min(wait, longestClosure)
	wait += time.Duration(rand.Float64() * float64(wait) / 10)
	p := k.localBudget(app.Venue)
	p.mu.Lock()
	p.closed, p.believed, p.permits = time.Now().Add(wait), time.Now().Add(closureKnown), 0
	p.mu.Unlock()
	if err := k.Vault.closeBudget(ctx, k.budgetKey(app, policy), wait); err != nil {
		k.log().Error("the budget of renewals cannot be written", "venue", app.Venue, "error", systemError(err))
	}
}

// reopen ends a closure, since the venue just renewed a token. After a renewal that did
// not wait for the budget (unpaced), it checks the store even if no closure is known.
func (k *Keeper) reopen(ctx context.Context, app App, policy Policy, unpaced bool) {
	p := k.localBudget(app.Venue)
	p.mu.Lock()
	closed := time.Now().Before(p.closed)
	p.closed = time.Time{}
	p.mu.Unlock()
	if !closed && !unpaced {
		return
	}
	if err := k.Vault.openBudget(ctx, k.budgetKey(app, policy)); err != nil {
		k.log().Error("the budget of renewals cannot be written", "venue", app.Venue, "error", systemError(err))
	}
}

// budgetKey returns the key of an app's budget. The client ID may identify a user, so it
// is hashed.
func (k *Keeper) budgetKey(app App, policy Policy) string {
	if policy.Quota.Count > 0 && policy.PacePerMachine { // of all apps together
		return budgetPrefix + app.Venue + "/address/" + k.machine()
	}
	hash := sha256.Sum256([]byte(app.ClientID))
	key := budgetPrefix + app.Venue + "/" + hex.EncodeToString(hash[:6])
	if policy.PacePerMachine {
		key += "/" + k.machine()
	}
	return key
}

// Pacing returns Burst and Pace with their defaults filled in: how many renewals may go
// out at once, and the least time between two after those.
func (p Policy) Pacing() (burst int, pace time.Duration) { return p.burst(), p.pace() }

func (p Policy) pace() time.Duration {
	if p.Quota.Count > 0 {
		return p.Quota.spacing()
	}
	return orElse(p.Pace, defaultPace)
}

func (p Policy) burst() int {
	if p.Quota.Count > 0 {
		return p.Quota.Count
	}
	if p.Burst > 0 {
		return p.Burst
	}
	return defaultBurst
}

// takeBudget takes up to want permits, or returns how long to wait for one.
func (v *Vault) takeBudget(ctx context.Context, key string, pace time.Duration, burst, want int, how need) (granted int, wait time.Duration, err error) {
	err = v.changeBudget(ctx, key, func(b *budgetNote, now time.Time) bool {
		granted = 0
		closed := b.Closed.After(now)
		var open bool
		if wait, open = b.opens(how, now); !open {
			return false
		}
		if closed {
			want = 1 // permits taken in advance would serve any renewal
		}
		behind := max(b.Full.Sub(now), 0)
		room := time.Duration(burst)*pace - behind
		if granted = min(want, int(room/pace)); granted <= 0 {
			granted, wait = 0, max(pace-room, time.Millisecond)
			return false
		}
		b.Full = now.Add(behind + time.Duration(granted)*pace)
		return true
	})
	return granted, wait, err
}

// opens reports whether a budget lets a renewal through that needs it so badly, closed or
// not, and otherwise for how long it does not.
func (b *budgetNote) opens(how need, now time.Time) (wait time.Duration, open bool) {
	switch wait = b.Closed.Sub(now); {
	case wait <= 0, how == lastCall:
		return 0, true
	case how == isDead && !now.Before(b.TryDead):
		b.TryDead = now.Add(mostSilence)
		return 0, true
	case how == isDead:
		return min(wait, b.TryDead.Sub(now)), false
	}
	return wait, false
}

// closeBudget closes the budget for the given time.
func (v *Vault) closeBudget(ctx context.Context, key string, wait time.Duration) error {
	return v.changeBudget(ctx, key, func(b *budgetNote, now time.Time) bool {
		until := now.Add(wait)
		if !until.After(b.Closed) {
			return false
		}
		if !b.Closed.After(now) {
			b.TryDead = now.Add(mostSilence)
		}
		b.Closed = until
		return true
	})
}

// openBudget ends a closure.
func (v *Vault) openBudget(ctx context.Context, key string) error {
	return v.changeBudget(ctx, key, func(b *budgetNote, now time.Time) bool {
		if !b.Closed.After(now) {
			return false
		}
		b.Closed, b.TryDead = time.Time{}, time.Time{}
		return true
	})
}

// closedUntil returns until when a budget is closed; zero means that it is open.
func (v *Vault) closedUntil(ctx context.Context, key string) (time.Time, error) {
	record, err := v.Store.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	if b := budgetIn(record); err == nil && b.Closed.After(record.ReadAt) {
		return b.Closed, nil
	}
	return time.Time{}, err
}

// changeBudget changes a budget by compare-and-swap, until no other writer was faster.
// change gets the time by the store's clock, and reports whether to write.
func (v *Vault) changeBudget(ctx context.Context, key string, change func(b *budgetNote, now time.Time) bool) error {
	for {
		record, err := v.Store.Get(ctx, key)
		if errors.Is(err, ErrNotFound) {
			record, err = Record{Key: key, ReadAt: time.Now()}, nil
		}
		if err != nil {
			return err
		}
		b := budgetIn(record)
		if !change(&b, record.ReadAt) {
			return nil
		}
		if _, err = v.Store.Put(ctx, b.record(record)); !errors.Is(err, ErrConflict) {
			return err
		}
	}
}
