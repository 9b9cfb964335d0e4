package venuekey

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// keeper.go owns what a Keeper is given and what it keeps in memory.

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
	// Log gets what happens; nil means no log.
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

	start   sync.Once
	owner   func() string
	mu      sync.Mutex
	entries map[ID]*entry
	unsaved int // how many of the entries have an unsaved rotation
	budgets map[string]*localBudget
	probes  map[string]*probeResult
	marking sync.Mutex
	// working counts what Close waits for, and atRest is signalled when it is none.
	working int
	atRest  *sync.Cond
	// readers are the loops over Events, and queues what was last reported of each
	// venue's queue.
	readers map[*observer]bool
	queues  map[string]Event
}

func (k *Keeper) init() {
	k.start.Do(func() {
		k.owner = sync.OnceValue(rand.Text)
		k.atRest = sync.NewCond(&k.mu)
		k.entries = make(map[ID]*entry)
		k.budgets = make(map[string]*localBudget)
		k.probes = make(map[string]*probeResult)
		k.readers = make(map[*observer]bool)
		k.queues = make(map[string]Event)
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
	if registrar, ok := venue.(Registrar); ok {
		err = registrar.CheckApp(app)
	}
	return venue, app, err
}
