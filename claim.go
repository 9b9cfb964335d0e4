package venuekey

import (
	"context"
	"errors"
	"time"
)

// claim.go owns the claim of a record: it is taken before anything is presented, given
// back if nothing was presented, and waited for if another program holds it.

// claim writes lease and intent, by compare-and-swap. It returns ErrConflict if another
// writer was faster.
func (k *Keeper) claim(ctx context.Context, record Record, way Renewal) (claimed Record, err error) {
	claimed = record.afterClaim(k.owner(), k.lease(), way)
	claimed.Version, err = k.Vault.Store.Put(ctx, claimed)
	return claimed, err
}

// giveBack reverts a claim under which nothing was presented. Another program that
// found the lapsed lease may have recorded a lost answer meanwhile; that is untrue, and
// reverted too.
func (k *Keeper) giveBack(ctx context.Context, a attempt, claimed Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.saveBudget())
	defer cancel()
	failure := &Error{ID: a.id, Op: "refresh", Class: ClassNotSent, Reason: errOverslept.Error(), Remedy: "try again"}
	for {
		_, err := k.Vault.Store.Put(ctx, claimed.givenBack(a.record))
		if !errors.Is(err, ErrConflict) {
			return failure
		}
		stands, err := k.Vault.Store.Get(ctx, claimed.Key)
		ours := err == nil && stands.Generation == claimed.Generation && stands.IntentAt.Equal(claimed.IntentAt) && stands.Attempt == claimed.Attempt
		if !ours || stands.Condition == ConditionDead {
			return failure
		}
		stands.Condition, stands.NextRefresh = a.record.Condition, a.record.NextRefresh
		claimed = stands
	}
}

// leaseWatch times a lease by this process's monotonic clock: if the store's clock was
// set back, leases seem to last longer by that amount.
type leaseWatch struct {
	version int64
	since   time.Time
}

// outlasted reports whether a record has been unchanged for longer than its lease was
// granted for; usual is the length to assume if the record does not say. A holder
// without an intent must still write it, and that write will fail.
func (v *leaseWatch) outlasted(record Record, usual time.Duration) bool {
	if record.Version != v.version {
		*v = leaseWatch{record.Version, time.Now()}
	}
	length := usual
	if given := record.LeaseUntil.Sub(record.IntentAt); !record.IntentAt.IsZero() && given > 0 && given <= longestLease {
		length = given
	}
	return time.Since(v.since) > length
}

// overslept reports whether so much time has passed since the record was read
// that the lease might end before the answer is saved. A machine that was suspended
// after its claim must not present a token that another program has renewed by now.
// Both clocks are read: the monotonic one stands still during a suspend, the wall
// clock jumps when it is set.
func (k *Keeper) overslept(looked time.Time) bool {
	return elapsed(looked) > k.leaseMargin()
}

// leaseMargin is what is left of a lease when everything done under it takes its full
// time budget.
func (k *Keeper) leaseMargin() time.Duration { return k.lease() - k.deadline() - k.saveBudget() }

// elapsed returns the time since a moment, by whichever clock says more.
func elapsed(since time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

var errOverslept = errors.New("this machine was suspended between its claim and the request")
