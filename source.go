package venuekey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// source.go owns how a program gets a token: at hand, renewed first, or renewed because
// the venue refused it.

// Source is a handle on one ID: "a good token, now". It comes from
// Keeper.Source and may be used by any number of goroutines.
type Source struct {
	keeper *Keeper
	id     ID
	// fresh is given away without a look at anything. A timer withdraws it after
	// a moment, so that neither a lock, nor the system's clock, nor a flag has to
	// be asked for each token: reading the clock alone takes longer than all the
	// rest of handing one out.
	fresh atomic.Pointer[Token]
	// last is what was published last: the answer while a store does not.
	last atomic.Pointer[handout]
}

// ID returns what the Source is a handle on.
func (s *Source) ID() ID { return s.id }

// Token returns a good token, renewing it first where it is due. Many callers
// cause one renewal. A caller whose context ends leaves; the renewal goes on.
//
// While the old token is still good, a renewal that takes long or fails, or a
// store that does not answer, is no reason for an error: the old one is
// returned. The returned token is shared and must not be changed; it carries no
// refresh token. A token whose sign-in is known to be dead is served as well until
// it expires; Keeper.Status reports it. Errors answer NeedsSignIn, Temporary and Misconfigured.
//
// While the token is fresh, Token takes no lock and allocates nothing; once a
// second it looks at the store.
func (s *Source) Token(ctx context.Context) (*Token, error) {
	if token := s.fresh.Load(); token != nil {
		return token, nil
	}
	return s.lookUp(ctx)
}

// Reject reports an access token that the venue did not accept; see
// Keeper.Refused.
func (s *Source) Reject(ctx context.Context, access Secret) (*Token, error) {
	return s.keeper.Reject(ctx, s.id, access)
}

// Access returns the access token of Token: what a program wants that takes a
// function, as openapi.Client does.
func (s *Source) Access(ctx context.Context) (Secret, error) { return accessOf(s.Token(ctx)) }

// Newer reports an access token that the venue did not accept, as Refused does,
// and returns the access token of what it returns.
func (s *Source) Newer(ctx context.Context, refused Secret) (Secret, error) {
	return accessOf(s.Reject(ctx, refused))
}

func accessOf(token *Token, err error) (Secret, error) {
	if err != nil {
		return "", err
	}
	return token.Access, nil
}

// lookUp is Token when nothing fresh is at hand.
func (s *Source) lookUp(ctx context.Context) (*Token, error) {
	k, now := s.keeper, time.Now()
	if waiting, err := k.flush(ctx, s.id); err == nil && waiting != nil && waiting.token.Valid(now) {
		return waiting.token.handedOut(), nil
	}
	token, record, err := k.Vault.Load(ctx, s.id)
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
		due = true // the refusal may have been about the app, which is another now
	}
	switch {
	case alive && !due:
		k.publish(s.id, token, record)
		return held, nil
	case !alive && !due && record.NextRefresh.IsZero():
		return nil, &Error{ID: s.id, Op: "token", Class: ClassRefused, Reason: cmp.Or(record.because(), "the access token expired and cannot be renewed")}
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

// awaitWhileAlive waits for a renewal. Whoever has a token that is still good does not
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

// Token returns a good token for the ID, now, or an error that says what to
// do. See Source.Token.
func (k *Keeper) Token(ctx context.Context, id ID) (*Token, error) { return k.Source(id).Token(ctx) }

// Refresh renews the token of an ID, whether it is due or not.
func (k *Keeper) Refresh(ctx context.Context, id ID) (*Token, error) {
	k.init()
	_, record, err := k.Vault.Load(ctx, id)
	if err != nil {
		return nil, annotate(err, id, "refresh")
	}
	return k.await(ctx, k.fly(ctx, id, record.Generation, onDemand), nil)
}

// RefreshAgain presents what renews a sign-in once more, although the venue
// refused it or the answer to an earlier request was lost. Where the venue takes
// reuse for theft, it may end the sign-in and everything that came of it; where
// the sign-in is lost anyway, it can only win.
func (k *Keeper) RefreshAgain(ctx context.Context, id ID) (*Token, error) {
	k.init()
	_, record, err := k.Vault.Load(ctx, id)
	if err != nil {
		return nil, annotate(err, id, "refresh")
	}
	return k.await(ctx, k.fly(ctx, id, record.Generation, insisting), nil)
}

// Reject is a program's word that the venue did not accept the access token.
// It is answered with another one: the one that is already kept if that is
// newer, else a renewed one. A token that is younger than the policy's least
// interval is not renewed again; then the refusal has another cause.
func (k *Keeper) Reject(ctx context.Context, id ID, access Secret) (*Token, error) {
	k.init()
	if waiting, err := k.flush(ctx, id); err != nil {
		return nil, annotate(err, id, "refused")
	} else if waiting != nil && !waiting.token.Access.Equal(access) {
		return waiting.token.handedOut(), nil
	}
	token, record, err := k.Vault.Load(ctx, id)
	if err != nil {
		return nil, annotate(err, id, "refused")
	}
	if !token.Access.Equal(access) {
		k.publish(id, token, record)
		return k.Token(ctx, id)
	}
	venue, err := k.Venue(id.Venue)
	if err != nil {
		return nil, annotate(err, id, "refused")
	}
	// A token from the future was issued before the clock was set back.
	if age := time.Since(token.Issued); age >= 0 && age < orElse(venue.Policy().LeastInterval, 10*time.Second) {
		return nil, &Error{ID: id, Op: "refused", Class: ClassLater, RetryAfter: orElse(venue.Policy().LeastInterval, 10*time.Second) - age,
			Reason: fmt.Sprintf("the venue refuses a token that is only %s old; it is not renewed again so soon", age.Round(time.Millisecond))}
	}
	k.Source(id).invalidate()
	return k.await(ctx, k.fly(ctx, id, record.Generation, accessRefused), nil)
}
