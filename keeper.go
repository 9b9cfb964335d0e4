package venuekey

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// keeper.go owns the Keeper's configuration and its state in memory.

// Keeper keeps tokens fresh. It is the only caller of Venue.Refresh. Set the fields
// before the first call. Its methods are safe for concurrent use, and any number of
// Keepers, in any number of processes, may share a Vault. End with Close.
type Keeper struct {
	// Vault holds the tokens and, unless Apps is set, the apps. It is required.
	Vault *Vault
	// Venues are the venues that IDs may name.
	Venues []Venue
	// Find, unless nil, returns a venue that Venues does not have, such as one that a file
	// describes; nil means that there is none of that name. It is asked once for each name.
	Find func(name string) (Venue, error)
	// Apps returns the app of a venue; nil means Vault.App.
	Apps func(ctx context.Context, venue string) (App, error)
	// Log receives what happens; nil means no log.
	Log *slog.Logger
	// Warn lists how long before the end of a sign-in Events warns of it, if no
	// renewal can prevent the end. Nil means the venue's (Policy.Warn), or else 48 h,
	// 24 h and 2 h; an empty slice means no warnings.
	Warn []time.Duration
	// Presented, unless nil, is called after each renewal that this Keeper asked a venue for,
	// also when it failed, before the outcome is saved: for metrics and traces. It must not
	// block, nor call the Keeper.
	Presented func(Presentation)

	// Spills are folders on local disks for renewed tokens that the store refuses,
	// sealed like records. They are tried in order. If there are none, such tokens
	// stay in memory only. A second folder on another disk helps if the first one is
	// on the store's disk. Programs that share a vault on one machine share these
	// folders too.
	Spills []string
	// Marks is a folder on this machine, outside the vault, that remembers which
	// generations were seen, so that restoring an older copy of the vault is noticed.
	// "" remembers nothing. Several vaults may share a folder.
	Marks string
	// Machine is the name under which requests are counted, for a venue that counts them by
	// network address; empty means the host's name. Machines and containers behind one
	// address have to share a name, or together they exceed what the venue allows.
	Machine string
	// Deadline is how long a venue may take to answer a renewal; zero means
	// 30 s. No caller's context shortens it.
	Deadline time.Duration
	// SaveBudget is how long saving a token that has arrived may take; zero means
	// 20 s.
	SaveBudget time.Duration
	// Patience is how long a caller waits for a renewal while the old token is
	// still good, before it gets the old one; zero means 5 s. At a venue where a
	// renewal ends the old token at once (Policy.KillsAccess), callers wait for the
	// outcome.
	Patience time.Duration

	start   sync.Once
	owner   func() string
	mu      sync.Mutex
	entries map[ID]*entry
	unsaved int // how many of the entries have an unsaved rotation
	budgets map[string]*localBudget
	crowds  map[string]crowd // by venue
	lanes   map[string]lane  // by venue
	probes  map[string]*probeResult
	marking sync.Mutex
	// working counts the goroutines that Close waits for; atRest is signalled when
	// there are none.
	working int
	atRest  *sync.Cond
	// readers are the loops over Events, and queues the last event about each venue's
	// queue.
	readers map[*observer]bool
	queues  map[string]Event

	found sync.Map // by name: what Find returned, as found
}

func (k *Keeper) init() {
	k.start.Do(func() {
		k.owner = sync.OnceValue(rand.Text)
		k.atRest = sync.NewCond(&k.mu)
		k.entries = make(map[ID]*entry)
		k.budgets = make(map[string]*localBudget)
		k.crowds = make(map[string]crowd)
		k.lanes = make(map[string]lane)
		k.probes = make(map[string]*probeResult)
		k.readers = make(map[*observer]bool)
		k.queues = make(map[string]Event)
	})
}

func (k *Keeper) deadline() time.Duration   { return orElse(k.Deadline, 30*time.Second) }
func (k *Keeper) saveBudget() time.Duration { return orElse(k.SaveBudget, 20*time.Second) }
func (k *Keeper) patience() time.Duration   { return orElse(k.Patience, 5*time.Second) }

// lease returns how long a claim holds: a fifth longer than everything done under it
// may take.
func (k *Keeper) lease() time.Duration { return (k.deadline() + k.saveBudget()) * 6 / 5 }

func (k *Keeper) log() *slog.Logger {
	if k.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return k.Log
}

// Venue returns the venue of that name. An unknown one is an *Error of
// ClassMisconfigured.
func (k *Keeper) Venue(name string) (Venue, error) {
	var known []string
	for _, venue := range k.Venues {
		if venue.Name() == name {
			return venue, nil
		}
		known = append(known, venue.Name())
	}
	if venue, err := k.find(name); venue != nil || err != nil {
		return venue, err
	}
	return nil, &Error{ID: ID{Venue: name}, Class: ClassMisconfigured, Reason: fmt.Sprintf("unknown venue; known are %v", known)}
}

// found is what Find returned for a name.
type found struct {
	venue Venue
	err   error
}

// find asks Find, once for each name.
func (k *Keeper) find(name string) (Venue, error) {
	if k.Find == nil {
		return nil, nil
	}
	if known, ok := k.found.Load(name); ok {
		return known.(found).venue, known.(found).err
	}
	venue, err := k.Find(name)
	if err != nil {
		err = &Error{ID: ID{Venue: name}, Class: ClassMisconfigured, Reason: "the definition of the venue cannot be used: " + err.Error(), Remedy: "venuekey venue check " + name, Err: err}
	}
	if venue != nil || err != nil { // names that are made up are not kept
		k.found.Store(name, found{venue, err})
	}
	return venue, err
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
	if registrar, ok := venue.(Registrar); ok {
		err = registrar.CheckApp(app)
	}
	return venue, app, err
}
