package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/store/memory"
)

// fullStore refuses what was renewed until there is room.
type fullStore struct {
	venuekey.Store
	room atomic.Bool
}

func (s *fullStore) Put(ctx context.Context, record venuekey.Record) (int64, error) {
	if strings.HasPrefix(record.Key, "token/") && record.IntentAt.IsZero() && !s.room.Load() {
		return 0, errors.New("no space left on device")
	}
	return s.Store.Put(ctx, record)
}

// plainVenue renews whatever it is shown.
type plainVenue struct{ venuekey.Venue }

func (plainVenue) Name() string            { return "ctrader" }
func (plainVenue) Policy() venuekey.Policy { return venuekey.Policy{} }
func (plainVenue) Refresh(context.Context, venuekey.App, venuekey.Token) (venuekey.Token, error) {
	return venuekey.Token{Access: "new", Refresh: "newer", Issued: time.Now(), Expires: time.Now().Add(time.Hour)}, nil
}

// A program that holds the only copy of a token says so and goes on, also after
// Ctrl-C, until something takes it.
func TestAProgramDoesNotEndWithTheOnlyCopy(t *testing.T) {
	id := venuekey.ID{Venue: "ctrader", Name: "alice"}
	for name, interrupted := range map[string]bool{"left alone": false, "interrupted": true} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { holdsTheOnlyCopy(t, id, interrupted) }) })
	}
}

func holdsTheOnlyCopy(t *testing.T, id venuekey.ID, interrupted bool) {
	o := newOutside(t)
	p := &program{host: o.host}
	p.orderly = func() {}
	store := &fullStore{Store: &memory.Store{}}
	store.room.Store(true)
	v := &local.Vault{Place: &local.Place{Config: "/data", Data: "/data"}}
	v.Keeper = &venuekey.Keeper{Vault: &venuekey.Vault{Store: store}, Venues: []venuekey.Venue{plainVenue{}}, Log: p.log(),
		Apps: func(context.Context, string) (venuekey.App, error) { return venuekey.App{}, nil }}
	if _, err := v.Adopt(t.Context(), id, venuekey.Token{Access: "old", Refresh: "old", Expires: time.Now()}); err != nil {
		t.Fatal(err)
	}
	store.room.Store(false)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	token, err := v.Keeper.Refresh(ctx, id)
	if err == nil {
		t.Fatal("a token was given that is nowhere")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		token, err = p.settled(ctx, v, id, token, err)
	}()
	o.err.awaits(t, "the only copy of the renewed token of ctrader/alice is in this program's memory")
	o.err.awaits(t, "/data/vault.db, /data/spill")
	o.err.awaits(t, "Ctrl-C twice ends this program")
	if interrupted {
		cancel()
		o.err.awaits(t, "Ctrl-C again loses the renewed token of ctrader/alice")
	}
	time.Sleep(time.Hour)
	select {
	case <-done:
		t.Fatal("it ended with the only copy")
	default:
	}
	store.room.Store(true)
	<-done
	o.err.awaits(t, "the renewed token of ctrader/alice is saved now")
	if !interrupted && (err != nil || token.Access != "new") {
		t.Errorf("%v", err)
	}
	for kept, err := range v.Snapshots(t.Context()) {
		if err != nil || kept.Token.Access != "new" {
			t.Errorf("it is not kept: %v", err)
		}
	}
	if err := p.close(ctx, v); err != nil {
		t.Error(err)
	}
}
