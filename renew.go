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

// An attempt is one look at a record that is to be renewed, and all that the
// decision needs.
type attempt struct {
	id       ID
	why      urgency
	looked   time.Time
	token    Token
	record   Record
	venue    Venue
	policy   Policy
	app      App
	rollback rollback
}

// givenUpEarly is an error if a renewal was given up before it began.
func givenUpEarly(ctx, early context.Context) error {
	if early.Err() == nil || ctx.Err() != nil {
		return nil
	}
	return &Error{Class: ClassLater, Reason: "the program ends, and the renewal was not begun", Err: early.Err()}
}

// renew replaces the flight's generation of an ID's token, or adopts a newer one
// that somebody else got. What may take long before the claim ends with early, and
// nothing is noted of that.
func (k *Keeper) renew(ctx, early context.Context, id ID, f *flight) (Token, error) {
	if token, found, err := k.newerUnsaved(ctx, id, f.generation); found || err != nil {
		return token, err
	}
	permitted, seen := f.why != whenDue, false
	var holder leaseWatch
	for wait := leasePoll; ; wait = min(2*wait, 10*leasePoll) {
		a := attempt{id: id, why: f.why, looked: time.Now()}
		var err error
		if a.token, a.record, err = k.Vault.Load(ctx, id); err != nil {
			return Token{}, err
		}
		if a.record.Generation > f.generation { // no longer needed
			k.publish(id, a.token, a.record)
			return a.token, nil
		}
		// After the record was read, because whoever held its lease may have
		// spilled until then.
		if token, found, err := k.newerUnsaved(ctx, id, f.generation); found || err != nil {
			return token, err
		}
		if a.record.Leased() && a.record.LeaseOwner != k.owner() && !holder.outlasted(a.record, k.lease()) {
			if err := pause(early, wait); err != nil {
				if gone := givenUpEarly(ctx, early); gone != nil {
					return Token{}, gone
				}
				return Token{}, &Error{Class: ClassLater, Reason: "another program is renewing this token and does not finish", Err: err}
			}
			continue
		}
		if a.venue, a.app, err = k.venueAndApp(early, id.Venue); err != nil {
			if gone := givenUpEarly(ctx, early); gone != nil {
				return Token{}, gone
			}
			failure := annotate(err, id, "refresh")
			return Token{}, k.remember(ctx, a.byStore(postponed(a.record, a.token, failure)), failure)
		}
		a.policy, a.rollback = a.venue.Policy().of(a.token), k.rolledBack(ctx, k.readMarks(), a.token, a.record)
		// After each of the two waits the record may be another.
		switch c := a.chance(); {
		case c == none:
			return Token{}, k.verdict(ctx, a)
		case c == afterProbe && !seen:
			if err := k.probeVenue(early, a.venue, a.app); err != nil {
				if gone := givenUpEarly(ctx, early); gone != nil {
					return Token{}, gone
				}
				return Token{}, k.notSeen(ctx, a, err)
			}
			seen = true
			continue
		case !permitted:
			if err := k.acquire(early, a.app, a.policy, needOf(a.token, time.Now())); err != nil {
				if gone := givenUpEarly(ctx, early); gone != nil {
					return Token{}, gone
				}
				return Token{}, k.notPermitted(ctx, a, err)
			}
			permitted, seen = true, false // the wait may have been long
			continue
		}
		if gone := givenUpEarly(ctx, early); gone != nil {
			return Token{}, gone
		}
		k.reserve()
		k.step(stepLoaded)
		claimed, err := k.claim(ctx, a.record)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Token{}, storeError(id, "claim", err)
		}
		k.step(stepClaimed)
		return k.ask(ctx, f, a, claimed)
	}
}

// ask presents what renews under the claim, and keeps what comes of it.
func (k *Keeper) ask(ctx context.Context, f *flight, a attempt, claimed Record) (Token, error) {
	// What a flight waited for before must not shorten what is left of it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.lease())
	defer cancel()
	if k.overslept(a.looked) {
		return Token{}, k.giveBack(ctx, a, claimed)
	}
	f.presenting.Store(true)
	got, err := k.present(ctx, a)
	k.step(stepAnswered)
	switch {
	case errors.Is(err, errOverslept):
		return Token{}, k.giveBack(ctx, a, claimed)
	case err != nil:
		return Token{}, k.unanswered(ctx, a, claimed, annotate(venueError(err, a.venue, a.app, a.token), a.id, "refresh"))
	}
	got, why := receivedToken(got, secretsOf(a.venue, a.app, a.token)...)
	if why != "" && (got.Refresh == "" || got.Refresh.Equal(a.token.Refresh)) {
		return Token{}, k.unanswered(ctx, a, claimed, &Error{ID: a.id, Op: "refresh", Class: ClassUnknown, Reason: why + ", and cannot be used"})
	}
	if a.rollback.happened() { // and yet the venue grants: what was seen does not count
		k.unmark(a.record.Key, &a.token)
	}
	rotated, err := k.rotate(claimed, carriedOver(a.token, got, a.policy), a.policy)
	if err != nil {
		return Token{}, err // the intent stays open
	}
	if why != "" {
		rotated.record = postponed(a.failedSoFar(rotated.record), rotated.token, &Error{Reason: why})
	}
	rotated.record = a.byStore(rotated.record)
	k.step(stepSealed)
	kept, _, err := k.save(context.WithoutCancel(ctx), a.id, rotated) // however long the venue took
	k.reopen(ctx, a.app, a.policy, a.why != whenDue || needOf(a.token, time.Now()) != canWait)
	k.logAnswer(a.id, got)
	k.reportNarrowing(a.id, a.token, rotated.token)
	k.keepLearned(ctx, a.id.Venue, got.Learned)
	if why != "" && err == nil {
		return Token{}, &Error{ID: a.id, Op: "refresh", Class: ClassLater, Reason: "the venue renewed the sign-in, and " + why}
	}
	return kept, err
}

// failedSoFar is a record that goes on counting: what renews was renewed, but nobody
// got a token, and a venue that goes on like that is asked less and less.
func (a attempt) failedSoFar(record Record) Record {
	record.Failures = a.record.Failures
	return record
}

// unanswered is a renewal that brought no token.
func (k *Keeper) unanswered(ctx context.Context, a attempt, claimed Record, failure *Error) error {
	a.rollback.explain(failure)
	if failure.Class == ClassLater && failure.RetryAfter > 0 {
		k.closeFor(ctx, a.app, a.policy, failure.RetryAfter)
	}
	next := released(a.record, claimed, a.token, a.policy, failure)
	if failure.Class == ClassUnknown && next.NextRefresh.IsZero() {
		failure.Class = ClassRefused // it was the last chance
	}
	return k.lost(ctx, a, next, failure)
}

// logAnswer logs what was odd about a token that is kept by now.
func (k *Keeper) logAnswer(id ID, token Token) {
	if warning := clockWarning(token); warning != "" {
		k.log().Warn(warning, "id", id)
	}
	for _, line := range token.Notes {
		k.log().Warn("the venue's answer was odd: "+line, "id", id)
	}
}

// claim writes lease and intent. It is ErrConflict when somebody else was
// faster.
func (k *Keeper) claim(ctx context.Context, record Record) (Record, error) {
	record.LeaseOwner, record.LeaseUntil = k.owner(), record.ReadAt.Add(k.lease())
	record.Attempt = min(record.Attempt, mostTries) + 1
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

// giveBack takes back a claim that nothing was presented under. Somebody who
// found the lapsed lease meanwhile may have written that the answer was lost: that
// is untrue, and taken back too.
func (k *Keeper) giveBack(ctx context.Context, a attempt, claimed Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.saveBudget())
	defer cancel()
	failure := &Error{ID: a.id, Op: "refresh", Class: ClassNotSent, Reason: errOverslept.Error(), Remedy: "try again"}
	for {
		_, err := k.Vault.Store.Put(ctx, unsent(a.record, claimed))
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

// present asks the venue, once, with a deadline of its own. Connecting may take
// its time, which the deadline bounds by one clock only: it stands still in a
// suspend. So the last look comes when the first byte would leave.
func (k *Keeper) present(ctx context.Context, a attempt) (Token, error) {
	deadline := k.deadline()
	if a.policy.AfterLostAnswer == RetryOnce && a.policy.Grace > 0 {
		deadline = min(deadline, a.policy.Grace/2) // or the chance would be gone when we stop waiting
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	begun := time.Now()
	ctx = withSending(ctx, sending{policy: a.policy, check: func() error {
		if awake := time.Since(begun); awake > k.deadline() || elapsed(a.looked) > k.leaseMargin()+awake {
			return &Error{Class: ClassNotSent, Err: errOverslept, Reason: errOverslept.Error()}
		}
		if a.after(elapsed(a.looked)).chance() == none {
			return &Error{Class: ClassNotSent, Reason: "connecting took so long that the venue does not forgive a second presentation any more"}
		}
		return nil
	}})
	return a.venue.Refresh(ctx, a.app, a.token)
}

// remember writes a record that has no new token, and returns the failure that
// it tells of. A record that moved meanwhile is newer than what we know.
func (k *Keeper) remember(ctx context.Context, record Record, failure *Error) error {
	if _, err := k.Vault.Store.Put(ctx, record); err != nil && !errors.Is(err, ErrConflict) {
		// The intent stays open: whoever comes next takes it as uncertain.
		k.log().Error("the store does not answer", "id", failure.ID, "error", systemError(err))
	}
	return failure
}

// lost writes the record of a renewal that brought no token. What is not tried
// again is sealed with a mark of the app's credentials, because the refusal may
// have been about them.
func (k *Keeper) lost(ctx context.Context, a attempt, after Record, failure *Error) error {
	if after.NextRefresh.IsZero() {
		a.token.refusedUnder = a.app.credentials()
		if sealed, err := k.Vault.sealed(after, sealedFrom(a.token)); err == nil {
			after = sealed
		}
	}
	return k.remember(ctx, a.byStore(after), failure)
}

// verdict is the end of a renewal that has no chance left, or none yet.
func (k *Keeper) verdict(ctx context.Context, a attempt) error {
	if why := a.rollback.refusal(nil, a.token, a.policy); why != nil {
		return k.lost(ctx, a, givenUp(a.record, why), why)
	}
	why := spent(a.record)
	next := judged(a.record, a.token, a.policy, why)
	if a.record.Condition == ConditionDead && a.record.NextRefresh.IsZero() && a.record.LeaseOwner == "" {
		return why // which the record says already
	}
	return k.lost(ctx, a, next, why)
}

// chance is what may be done with what renews. Somebody who insists, and
// credentials that are others than those of the refusal, give it one more chance.
func (a attempt) chance() chance {
	alive := a.token.Valid(time.Now()) && a.why != accessRefused
	is := chanceOf(a.record, a.policy, alive)
	switch {
	case a.why == insisting:
		return max(is, afterProbe)
	case a.rollback.refusal(nil, a.token, a.policy) != nil:
		return none
	case is == none && a.token.refusedUnder != "" && a.token.refusedUnder != a.app.credentials():
		return afterProbe
	}
	return is
}

// byStore says when a record is due by the store's clock, which claims go by, where
// that is ahead of this machine's: else no wait would be one, and Run would try again
// at once.
func (a attempt) byStore(record Record) Record {
	if ahead := a.record.ReadAt.Sub(a.looked); ahead > ClockTolerance && !record.NextRefresh.IsZero() {
		record.NextRefresh = record.NextRefresh.Add(ahead)
	}
	return record
}

// after is the same look some time later.
func (a attempt) after(d time.Duration) attempt {
	a.record.ReadAt = a.record.ReadAt.Add(d)
	return a
}

// notPermitted puts a renewal off whose turn did not come. What is put off already is
// not written again, however often somebody asks.
func (k *Keeper) notPermitted(ctx context.Context, a attempt, err error) error {
	failure := annotate(err, a.id, "refresh")
	if a.record.LeaseOwner == "" && !a.record.NextRefresh.IsZero() && !isDue(a.record, time.Now()) {
		return failure
	}
	return k.remember(ctx, a.byStore(putOff(a.record, a.token, failure)), failure)
}

// notSeen saves the chance up.
func (k *Keeper) notSeen(ctx context.Context, a attempt, err error) error {
	failure := annotate(err, a.id, "refresh")
	failure.Class, failure.Reason = ClassLater, "the venue does not answer yet: "+orReason(failure.Reason, failure.Class.String())
	if !a.record.IntentAt.IsZero() {
		failure.Reason = "the answer to a renewal was lost, and " + failure.Reason
	}
	if a.record.Condition == ConditionDead && a.why == insisting {
		return failure // the record stays as it is: a human tries again, or nobody
	}
	return k.remember(ctx, a.byStore(unseen(a.record, a.token, a.policy, failure)), failure)
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

const leasePoll = 25 * time.Millisecond
