package venuekey

import (
	"context"
	"errors"
	"time"
)

// The refresh, in its order:
//
//	load → still needed? → a chance? → claim (lease + intent, durable) → present → save (fenced) → publish → release
//
// The claim is a short write; nothing is held open in the store while we talk
// to the venue. Whoever loses the claim waits for the winner and adopts what
// it got. The intent, written before a refresh token is presented, makes a
// lost answer noticed even if this process dies; the lease outlives the
// request's deadline and the time to save. The save is fenced by generation,
// comes before anybody sees the token, and releases the lease in one write.

// renew replaces the flight's generation of an ID's token, or adopts a newer one
// that somebody else got.
func (k *Keeper) renew(ctx context.Context, id ID, f *flight) (Token, error) {
	if token, found, err := k.waiting(ctx, id, f.generation); found || err != nil {
		return token, err
	}
	permitted, seen := f.why != whenDue, false
	var holder vigil
	for wait := leasePoll; ; wait = min(2*wait, 10*leasePoll) {
		looked := time.Now()
		token, record, err := k.Vault.Load(ctx, id)
		if err != nil {
			return Token{}, err
		}
		if record.Generation > f.generation { // no longer needed
			k.publish(id, token, record)
			return token, nil
		}
		// After the record was read, because whoever held its lease may have
		// spilled until then.
		if token, found, err := k.waiting(ctx, id, f.generation); found || err != nil {
			return token, err
		}
		if record.Leased() && record.LeaseOwner != k.owner() && !holder.over(record, k.lease()) {
			if err := pause(ctx, wait); err != nil {
				return Token{}, &Error{Class: Later, Reason: "another program is renewing this token and does not finish", Err: err}
			}
			continue
		}
		venue, app, err := k.venueAndApp(ctx, id.Venue)
		if err != nil {
			return Token{}, k.failed(ctx, id, token, record, err)
		}
		switch k.chance(f, record, token, venue, app) {
		case none:
			return Token{}, k.verdict(ctx, id, token, record, venue.Policy(), app)
		case whenSeen:
			if !seen {
				if err := k.seen(ctx, venue, app); err != nil {
					return Token{}, k.notSeen(ctx, id, token, record, venue.Policy(), err)
				}
				seen = true
				continue // the record may be another by now
			}
		}
		if !permitted {
			if err := k.permit(ctx, app, venue.Policy(), needOf(token, time.Now())); err != nil {
				failure := at(err, id, "refresh")
				return Token{}, k.remember(ctx, putOff(record, token, failure), failure)
			}
			permitted = true
			continue // the record may be another by now
		}
		k.step(stepLoaded)
		claimed, err := k.claim(ctx, record)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Token{}, storeError(id, "claim", err)
		}
		k.step(stepClaimed)
		return k.ask(ctx, id, f, venue, app, looked, token, record, claimed)
	}
}

// ask presents what renews under the claim, and keeps what comes of it.
func (k *Keeper) ask(ctx context.Context, id ID, f *flight, venue Venue, app App, looked time.Time, token Token, record, claimed Record) (Token, error) {
	policy := venue.Policy()
	if k.overslept(looked) {
		return Token{}, k.giveBack(ctx, id, record, claimed)
	}
	f.presenting.Store(true)
	got, err := k.present(ctx, venue, app, token, looked)
	k.step(stepAnswered)
	if errors.Is(err, errOverslept) {
		return Token{}, k.giveBack(ctx, id, record, claimed)
	}
	if err != nil {
		failure := at(err, id, "refresh")
		if failure.Class == Later && failure.RetryAfter > 0 {
			k.leaveAlone(ctx, app, policy, failure.RetryAfter)
		}
		next := released(record, claimed, token, policy, failure)
		if failure.Class == Unknown && next.NextRefresh.IsZero() {
			failure.Class = Refused // it was the last chance
		}
		return Token{}, k.lost(ctx, id, token, record, next, failure, app)
	}
	k.reopen(ctx, app, policy, f.why)
	if warning := clockWarning(got); warning != "" {
		k.log().Warn(warning, "id", id)
	}
	rotated, err := k.rotation(claimed, successor(token, got, policy), policy)
	if err != nil {
		return Token{}, err // the intent stays open
	}
	k.step(stepSealed)
	kept, err := k.save(ctx, id, rotated)
	for _, note := range got.Notes {
		k.log().Warn("the venue's answer was odd: "+note, "id", id)
	}
	k.learn(ctx, venue.Name(), got.Learned)
	return kept, err
}

// claim writes lease and intent. It is ErrConflict when somebody else was
// faster.
func (k *Keeper) claim(ctx context.Context, record Record) (Record, error) {
	record.LeaseOwner, record.LeaseUntil = k.owner(), record.ReadAt.Add(k.lease())
	record.Attempt++
	record.IntentAt = record.ReadAt
	version, err := k.Vault.Store.Put(ctx, record)
	record.Version = version
	return record, err
}

// overslept reports whether so much time has passed since the record was read
// that the lease might end before the answer is saved. A machine that was
// suspended after its claim must not present what somebody else has renewed by
// now. Both clocks are asked: one of them stands still in a suspend, the other
// jumps when it is set.
func (k *Keeper) overslept(looked time.Time) bool {
	return elapsed(looked) > k.spare()
}

// spare is how much of a lease is left over when all that may be done under it
// takes as long as it may.
func (k *Keeper) spare() time.Duration { return k.lease() - k.deadline() - k.saveBudget() }

// elapsed is the time since a moment by whichever clock says more.
func elapsed(since time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

var errOverslept = errors.New("this machine stood still between its claim and the venue")

// vigil watches a lease by a clock that nobody sets. Where the store's clock was
// set back, leases seem to last for as much longer.
type vigil struct {
	version int64
	since   time.Time
}

// over reports whether a record was seen unchanged for as long as its lease was
// given for; usual is the length where the record does not tell. Who holds a
// lease without an intent has yet to write one, and fails at that.
func (v *vigil) over(record Record, usual time.Duration) bool {
	if record.Version != v.version {
		*v = vigil{record.Version, time.Now()}
	}
	length := usual
	if given := record.LeaseUntil.Sub(record.IntentAt); !record.IntentAt.IsZero() && given > 0 {
		length = given
	}
	return time.Since(v.since) > length
}

// giveBack takes back a claim that nothing was presented under. Somebody who
// found the lapsed lease meanwhile may have written that the answer was lost: that
// is untrue, and taken back too.
func (k *Keeper) giveBack(ctx context.Context, id ID, before, claimed Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.saveBudget())
	defer cancel()
	failure := &Error{ID: id, Op: "refresh", Class: NotSent, Reason: errOverslept.Error(), Remedy: "try again"}
	for {
		_, err := k.Vault.Store.Put(ctx, unsent(before, claimed))
		if !errors.Is(err, ErrConflict) {
			return failure
		}
		stands, err := k.Vault.Store.Get(ctx, claimed.Key)
		ours := err == nil && stands.Generation == claimed.Generation && stands.IntentAt.Equal(claimed.IntentAt) && stands.Attempt == claimed.Attempt
		if !ours || stands.Condition == Dead {
			return failure
		}
		stands.Condition, stands.NextRefresh = before.Condition, before.NextRefresh
		claimed = stands
	}
}

// present asks the venue, once, with a deadline of its own. Connecting may take
// its time, which the deadline bounds by one clock only: it stands still in a
// suspend. So the last look comes when the first byte would leave.
func (k *Keeper) present(ctx context.Context, venue Venue, app App, token Token, looked time.Time) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, k.deadline())
	defer cancel()
	begun := time.Now()
	ctx = withSending(ctx, func() error {
		if awake := time.Since(begun); awake > k.deadline() || elapsed(looked) > k.spare()+awake {
			return &Error{Class: NotSent, Err: errOverslept, Reason: errOverslept.Error()}
		}
		return nil
	})
	return venue.Refresh(ctx, app, token)
}

// remember writes a record that has no new token, and returns the failure that
// it tells of. A record that moved meanwhile is newer than what we know.
func (k *Keeper) remember(ctx context.Context, record Record, failure *Error) error {
	if _, err := k.Vault.Store.Put(ctx, record); err != nil && !errors.Is(err, ErrConflict) {
		// The intent stays open: whoever comes next takes it as uncertain.
		k.log().Error("the store does not answer", "id", failure.ID, "error", err)
	}
	return failure
}

// lost writes the record of a renewal that brought no token, and only then tells
// of it. What was refused is sealed with a mark of the app's credentials, because
// the refusal may have been about them.
func (k *Keeper) lost(ctx context.Context, id ID, token Token, before, after Record, failure *Error, app App) error {
	if after.NextRefresh.IsZero() {
		token.refusedUnder = app.credentials()
		if sealed, err := k.Vault.sealed(after, sealedFrom(token)); err == nil {
			after = sealed
		}
	}
	err := k.remember(ctx, after, failure)
	k.trouble(id, token, before, after)
	return err
}

// failed is a renewal that could not even be tried.
func (k *Keeper) failed(ctx context.Context, id ID, token Token, record Record, err error) error {
	failure := at(err, id, "refresh")
	return k.remember(ctx, postponed(record, token, failure), failure)
}

// verdict is the end of a renewal that has no chance left, or none yet.
func (k *Keeper) verdict(ctx context.Context, id ID, token Token, record Record, policy Policy, app App) error {
	why := spent(record)
	next := judged(record, token, policy, why)
	if record.Condition == Dead && record.NextRefresh.IsZero() && record.LeaseOwner == "" {
		return why // which the record says already
	}
	return k.lost(ctx, id, token, record, next, why, app)
}

// chance is what may be done with what renews. Somebody who insists, and
// credentials that are others than those of the refusal, give it one more chance.
func (k *Keeper) chance(f *flight, record Record, token Token, venue Venue, app App) chance {
	alive := token.Valid(time.Now()) && f.why != accessRefused
	is := chanceOf(record, venue.Policy(), alive)
	if is == none && (f.why == insisting || token.refusedUnder != "" && token.refusedUnder != app.credentials()) {
		return whenSeen
	}
	return is
}

// seen looks whether the venue answers again, before a chance is used that does
// not come twice. A venue that cannot be probed is taken to answer.
func (k *Keeper) seen(ctx context.Context, venue Venue, app App) error {
	prober, ok := venue.(Prober)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	return prober.Probe(ctx, app)
}

// notSeen saves the chance up.
func (k *Keeper) notSeen(ctx context.Context, id ID, token Token, record Record, policy Policy, err error) error {
	failure := at(err, id, "refresh")
	failure.Class, failure.Reason = Later, "the answer to a renewal was lost, and the venue does not answer yet: "+orReason(failure.Reason, failure.Class.String())
	next := unseen(record, token, policy, failure)
	told := k.remember(ctx, next, failure)
	k.trouble(id, token, record, next)
	return told
}

// trouble tells of a sign-in that is worse off than it was.
func (k *Keeper) trouble(id ID, token Token, before, after Record) {
	worse := after.Condition != before.Condition || after.NextRefresh.IsZero() != before.NextRefresh.IsZero() || before.Failures == 0 && after.Failures > 0
	if k.Trouble != nil && worse {
		k.Trouble(statusOf(id, token, after, k.policy(id.Venue), time.Now()))
	}
}

// The steps of a renewal, for tests that end the process at each.
const (
	stepLoaded    = "loaded"    // nothing was written yet
	stepClaimed   = "claimed"   // lease and intent are durable, nothing was sent
	stepAnswered  = "answered"  // the venue rotated, nothing of it is durable
	stepSealed    = "sealed"    // the same, a moment later
	stepSpilled   = "spilled"   // the store refused, the spill file is durable
	stepSaved     = "saved"     // the new token is durable, nobody saw it
	stepPublished = "published" // it is handed out
)

const (
	leasePoll = 25 * time.Millisecond
	// probeDeadline is how long a venue may take to be seen.
	probeDeadline = 10 * time.Second
)
