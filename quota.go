package venuekey

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey/internal/words"
)

// quota.go owns a budget in the venue's own terms: so many renewals within any window of
// time, at whatever spacing. Every request that goes out counts, also one that a person asks
// for. Part of it is kept for tokens that are close to their end, so that those that can wait
// never take the last chance of one that cannot.

// mostQuota bounds a quota: the moments of its requests are kept in one note.
const mostQuota = 50

// Quota is how many renewals a venue answers within any window of time. The zero value means
// that the venue states none. As text it reads "15/1h".
type Quota struct {
	Count  int
	Window time.Duration
}

// MarshalText returns the text of a quota.
func (q Quota) MarshalText() ([]byte, error) {
	window, err := words.Duration(q.Window).MarshalText()
	return []byte(fmt.Sprintf("%d/%s", q.Count, window)), err
}

// UnmarshalText reads such a text.
func (q *Quota) UnmarshalText(text []byte) error {
	count, window, ok := strings.Cut(string(text), "/")
	number, err := strconv.Atoi(count)
	length, wrong := time.ParseDuration(window)
	read := Quota{number, length}
	if !ok || err != nil || wrong != nil || read.check() != "" || number == 0 {
		return fmt.Errorf("a quota is written as in \"15/1h\", with at most %d, not as in %q", mostQuota, text)
	}
	*q = read
	return nil
}

// check returns what is wrong with a quota, or "".
func (q Quota) check() string {
	if q.Count < 0 || q.Count > mostQuota || q.Window < 0 || (q.Count == 0) != (q.Window == 0) {
		return "the quota is not a number of renewals within a window"
	}
	return ""
}

// spacing is the time between two renewals that use the quota up evenly.
func (q Quota) spacing() time.Duration { return q.Window / time.Duration(max(q.Count, 1)) }

// patience is how much of a quota is kept from a token that has all of its life left. The
// share shrinks with what is left, so that of two tokens the one that dies sooner always has
// more room, and none is kept from a last call. If few sign-ins share the quota little is kept:
// all of them are to be renewed early.
func (q Quota) patience(sharing int) float64 {
	if q.isShort(sharing) {
		return 0.8
	}
	return 0.33
}

// isShort reports whether so many sign-ins need more than two thirds of the quota.
func (q Quota) isShort(sharing int) bool { return sharing > q.Count*2/3 }

// room returns how many of the window's requests may have gone out before one for a token.
func (q Quota) room(token Token, how need, patience float64, now time.Time) int {
	if how != canWait || token.Life() <= 0 {
		return q.Count
	}
	left := float64(token.Expires.Sub(now)) / float64(token.Life())
	return max(q.Count-int(patience*float64(q.Count)*min(left, 1)), 1)
}

// roomFor returns when a token has room for one more request than have gone out.
func (q Quota) roomFor(token Token, gone int, patience float64) time.Time {
	left := float64(q.Count-gone) / (patience * float64(q.Count))
	return token.Expires.Add(-time.Duration(left * float64(token.Life())))
}

// limited reports whether an attempt counts against the venue's quota. It is one of the way
// that the venue renews by, and an app with a pace of its own knows better.
func (a attempt) limited() bool {
	policy := a.venue.Policy()
	return policy.Quota.Count > 0 && a.app.Pace == 0 && a.way == policy.RenewsWith
}

// takeSlot waits until the quota has room for an attempt, and returns when it took its place.
// If the wait is too long it returns an error of ClassLater with RetryAfter set.
func (k *Keeper) takeSlot(ctx context.Context, a attempt, w *waits) (slot time.Time, err error) {
	quota, key := a.policy.Quota, k.budgetKey(a.app, a.policy)
	patience := quota.patience(k.sharing(ctx, a.id.Venue, quota.Count))
	for waited := time.Duration(0); ; {
		how := needOf(a.token, time.Now())
		if a.why == insisting || a.why == onDemand {
			how = lastCall
		}
		if how == canWait && !w.lane {
			if w.lane = k.enterLane(a.id.Venue); !w.lane {
				if waited += laneWait; waited > longestQueue || pause(ctx, laneWait) != nil {
					return time.Time{}, &Error{Class: ClassLater, RetryAfter: laneWait, Reason: "another renewal at this venue is under way"}
				}
				continue
			}
			if k.inTrouble(a.id.Venue) && !w.looked { // the one before it has failed
				return time.Time{}, errLookFirst
			}
		}
		granted, gone, wait, err := k.Vault.takeSlot(ctx, key, quota, quota.room(a.token, how, patience, time.Now()), how)
		if err != nil { // no reason to hold up a renewal: the claim asks the store again
			k.log().Error("the budget of renewals cannot be read", "venue", a.app.Venue, "error", systemError(err))
			return time.Now(), nil
		}
		if wait <= 0 {
			return granted, nil
		}
		for _, at := range []time.Time{quota.roomFor(a.token, gone, patience), lastTry(a.token)} {
			if until := time.Until(at); until > 0 {
				wait = min(wait, until)
			}
		}
		if waited+wait > longestQueue {
			return time.Time{}, &Error{Class: ClassLater, RetryAfter: wait,
				Reason: fmt.Sprintf("%s is not asked for another %s: its quota of renewals is used up, or it asked for a pause", a.app.Venue, wait.Round(time.Second))}
		}
		if err := pause(ctx, wait); err != nil {
			return time.Time{}, &Error{Class: ClassLater, RetryAfter: wait, Reason: "the renewal waits for its turn", Err: err}
		}
		waited += wait
	}
}

// errLookFirst has a renewal look at the venue before it takes its place.
var errLookFirst = errors.New("the venue is in trouble")

// lookAtVenue returns an error while the venue is in trouble: after a failed renewal, a call
// that no quota counts shows that, and the quota is left to the time when it answers again.
// The last try is made in any case.
func (k *Keeper) lookAtVenue(ctx context.Context, a attempt) error {
	if _, can := a.venue.(Examiner); !can || !time.Now().Before(lastTry(a.token)) || !a.token.ended.IsZero() {
		return nil
	}
	verdict := k.examined(ctx, a.venue, a.app, a.id, a.token, a.record.Generation, true)
	switch class := ClassOf(verdict); {
	case verdict == nil, class == ClassRefused, class == ClassDeclined, class == ClassMisconfigured, errors.Is(verdict, ErrSessionEnded):
		return nil // it answers; whatever it says, the renewal decides
	}
	return verdict
}

// returnSlot gives a place back under which nothing left this machine.
func (k *Keeper) returnSlot(ctx context.Context, a attempt) {
	if a.slot.IsZero() {
		return
	}
	_ = k.Vault.changeBudget(ctx, k.budgetKey(a.app, a.policy), func(b *budgetNote, _ time.Time) bool {
		for i, sent := range b.Sent {
			if sent == a.slot.UnixMilli() {
				b.Sent = append(b.Sent[:i], b.Sent[i+1:]...)
				return true
			}
		}
		return false
	})
}

// takeSlot takes a place in the window, if fewer than room are taken, or returns how long to
// wait for one. gone is how many had gone out in the window.
func (v *Vault) takeSlot(ctx context.Context, key string, quota Quota, room int, how need) (slot time.Time, gone int, wait time.Duration, err error) {
	err = v.changeBudget(ctx, key, func(b *budgetNote, now time.Time) bool {
		var open bool
		if wait, open = b.opens(how, now); !open {
			return false
		}
		for len(b.Sent) > 0 && now.Sub(time.UnixMilli(b.Sent[0])) >= quota.Window {
			b.Sent = b.Sent[1:]
		}
		gone = len(b.Sent)
		if over := gone - room; over >= 0 {
			wait = max(time.UnixMilli(b.Sent[over]).Add(quota.Window).Sub(now), time.Millisecond)
			return false
		}
		slot, wait = now, 0
		b.Sent = append(b.Sent, now.UnixMilli())
		return true
	})
	return slot, gone, wait, err
}

const (
	// soonest is the fraction of a token's life before which it is not renewed, however
	// much of the quota is left.
	soonest = 0.15
	// crowdKnown is how long the number of a venue's sign-ins is believed.
	crowdKnown = 10 * time.Minute
)

// crowd is how many sign-ins share a venue's quota, as last counted.
type crowd struct {
	number  int
	counted time.Time
}

// early returns the policy for a token that just arrived: if few sign-ins share the quota it
// is renewed sooner, and outlasts a longer outage. Two thirds of the quota are spent on that;
// the rest is for what has to be repeated. Tokens that arrive together, after many sign-ins or
// an outage, would be due together for ever, and be more than the quota lets pass at once: of
// those the next renewal is drawn from all of the time that there is.
func (k *Keeper) early(ctx context.Context, venue Venue, token Token) Policy {
	policy := venue.Policy()
	if policy.Quota.Count == 0 || token.Life() <= 0 {
		return policy
	}
	sharing := k.sharing(ctx, venue.Name(), policy.Quota.Count)
	every := time.Duration(sharing) * policy.Quota.Window / time.Duration(max(policy.Quota.Count*2/3, 1))
	at := max(float64(every)/float64(token.Life()), soonest) + jitter
	policy.RefreshAt = min(at, orElseFraction(policy.RefreshAt))
	if least := soonest + jitter; k.arrived(venue.Name(), time.Now()) > few && !policy.Quota.isShort(sharing) && policy.RefreshAt > least {
		policy.RefreshAt = least + rand.Float64()*(policy.RefreshAt-least)
	}
	return policy
}

func orElseFraction(at float64) float64 {
	if at <= 0 || at >= 1 {
		return defaultRefreshAt
	}
	return at
}

// sharing counts a venue's sign-ins, at most so many as matter.
func (k *Keeper) sharing(ctx context.Context, venue string, most int) int {
	k.mu.Lock()
	known := k.crowds[venue]
	k.mu.Unlock()
	if time.Since(known.counted) < crowdKnown {
		return known.number
	}
	records, err := k.Vault.Store.List(ctx, tokenPrefix+venue+"/", "", most)
	if err != nil {
		return most
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.crowds[venue] = crowd{max(len(records), 1), time.Now()}
	return k.crowds[venue].number
}
