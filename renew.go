package venuekey

import (
	"context"
	"errors"
	"time"
)

// renew.go owns the refresh, step by step:
//
//	load → still needed? → a chance? → claim (lease + intent, durable) → present → save (fenced) → publish → release
//
// The claim is a short write, a compare-and-swap; nothing is held open in the store
// during the request to the venue. A loser of the claim waits for the winner and adopts
// its token. The intent, written before a refresh token is presented, shows a lost answer
// even if this process dies; the lease outlives the request's deadline and the time to
// save. The save is fenced by generation, comes before any caller sees the token, and
// releases the lease in the same write.

// attempt is one observation of a record to renew, with everything that the decision
// needs.
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
	slot     time.Time // its place in the venue's quota; zero if that does not count it
	// way is the token that is presented.
	way Renewal
	// reseal says that more is known against the token now, which is sealed with it.
	reseal bool
}

// renew replaces the flight's generation of an ID's token, or adopts a newer one from
// another program. Waits before the claim end with the context early.
func (k *Keeper) renew(ctx, early context.Context, id ID, f *flight) (Token, error) {
	if token, found, err := k.newerUnsaved(ctx, id, f.generation); found || err != nil {
		return token, err
	}
	w := waits{turn: f.why == onDemand || f.why == insisting}
	defer func() {
		if w.lane {
			k.leaveLane(id.Venue)
		}
	}()
	for poll := leasePoll; ; poll = min(2*poll, 10*leasePoll) {
		a, needed, err := k.look(ctx, id, f)
		if err != nil || !needed {
			return a.token, err
		}
		switch at, err := k.pass(ctx, early, &a, &w, poll); at {
		case passed:
		case waited:
			continue
		default:
			return Token{}, k.stopped(ctx, early, a, at, err)
		}
		if err := givenUp(ctx, early); err != nil {
			return Token{}, err
		}
		k.reserve()
		claimed, err := k.claim(ctx, a.record, a.way)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Token{}, storeError(id, "claim", err)
		}
		token, err := k.ask(ctx, f, a, claimed)
		if errors.Is(err, errOtherWay) {
			continue
		}
		return token, err
	}
}

const leasePoll = 25 * time.Millisecond

// look loads the record to renew. The renewal is not needed if there is a newer token.
func (k *Keeper) look(ctx context.Context, id ID, f *flight) (a attempt, needed bool, err error) {
	a = attempt{id: id, why: f.why, looked: time.Now()}
	if a.token, a.record, err = k.Vault.load(ctx, id); err != nil {
		return attempt{}, false, err
	}
	if a.record.Generation > f.generation {
		k.publish(id, a.token, a.record)
		return a, false, nil
	}
	// After the record was read, because the holder of its lease may have spilled a
	// token by then.
	token, found, err := k.newerUnsaved(ctx, id, f.generation)
	if found || err != nil {
		return attempt{token: token}, false, err
	}
	return a, true, nil
}

// ask presents the refresh token under the claim, and saves the outcome.
func (k *Keeper) ask(ctx context.Context, f *flight, a attempt, claimed Record) (Token, error) {
	// A new timeout: what the flight waited for must not shorten the time to save.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.lease())
	defer cancel()
	if k.overslept(a.looked) {
		return Token{}, k.giveBack(ctx, a, claimed)
	}
	f.presenting.Store(true)
	began := time.Now()
	got, err := k.present(ctx, a)
	if errors.Is(err, errOverslept) {
		return Token{}, k.giveBack(ctx, a, claimed)
	}
	var failure *Error
	if err != nil {
		failure = annotate(venueError(err, a.venue, a.app, a.token), a.id, "refresh")
	}
	k.tellPresented(a, began, failure)
	if failure != nil {
		return Token{}, k.failed(ctx, a, claimed, failure)
	}
	got, why := receivedToken(got, secretsOf(a.venue, a.app, a.token)...)
	if why != "" && (got.Refresh == "" || got.Refresh.Equal(a.token.Refresh)) {
		return Token{}, k.failed(ctx, a, claimed, &Error{ID: a.id, Op: "refresh", Class: ClassUnknown, Reason: why + ", and cannot be used"})
	}
	return k.keep(ctx, a, claimed, got, why)
}

// present sends the request to the venue, once, with its own deadline. That deadline
// runs on the monotonic clock, which stands still during a suspend, and connecting may
// take long. So the last check comes when the first byte is about to leave.
func (k *Keeper) present(ctx context.Context, a attempt) (Token, error) {
	deadline := k.deadline()
	if a.policy.AfterLostAnswer == RetryOnce && a.policy.Grace > 0 {
		deadline = min(deadline, a.policy.Grace/2) // or the second chance would be gone when the first times out
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	begun := time.Now()
	ctx = withSending(ctx, sending{policy: a.policy, check: func() error {
		if awake := time.Since(begun); awake > k.deadline() || elapsed(a.looked) > k.leaseMargin()+awake {
			return &Error{Class: ClassNotSent, Err: errOverslept, Reason: errOverslept.Error()}
		}
		if a.after(elapsed(a.looked)).chance() == none {
			return &Error{Class: ClassNotSent, Reason: "connecting took so long that the venue no longer forgives a second presentation"}
		}
		return nil
	}})
	if a.way == bySigningIn {
		return k.signInAgain(ctx, a)
	}
	return a.venue.Refresh(k.withTickets(ctx, a.venue), a.app, a.presented())
}

// keep saves the new token before any caller sees it, and then handles what else the
// answer says. If the access token cannot be used, why says why not.
func (k *Keeper) keep(ctx context.Context, a attempt, claimed Record, got Token, why string) (Token, error) {
	if a.rollback.found() { // yet the venue granted it: the mark was wrong
		k.unmark(a.record.Key, &a.token)
	}
	if a.way == RenewWithRefreshToken {
		a.token.refusedFirst = time.Time{} // whatever it was, it is over
	}
	token := carriedOver(a.token, got, a.policy)
	r, err := k.rotate(claimed, token, k.early(ctx, a.venue, token), a.way)
	if err != nil {
		return Token{}, err // the intent stays open
	}
	if why != "" {
		r.record = r.record.afterUseless(a.record.Failures, r.token, &Error{Reason: why})
	}
	r.record = a.byStore(r.record)
	kept, _, err := k.save(context.WithoutCancel(ctx), a.id, r) // however long the venue took
	k.noteTrouble(a.id.Venue, false)
	k.reopen(ctx, a.app, a.policy, a.why != whenDue || needOf(a.token, time.Now()) != canWait)
	k.logAnswer(a.id, got)
	k.reportNarrowing(a.id, a.token, r.token)
	k.keepLearned(ctx, a.id.Venue, got.Learned)
	if why != "" && err == nil {
		return Token{}, &Error{ID: a.id, Op: "refresh", Class: ClassLater, Reason: "the venue renewed the sign-in, and " + why}
	}
	return kept, err
}
