package venuekey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// pace.go owns how fast renewals go to a venue. After an outage everything is due at
// once; then a budget for each venue and app counts, a note that is kept in the store
// so that all machines share it (note.go). It is a record of its own: bookkeeping never
// competes with a token for a version.
//
// A venue that asks to be left alone for long does not take every sign-in along:
// a token that is about to die is tried once more all the same, and while tokens
// are dead one of them is tried every hour, over all machines. The first renewal that
// succeeds opens the budget again.

const (
	defaultPace  = 200 * time.Millisecond
	defaultBurst = 10
	// permitLife is how long a permit that was taken in advance is good.
	permitLife = 10 * time.Second
	// longestQueue is how long a renewal waits for its permit; beyond that it is
	// put off, so that nothing is held up by it.
	longestQueue = 30 * time.Second
	// closureKnown is how long a program believes that a venue is to be left alone
	// before it looks again: somebody may have seen it answer.
	closureKnown = time.Minute
	// longestClosure bounds what a venue's Retry-After can do.
	longestClosure = 24 * time.Hour
)

// need is how badly a token needs its renewal, where a venue asked to be left
// alone.
type need int

const (
	canWait  need = iota
	isDead        // one of these is tried every hour
	lastCall      // it is about to die
)

func needOf(token Token, now time.Time) need {
	switch {
	case !token.Valid(now):
		return isDead
	case !now.Before(lastTry(token)):
		return lastCall
	default:
		return canWait
	}
}

// localBudget holds permits that this process took in advance, so that a storm costs
// one write for many renewals.
type localBudget struct {
	mu      sync.Mutex
	permits int
	until   time.Time
	// closed is until when the venue is left alone, and believed until when that is
	// not looked at again.
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

// acquire waits until one more renewal fits the budget. The error, of class
// Later, names the wait where that is long. A store that does not answer is no
// reason to hold a renewal up: the claim that follows asks it again.
func (k *Keeper) acquire(ctx context.Context, app App, policy Policy, how need) error {
	p := k.localBudget(app.Venue)
	for waited := time.Duration(0); ; {
		wait := k.tryAcquire(ctx, p, app, policy, how)
		if wait <= 0 {
			return nil
		}
		if waited+wait > longestQueue {
			return &Error{Class: ClassLater, RetryAfter: wait, Reason: fmt.Sprintf("%s is not asked for another %s: its budget of renewals is used up, or it asked to be left alone", app.Venue, wait.Round(time.Second))}
		}
		if err := pause(ctx, wait); err != nil {
			return &Error{Class: ClassLater, RetryAfter: wait, Reason: "the renewal waits for its turn", Err: err}
		}
		waited += wait
	}
}

// tryAcquire takes a permit from the local budget, filling it from the store where it
// is empty, or says how long to wait.
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

// closeFor closes a venue that asked for it, for all machines.
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

// reopen ends a closure, since the venue just renewed a token. A renewal that the
// budget let through although it may be closed looks whether it is.
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

// budgetKey names the budget of an app. The client id may be a user's own, so
// it is hashed.
func (k *Keeper) budgetKey(app App, policy Policy) string {
	hash := sha256.Sum256([]byte(app.ClientID))
	key := budgetPrefix + app.Venue + "/" + hex.EncodeToString(hash[:6])
	if host, err := os.Hostname(); err == nil && policy.PacePerMachine {
		hash := sha256.Sum256([]byte(host))
		key += "/" + hex.EncodeToString(hash[:6])
	}
	return key
}

// Pacing is how many renewals the venue takes at once, and the least time between two
// after those, with the defaults where the policy names none.
func (p Policy) Pacing() (burst int, pace time.Duration) { return p.burst(), p.pace() }

func (p Policy) pace() time.Duration { return orElse(p.Pace, defaultPace) }

func (p Policy) burst() int {
	if p.Burst > 0 {
		return p.Burst
	}
	return defaultBurst
}

// takeBudget takes up to want permits, or says how long to wait for one.
func (v *Vault) takeBudget(ctx context.Context, key string, pace time.Duration, burst, want int, how need) (granted int, wait time.Duration, err error) {
	err = v.changeBudget(ctx, key, func(b *budgetNote, now time.Time) bool {
		granted, wait = 0, b.Closed.Sub(now)
		switch {
		case wait <= 0:
		case how == lastCall:
			want = 1 // what is taken in advance would be for everybody
		case how == isDead && !now.Before(b.TryDead):
			want, b.TryDead = 1, now.Add(mostSilence)
		case how == isDead:
			wait = min(wait, b.TryDead.Sub(now))
			return false
		default:
			return false
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

// closeBudget gives no permit for a while.
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

// closedUntil is until when a venue asked to be left alone; zero means that it
// did not.
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

// changeBudget changes a budget until nobody else was faster. The change is given the
// time by the store's clock, and says whether anything is to be written.
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
