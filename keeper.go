package venuekey

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
)

// Keeper keeps tokens fresh. It is the only caller of Venue.Refresh. Set the
// fields before the first call; all methods may be called by many goroutines,
// and any number of Keepers, in any number of processes, may share a Vault.
type Keeper struct {
	// Vault holds the tokens and, unless Apps is set, the apps.
	Vault *Vault
	// Venues are the venues that IDs may name.
	Venues []Venue
	// Apps finds the app for a venue; nil means Vault.App.
	Apps func(ctx context.Context, venue string) (App, error)
	// Log is told what happens; nil means nobody is.
	Log *slog.Logger
	// Warn is how long before an end that no program can prevent Events warns of
	// it; nil means 48 h, 24 h and 2 h, and empty not at all.
	Warn []time.Duration

	// Spills are folders on local disks for renewed tokens that the store refuses,
	// sealed like records, each tried when the ones before take nothing; none keeps
	// tokens in memory only. A second one on another disk helps where the first
	// shares one with the store. Programs that share a vault on one machine share
	// them too.
	Spills []string
	// Marks is a folder of this machine, outside the vault, that remembers which
	// generations were seen, so that an older copy of the vault which was put back
	// is noticed; "" remembers nothing. Vaults may share it.
	Marks string
	// Deadline is how long a venue may take to answer a renewal; zero means
	// 30 s. No caller's context shortens it.
	Deadline time.Duration
	// SaveBudget is how long a store may take to save a token that arrived;
	// zero means 20 s.
	SaveBudget time.Duration
	// Patience is how long a caller waits for a renewal while the old token is
	// still good; zero means 5 s. Where a renewal ends the old token at once,
	// callers wait for its outcome.
	Patience time.Duration

	// step is told of each step of a renewal, by tests that end the process there.
	step func(string)

	start   sync.Once
	owner   func() string
	mu      sync.Mutex
	sources map[ID]*Source
	flights map[ID]*flight
	unsaved map[ID]hidden[rotation]
	budgets map[string]*localBudget
	probes  map[string]*probeResult
	marking sync.Mutex
	flying  sync.WaitGroup
	// readers are the loops over Events, and queues what was last told of each
	// venue's queue.
	readers map[*observer]bool
	queues  map[string]Event
}

func (k *Keeper) init() {
	k.start.Do(func() {
		k.owner = sync.OnceValue(rand.Text)
		k.sources = make(map[ID]*Source)
		k.flights = make(map[ID]*flight)
		k.unsaved = make(map[ID]hidden[rotation])
		k.budgets = make(map[string]*localBudget)
		k.probes = make(map[string]*probeResult)
		k.readers = make(map[*observer]bool)
		k.queues = make(map[string]Event)
		if k.step == nil {
			k.step = func(string) {}
		}
	})
}

func (k *Keeper) deadline() time.Duration   { return orElse(k.Deadline, 30*time.Second) }
func (k *Keeper) saveBudget() time.Duration { return orElse(k.SaveBudget, 20*time.Second) }
func (k *Keeper) patience() time.Duration   { return orElse(k.Patience, 5*time.Second) }

// lease outlives everything that may be done under it, by a fifth.
func (k *Keeper) lease() time.Duration { return (k.deadline() + k.saveBudget()) * 6 / 5 }

func (k *Keeper) log() *slog.Logger {
	if k.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return k.Log
}

// Venue returns the venue that an ID names; none is an *Error of ClassMisconfigured.
func (k *Keeper) Venue(name string) (Venue, error) {
	var known []string
	for _, venue := range k.Venues {
		if venue.Name() == name {
			return venue, nil
		}
		known = append(known, venue.Name())
	}
	return nil, &Error{ID: ID{Venue: name}, Class: ClassMisconfigured, Reason: fmt.Sprintf("unknown venue; known are %v", known)}
}

func (k *Keeper) app(ctx context.Context, venue string) (App, error) {
	if k.Apps != nil {
		return k.Apps(ctx, venue)
	}
	return k.Vault.App(ctx, venue)
}

func (k *Keeper) venueAndApp(ctx context.Context, name string) (Venue, App, error) {
	venue, err := k.Venue(name)
	if err != nil {
		return nil, App{}, err
	}
	if err := venue.Policy().check(name); err != nil {
		return nil, App{}, err
	}
	app, err := k.app(ctx, name)
	if err != nil {
		return nil, App{}, err
	}
	if checker, ok := venue.(Checker); ok {
		err = checker.Check(app)
	}
	return venue, app, err
}

// SignIn signs a user in and keeps what the venue gave. The store is tried
// first, so that nobody is sent to a venue for a token that cannot be kept.
// When it returns nil, the token is durable.
func (k *Keeper) SignIn(ctx context.Context, id ID, ui UI) (*Token, error) {
	k.init()
	venue, app, err := k.venueAndApp(ctx, id.Venue)
	if err != nil {
		return nil, annotate(err, id, "sign in")
	}
	first, err := k.Vault.probe(ctx, id)
	if err != nil {
		return nil, annotate(err, id, "sign in")
	}
	k.reserve()
	token, err := k.login(ctx, venue, app, ui)
	if err != nil {
		return nil, annotate(err, id, "sign in")
	}
	token.SignedIn = token.Issued
	// From here on neither the caller's leave nor the UI may cost the token.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.saveBudget())
	defer cancel()
	record, err := k.adopt(ctx, id, first, token, venue.Policy())
	if err != nil {
		return nil, annotate(err, id, "sign in")
	}
	k.logAnswer(id, token)
	k.keepLearned(ctx, venue.Name(), token.Learned)
	if named := k.identify(ctx, venue, app, token); named != token.User {
		token.User = named
		// Where that fails, only the name is missing.
		if saved, err := k.Vault.Save(ctx, record, token); err == nil {
			record = saved
		}
	}
	k.publish(id, token, record)
	k.log().Info("signed in", "id", id, "expires", token.Expires, "next", record.NextRefresh)
	if warning := clockWarning(token); warning != "" {
		ui.Tell(warning)
	}
	k.reportShortcomings(id, token, ui)
	return token.handedOut(), nil
}

// login is the sign-in itself. A token that can be renewed and not used is renewed when
// it is first asked for.
func (k *Keeper) login(ctx context.Context, venue Venue, app App, ui UI) (Token, error) {
	token, err := venue.Login(ctx, app, ui)
	if err != nil {
		return Token{}, venueError(err, venue, app)
	}
	token, why := receivedToken(token, secretsOf(venue, app)...)
	switch {
	case why != "" && token.Refresh == "":
		return Token{}, &Error{Class: ClassUnknown, Reason: why + ", and cannot be used", Remedy: "sign in again"}
	case why != "":
		token.Notes = append(token.Notes, why)
	}
	return expiredIfBare(withDefaults(token, venue.Policy())), nil
}

// adopt saves a token from a sign-in: it replaces whatever was there, and
// whoever renews the old one meanwhile finds the generation moved. A store that
// refuses, although it answered before the user was sent away, leaves the token
// in a spill file.
func (k *Keeper) adopt(ctx context.Context, id ID, first int64, token Token, policy Policy) (Record, error) {
	for {
		record, err := k.Vault.Store.Get(ctx, tokenPrefix+id.String())
		if errors.Is(err, ErrNotFound) {
			record, err = Record{Key: tokenPrefix + id.String(), Generation: first}, nil
		}
		if err != nil {
			return Record{}, storeError(id, "read", err)
		}
		replaces := record.Generation
		record.Generation = max(counted(replaces), k.highestSeen(record.Key))
		if counted(replaces) != replaces {
			record.Generation = max(record.Generation, counted(first))
		}
		r, err := k.rotation(record, token, policy)
		if err != nil {
			return Record{}, err
		}
		r.from = replaces
		saved, err := k.Vault.write(ctx, r.record)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			spilled := k.spill(id, &r)
			if spilled != nil {
				k.tellHeld(id, &r, errors.Join(err, spilled))
			}
			k.hold(id, r)
			if spilled != nil {
				return Record{}, heldError(err)
			}
			return r.record, nil
		}
		k.mark(saved.Key, token, saved.Generation)
		return saved, nil
	}
}

// identify asks the venue who signed in. Not knowing is no reason to fail.
func (k *Keeper) identify(ctx context.Context, venue Venue, app App, token Token) string {
	who, ok := venue.(Identifier)
	if !ok || token.User != "" || token.Access == "" {
		return token.User
	}
	user, err := who.Identify(ctx, app, token)
	if err != nil {
		k.log().Debug("account identity not told", "venue", venue.Name(), "error", venueError(err, venue, app, token))
	}
	return foreign.NameWithout(user, secretsOf(venue, app, token)...)
}

// SignOut forgets the token of an ID. With revoke it first asks the venue to
// end it; if that fails, nothing is forgotten. A venue that cannot revoke is
// an error that errors.Is(err, errors.ErrUnsupported) tells, and nothing is
// forgotten either, so that the caller decides. One that ended what renews the
// sign-in and cannot end the access token is an error that ErrAccessLives tells, and
// then the sign-in is forgotten: nothing more can be done.
func (k *Keeper) SignOut(ctx context.Context, id ID, revoke bool) error {
	k.init()
	var left error
	for {
		token, record, err := k.Vault.Load(ctx, id)
		// A record that cannot be opened can still be forgotten.
		if err != nil && (ClassOf(err) != ClassDamaged || revoke) {
			return annotate(err, id, "sign out")
		}
		if revoke {
			if err := k.revoke(ctx, id, token); err != nil {
				if left = annotate(err, id, "revoke"); !errors.Is(err, ErrAccessLives) {
					return left
				}
			}
			revoke = false
		}
		if record.Key == "" {
			record.Key = tokenPrefix + id.String()
		}
		err = k.Vault.Store.Delete(ctx, record.Key, record.Version)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return annotate(storeError(id, "delete", err), id, "sign out")
		}
		k.unmark(record.Key, nil)
		k.forget(id)
		k.log().Info("signed out", "id", id)
		return left
	}
}

func (k *Keeper) revoke(ctx context.Context, id ID, token Token) error {
	venue, app, err := k.venueAndApp(ctx, id.Venue)
	if err != nil {
		return err
	}
	revoker, ok := venue.(Revoker)
	if !ok {
		return &Error{Class: ClassFailed, Reason: id.Venue + " has no way to revoke a token", Err: errors.ErrUnsupported}
	}
	return venueError(revoker.Revoke(ctx, app, token), venue, app, token)
}

// Source returns the handle on one ID. All callers of one Keeper share it.
func (k *Keeper) Source(id ID) *Source {
	k.init()
	k.mu.Lock()
	defer k.mu.Unlock()
	source, ok := k.sources[id]
	if !ok {
		source = &Source{keeper: k, id: id}
		k.sources[id] = source
	}
	return source
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

// pause waits, or returns the context's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
