package venuekey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// source.go owns how a program gets a token: from memory, renewed first, or renewed
// because the venue refused it.

// Source hands out the token of one ID. Get one from Keeper.Source. It is safe for
// concurrent use.
type Source struct {
	keeper *Keeper
	id     ID
	// fresh is returned without any check. A timer withdraws it after at most
	// recheck, so that a call needs no lock, no clock and no flag: reading the clock
	// alone takes longer than everything else in Token.
	fresh atomic.Pointer[Token]
	// last is the handout published last: the answer while the store does not respond.
	last atomic.Pointer[handout]
}

// ID returns the ID whose token the Source hands out.
func (s *Source) ID() ID { return s.id }

// Token returns a good token, renewing it first if it is due. Concurrent callers share
// one renewal. If a caller's context ends, the caller stops waiting; the renewal goes on.
//
// While the old token is still good, Token returns it if the renewal takes long (see
// Keeper.Patience) or fails, or if the store does not answer. A token is also served
// until it expires if its sign-in is already known to be dead; Keeper.Status reports
// that. The returned token is shared and must not be modified; it carries no refresh
// token. NeedsSignIn, Temporary and Misconfigured say what to do about an error.
//
// While the token is fresh, Token takes no lock and allocates nothing; it reads the store
// once a second.
func (s *Source) Token(ctx context.Context) (*Token, error) {
	if token := s.fresh.Load(); token != nil {
		return token, nil
	}
	return s.lookUp(ctx)
}

// Reject reports an access token that the venue did not accept, and returns another; see
// Keeper.Reject.
func (s *Source) Reject(ctx context.Context, access Secret) (*Token, error) {
	return s.keeper.Reject(ctx, s.id, access)
}

// Access is Token for clients that take a function which returns an access token, such as
// openapi.Client.
func (s *Source) Access(ctx context.Context) (Secret, error) { return accessOf(s.Token(ctx)) }

// Newer is Reject for clients that take a function which returns an access token.
func (s *Source) Newer(ctx context.Context, refused Secret) (Secret, error) {
	return accessOf(s.Reject(ctx, refused))
}

func accessOf(token *Token, err error) (Secret, error) {
	if err != nil {
		return "", err
	}
	return token.Access, nil
}

// lookUp is Token if no fresh token is published: it reads the store.
func (s *Source) lookUp(ctx context.Context) (*Token, error) {
	k, now := s.keeper, time.Now()
	if waiting, err := k.flush(ctx, s.id); err == nil && waiting != nil && waiting.token.Valid(now) {
		return waiting.token.handedOut(), nil
	}
	token, record, err := k.Vault.load(ctx, s.id)
	if err != nil {
		if h := s.last.Load(); h != nil && h.token.Valid(now) && !errors.Is(err, ErrNotFound) {
			k.log().Warn(whyUnread(err)+"; the last token is served", "id", s.id, "error", systemError(err))
			return h.token, nil
		}
		return nil, annotate(err, s.id, "token")
	}
	record = k.scheduled(s.id, token, record)
	held := token.handedOut()
	alive, due := token.Valid(now), isDue(record, now)
	if record.NextRefresh.IsZero() && k.changedSince(ctx, s.id, token) {
		due = true // the refusal may have been about the app, which has changed
	}
	switch {
	case alive && !due:
		k.publish(s.id, token, record)
		return held, nil
	case !alive && !due && (record.NextRefresh.IsZero() || token.isOver()):
		return nil, &Error{ID: s.id, Op: "token", Class: ClassRefused,
			Reason: cmp.Or(record.because(), "the access token expired and cannot be renewed")}
	case !alive && !due && record.Failures > 0:
		return nil, &Error{ID: s.id, Op: "token", Class: ClassLater, RetryAfter: record.NextRefresh.Sub(now),
			Reason: "the access token expired and the last renewal failed: " + record.because()}
	}
	got, err := k.awaitWhileAlive(ctx, s.id, k.fly(ctx, s.id, record.Generation, whenDue), alive)
	if err != nil && ctx.Err() == nil && held.Valid(time.Now()) {
		return held, nil
	}
	return got, err
}

// awaitWhileAlive waits for a renewal. A caller whose old token is still good does not
// wait long, unless the renewal is ending that token right now.
func (k *Keeper) awaitWhileAlive(ctx context.Context, id ID, f *flight, alive bool) (*Token, error) {
	if !alive {
		return k.await(ctx, f, nil)
	}
	timer := time.NewTimer(k.patience())
	defer timer.Stop()
	got, err := k.await(ctx, f, timer.C)
	if errors.Is(err, errSlow) && f.presenting.Load() {
		if venue, unknown := k.Venue(id.Venue); unknown == nil && venue.Policy().KillsAccess {
			return k.await(ctx, f, nil)
		}
	}
	return got, err
}

// Token returns a good token for the ID, or an error that says what to do. See
// Source.Token.
func (k *Keeper) Token(ctx context.Context, id ID) (*Token, error) { return k.Source(id).Token(ctx) }

// Refresh renews the token of an ID even if it is not due, and waits for the outcome. It
// does not wait for the budget of renewals. It returns the newer token if another program
// renews at the same time.
func (k *Keeper) Refresh(ctx context.Context, id ID) (*Token, error) {
	k.init()
	_, record, err := k.Vault.load(ctx, id)
	if err != nil {
		return nil, annotate(err, id, "refresh")
	}
	return k.await(ctx, k.fly(ctx, id, record.Generation, onDemand), nil)
}

// RefreshAgain is Refresh for a sign-in whose refresh token would not be presented again:
// the venue refused it, or the answer to an earlier request was lost. A venue that takes
// reuse for theft may end the sign-in and every token that came of it; if the sign-in is
// lost anyway, RefreshAgain can only help.
func (k *Keeper) RefreshAgain(ctx context.Context, id ID) (*Token, error) {
	k.init()
	_, record, err := k.Vault.load(ctx, id)
	if err != nil {
		return nil, annotate(err, id, "refresh")
	}
	return k.await(ctx, k.fly(ctx, id, record.Generation, insisting), nil)
}

// Reject reports that the venue did not accept an access token, and returns another
// token: the current one if that is newer, else a renewed one.
//
// Most refusals have another cause than the token: a device that is not approved, a missing
// permission. So at a venue that can be asked (Examiner) the token is examined first, once
// for all programs, and renewed only if it is dead. If it is good, the error is of
// ClassDeclined or ClassMisconfigured, and says what the refusal may be about. Elsewhere a
// token younger than Policy.LeastInterval is not renewed; the error is then of ClassLater.
// So is that of a renewal that has to wait for its back-off or its turn. RetryAfter says for
// how long to ask no more.
func (k *Keeper) Reject(ctx context.Context, id ID, access Secret) (*Token, error) {
	k.init()
	if waiting, err := k.flush(ctx, id); err != nil {
		return nil, annotate(err, id, "refused")
	} else if waiting != nil && !waiting.token.Access.Equal(access) {
		return waiting.token.handedOut(), nil
	}
	token, record, err := k.Vault.load(ctx, id)
	if err != nil {
		return nil, annotate(err, id, "refused")
	}
	if !token.Access.Equal(access) {
		k.publish(id, token, record)
		return k.Token(ctx, id)
	}
	venue, app, err := k.venueAndApp(ctx, id.Venue)
	if err != nil {
		return nil, annotate(err, id, "refused")
	}
	why, err := k.whyRejected(ctx, id, venue, app, token, record)
	if err != nil {
		return nil, annotate(err, id, "refused")
	}
	k.Source(id).invalidate()
	return k.await(ctx, k.fly(ctx, id, record.Generation, why), nil)
}

// whyRejected returns as what a token is renewed that a program reports as refused, or the
// error that says why it is not.
func (k *Keeper) whyRejected(ctx context.Context, id ID, venue Venue, app App, token Token, record Record) (urgency, error) {
	now := time.Now()
	_, examines := venue.(Examiner)
	if record.Condition == ConditionDead || !token.Valid(now) {
		return whenDue, nil
	}
	if wait := record.NextRefresh.Sub(now); wait > 0 && record.Failures > 0 {
		return 0, &Error{Class: ClassLater, RetryAfter: wait, Reason: "the last renewal failed: " + record.because()}
	}
	if examines {
		switch verdict := k.examined(ctx, venue, app, id, token, record.Generation, false); {
		case verdict == nil, ClassOf(verdict) == ClassDeclined, ClassOf(verdict) == ClassMisconfigured:
			return 0, elsewhere(verdict)
		case errors.Is(verdict, ErrSessionEnded):
			return whenDue, nil // the renewal decides
		case ClassOf(verdict) != ClassRefused:
			return 0, verdict
		}
	}
	// A token from the future was issued before the clock was set back.
	least := min(orElse(venue.Policy().LeastInterval, 10*time.Second), token.Life()/8)
	if age := now.Sub(token.Issued); age >= 0 && age < least {
		return 0, &Error{Class: ClassLater, RetryAfter: least - age,
			Reason: fmt.Sprintf("the venue refuses a token that is only %s old; it is not renewed again so soon", age.Round(time.Millisecond))}
	}
	return accessRefused, nil
}
