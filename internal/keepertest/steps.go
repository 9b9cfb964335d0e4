package keepertest

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/venuekey/venuekey"
)

// steps.go owns the steps of a renewal as the Keeper's store, venue and log see them.

// Steps returns the steps of a renewal in order. "loaded" comes before the claim is
// written and "sealed" before the new token is; "spilled" and "published" come from the
// Keeper's log.
func Steps() []string {
	return []string{"loaded", "claimed", "answered", "sealed", "spilled", "saved", "published"}
}

// OnStep calls step, in the goroutine that renews, at each step of the Keeper's renewals.
// It wraps the Keeper's store, venues and log, so call it while nothing uses them. Of the
// optional interfaces of a venue only Prober and Repeater are passed on.
func OnStep(k *venuekey.Keeper, step func(string)) {
	k.Vault.Store = &stepStore{Store: k.Vault.Store, step: step, seen: map[string]int64{}}
	for i, venue := range k.Venues {
		prober, _ := venue.(venuekey.Prober)
		k.Venues[i] = stepVenue{venue, prober, step}
		if repeater, ok := venue.(venuekey.Repeater); ok {
			k.Venues[i] = stepRepeater{stepVenue{venue, prober, step}, repeater}
		}
	}
	k.Log = slog.New(stepLog{slog.DiscardHandler, step})
}

// AtFirst calls work at the first step of that name.
func AtFirst(k *venuekey.Keeper, name string, work func()) {
	var once sync.Once
	OnStep(k, func(step string) {
		if step == name {
			once.Do(work)
		}
	})
}

type stepStore struct {
	venuekey.Store
	step func(string)
	mu   sync.Mutex
	seen map[string]int64 // the last generation of each key that was reported as sealed
}

func (s *stepStore) Put(ctx context.Context, record venuekey.Record) (int64, error) {
	before, after := s.around(ctx, record)
	if before != "" {
		s.step(before)
	}
	version, err := s.Store.Put(ctx, record)
	if err == nil && after != "" {
		s.step(after)
	}
	return version, err
}

// around returns the steps before and after a record is written. A claim has a lease and
// an intent; a rotation has a later generation than the stored record.
func (s *stepStore) around(ctx context.Context, record venuekey.Record) (before, after string) {
	if !isToken(record.Key) {
		return "", ""
	}
	if record.LeaseOwner != "" && !record.IntentAt.IsZero() {
		return "loaded", "claimed"
	}
	stands, err := s.Store.Get(ctx, record.Key)
	if record.Version == 0 || err == nil && stands.Generation >= record.Generation {
		return "", ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[record.Key] != record.Generation { // a save that is repeated is sealed once
		before = "sealed"
	}
	s.seen[record.Key] = record.Generation
	return before, "saved"
}

// Watch implements venuekey.Watcher as the store below does.
func (s *stepStore) Watch(ctx context.Context, changed func(string)) error {
	return (&Store{Store: s.Store}).Watch(ctx, changed)
}

type stepVenue struct {
	venuekey.Venue
	venuekey.Prober
	step func(string)
}

func (v stepVenue) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	got, err := v.Venue.Refresh(ctx, app, token)
	v.step("answered")
	return got, err
}

type stepRepeater struct {
	stepVenue
	repeater venuekey.Repeater
}

func (v stepRepeater) SignInAgain(ctx context.Context, app venuekey.App, password venuekey.Secret) (venuekey.Token, error) {
	got, err := v.repeater.SignInAgain(ctx, app, password)
	v.step("answered")
	return got, err
}

type stepLog struct {
	slog.Handler
	step func(string)
}

func (stepLog) Enabled(context.Context, slog.Level) bool { return true }

func (h stepLog) Handle(_ context.Context, record slog.Record) error {
	switch {
	case strings.Contains(record.Message, "kept in a spill file"):
		h.step("spilled")
	case record.Message == "renewed":
		h.step("published")
	}
	return nil
}

func (h stepLog) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h stepLog) WithGroup(string) slog.Handler      { return h }
