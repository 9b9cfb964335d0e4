package venuekey

import (
	"context"
	"errors"
	"time"
)

// claim.go owns the claim of a record: it is taken before anything is presented, given
// back if nothing was, and waited for if somebody else has it.

// claim writes lease and intent. It is ErrConflict when somebody else was
// faster.
func (k *Keeper) claim(ctx context.Context, record Record) (claimed Record, err error) {
	claimed = record.afterClaim(k.owner(), k.lease())
	claimed.Version, err = k.Vault.Store.Put(ctx, claimed)
	return claimed, err
}

// giveBack takes back a claim that nothing was presented under. Somebody who
// found the lapsed lease meanwhile may have written that the answer was lost: that
// is untrue, and taken back too.
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

// leaseWatch watches a lease by a clock that nobody sets. Where the store's clock was
// set back, leases seem to last for as much longer.
type leaseWatch struct {
	version int64
	since   time.Time
}

// outlasted reports whether a record was seen unchanged for as long as its lease was
// given for; usual is the length where the record does not tell. Who holds a
// lease without an intent has yet to write one, and fails at that.
func (v *leaseWatch) outlasted(record Record, usual time.Duration) bool {
	if record.Version != v.version {
		*v = leaseWatch{record.Version, time.Now()}
	}
	length := usual
	if given := record.LeaseUntil.Sub(record.IntentAt); !record.IntentAt.IsZero() && given > 0 && given <= LongestLease {
		length = given
	}
	return time.Since(v.since) > length
}

// overslept reports whether so much time has passed since the record was read
// that the lease might end before the answer is saved. A machine that was
// suspended after its claim must not present what somebody else has renewed by
// now. Both clocks are asked: one of them stands still in a suspend, the other
// jumps when it is set.
func (k *Keeper) overslept(looked time.Time) bool {
	return elapsed(looked) > k.leaseMargin()
}

// leaseMargin is how much of a lease is left over when all that may be done under it
// takes as long as it may.
func (k *Keeper) leaseMargin() time.Duration { return k.lease() - k.deadline() - k.saveBudget() }

// elapsed is the time since a moment by whichever clock says more.
func elapsed(since time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

var errOverslept = errors.New("this machine stood still between its claim and the venue")
