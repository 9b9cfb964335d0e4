package venuekey

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

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

// handout is a token as consumers get it, and which one it is.
type handout struct {
	token      *Token
	generation int64
}

// recheck is how long a token is given away without a look at the store. What
// another process renewed is seen within that time, and so is the end of a
// suspend, which no timer notices.
const recheck = time.Second

// ID returns what the Source is a handle on.
func (s *Source) ID() ID { return s.id }

// Token returns a good token, renewing it first where it is due. Many callers
// cause one renewal. A caller whose context ends leaves; the renewal goes on.
//
// While the old token is still good, a renewal that takes long or fails, or a
// store that does not answer, is no reason for an error: the old one is
// returned. The returned token is shared and must not be changed; it carries no
// refresh token. A token whose sign-in is known to be dead is served as well until
// it expires; Keeper.Status tells of it. Errors answer NeedsSignIn, Temporary and Misconfigured.
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

func (s *Source) invalidate() {
	s.fresh.Store(nil)
	s.last.Store(nil)
}

// publishIfNewer publishes a token for a moment, unless a newer one was published.
func (s *Source) publishIfNewer(h *handout, good time.Duration) {
	for {
		old := s.last.Load()
		if old != nil && old.generation > h.generation {
			return
		}
		if s.last.CompareAndSwap(old, h) {
			break
		}
	}
	if good > 0 {
		s.fresh.Store(h.token)
		time.AfterFunc(min(good, recheck), func() { s.fresh.CompareAndSwap(h.token, nil) })
	}
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
		return nil, &Error{ID: s.id, Op: "token", Class: ClassRefused, Reason: orReason(record.because(), "the access token expired and cannot be renewed")}
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

var errSlow = errors.New("the renewal takes long")

// publish lets Sources hand the token out until it is due.
func (k *Keeper) publish(id ID, token Token, record Record) {
	until := token.Expires
	if !record.NextRefresh.IsZero() && record.NextRefresh.Before(until) {
		until = record.NextRefresh
	}
	k.Source(id).publishIfNewer(&handout{token: token.handedOut(), generation: record.Generation}, time.Until(until))
}

// forget makes Sources look at the store again, and drops what was held for it.
func (k *Keeper) forget(id ID) {
	k.Source(id).invalidate()
	k.mu.Lock()
	delete(k.unsaved, id)
	k.mu.Unlock()
}

// flight is one renewal that any number of callers wait for.
type flight struct {
	generation int64
	why        urgency
	presenting atomic.Bool // the venue is being asked
	leave      func()      // gives up what comes before the claim
	before     *flight     // that of an older generation, until it landed
	done       chan struct{}
	token      *Token
	err        error
}

// urgency is why a renewal is made: what is due waits for its turn, what
// somebody asked for does not. Where the venue refuses the access token, it is
// dead whatever its times say; and who insists is given a chance that the policy
// would not give.
type urgency int

const (
	whenDue urgency = iota
	onDemand
	accessRefused
	insisting
)

// fly starts the renewal of a generation, or joins the one under way. It runs
// on a context of its own: a caller that leaves stops waiting, nothing more.
func (k *Keeper) fly(ctx context.Context, id ID, generation int64, why urgency) *flight {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.flights[id]
	if before != nil && before.generation == generation && (why <= onDemand || why <= before.why) {
		return before
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*k.lease())
	early, leave := context.WithCancel(ctx)
	f := &flight{generation: generation, why: why, leave: leave, before: before, done: make(chan struct{})}
	k.flights[id] = f
	k.flying.Go(func() {
		defer cancel()
		if before != nil {
			<-before.done
			k.mu.Lock()
			f.before = nil
			k.mu.Unlock()
		}
		token, err := k.renew(ctx, early, id, f)
		k.land(id, f, token, err)
	})
	return f
}

// Leave gives up the renewals that have not begun: those that wait for another
// program, for their turn, or for what says who the app is. Nothing is lost with
// them. A program calls it when it is told to end, before or while it calls Close,
// which waits for what was begun.
func (k *Keeper) Leave() {
	k.init()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.flights {
		for ; f != nil; f = f.before {
			f.leave()
		}
	}
}

func (k *Keeper) land(id ID, f *flight, token Token, err error) {
	k.mu.Lock()
	if k.flights[id] == f {
		delete(k.flights, id)
	}
	k.mu.Unlock()
	if err == nil {
		f.token = token.handedOut()
	} else {
		f.err = annotate(err, id, "refresh")
	}
	close(f.done)
}

// await waits for a flight, until the caller's context or patience ends.
func (k *Keeper) await(ctx context.Context, f *flight, patience <-chan time.Time) (*Token, error) {
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return nil, &Error{Op: "refresh", Class: ClassLater, Reason: "the renewal goes on, but the caller stopped waiting", Err: ctx.Err()}
	case <-patience:
		return nil, &Error{Op: "refresh", Class: ClassLater, Err: errSlow}
	}
}
