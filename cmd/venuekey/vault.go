package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/key"
)

// vault.go owns opening the vault and closing it again, in the one order in
// which nothing is lost.

// vault is the open vault with the Keeper over it.
type vault struct {
	*venuekey.Vault
	keeper *venuekey.Keeper
	store  venuekey.Store
	// empty says that there is no vault file yet, and that this one forgets.
	empty bool
	// places are what takes renewed tokens: the vault and the spill folders.
	places []string
	// key tells where the key is kept.
	key key.Info
}

// withVault lends the vault to work. Where there is none yet work gets an empty
// one: looking at a vault makes no files.
func (p *program) withVault(ctx context.Context, work func(*vault) error) error {
	return p.lend(ctx, false, work)
}

// withNewVault is withVault for work that puts something there: key and vault
// are made first if there are none.
func (p *program) withNewVault(ctx context.Context, work func(*vault) error) error {
	return p.lend(ctx, true, work)
}

func (p *program) lend(ctx context.Context, create bool, work func(*vault) error) error {
	places, err := p.folders()
	if err != nil {
		return err
	}
	if err := p.ours(places); err != nil {
		return err
	}
	v := &vault{Vault: new(venuekey.Vault)}
	if v.store, v.empty, err = p.openStore(ctx, places, create); err != nil {
		return err
	}
	if !v.empty {
		if err := p.openKeys(ctx, places, v, create); err != nil {
			return errors.Join(err, v.store.Close())
		}
	}
	p.grip.take()
	defer p.grip.give()
	v.Vault.Store = v.store
	v.keeper = &venuekey.Keeper{Vault: v.Vault, Venues: venues(), Apps: p.apps(v.Vault), Log: p.log(), Spills: places.spills(), Marks: places.marks()}
	v.places = append([]string{shownAddress(places.vault())}, places.spills()...)
	err = p.missing(ctx, v, work(v))
	if closed := p.close(ctx, v); err == nil {
		err = closed
	} else if closed != nil {
		p.tell("venuekey: %v", closed)
	}
	return err
}

// where is the vault, for a person.
func (p *program) where() string {
	places, err := p.folders()
	if err != nil {
		return "no folder that is known"
	}
	return shownAddress(places.vault())
}

// tellNone says that nobody is signed in, and where: a wrong VENUEKEY_HOME looks
// like a new machine.
func (p *program) tellNone() {
	p.tell("0 sign-ins at %s", p.where())
	if p.interactive() {
		p.tell("  try: venuekey login ctrader/NAME; or name the vault by VENUEKEY_HOME or --store")
	}
}

// hasVault is an error where there is no vault to keep fresh. One that was made for
// it would stay empty for ever, while the real one lies elsewhere.
func (p *program) hasVault(ctx context.Context, v *vault) error {
	if v.empty || v.key.ID == "" {
		return &venuekey.Error{Op: "run", Class: venuekey.ClassMisconfigured, Reason: "there is no vault with a key at " + p.where(),
			Remedy: "set VENUEKEY_HOME or --store to where you signed in; or sign in here first: venuekey login ctrader/NAME"}
	}
	for range v.IDs(ctx) {
		return nil
	}
	p.tellNone()
	return nil
}

// withStore lends the records alone, which takes no key.
func (p *program) withStore(ctx context.Context, work func(venuekey.Store) error) error {
	places, err := p.folders()
	if err != nil {
		return err
	}
	if err := p.ours(places); err != nil {
		return err
	}
	store, _, err := p.openStore(ctx, places, false)
	if err != nil {
		return err
	}
	return errors.Join(work(store), store.Close())
}

// close waits for renewals that are under way, so that no answer that is still
// on the wire is lost, and closes the store after that. Those that have not begun are
// given up when this run is told to end.
func (p *program) close(ctx context.Context, v *vault) error {
	patience := time.AfterFunc(time.Second, func() {
		again := ""
		if ctx.Err() != nil {
			again = " (Ctrl-C again to lose it)"
		}
		p.tell("a renewal is under way; its answer is waited for%s", again)
	})
	stop := context.AfterFunc(ctx, v.keeper.Leave)
	err := v.keeper.Close()
	stop()
	patience.Stop()
	if len(v.keeper.Held()) > 0 {
		err = p.keepHeld(ctx, v)
	}
	return errors.Join(err, v.store.Close())
}

// openStore opens the vault. A file that is not there and is not to be made is
// an empty store that forgets.
func (p *program) openStore(ctx context.Context, places folders, create bool) (store venuekey.Store, empty bool, err error) {
	if create && !isDatabase(places.vault()) {
		if err := own.MakeFolder(filepath.Dir(places.vault())); err != nil {
			if told := notOurs(err, ""); told != err {
				return nil, false, told
			}
			return nil, false, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "the folder for the vault cannot be made: " + err.Error(), Err: err,
				Remedy: "mend the path, or set VENUEKEY_HOME to another folder"}
		}
	}
	return openAt(ctx, places.vault(), create)
}

// apps finds the app for a venue in the vault and the environment. It is asked
// for before anything is presented to the venue.
func (p *program) apps(v *venuekey.Vault) func(context.Context, string) (venuekey.App, error) {
	return func(ctx context.Context, name string) (venuekey.App, error) {
		p.orderly()
		venue, ok := venueOf(name)
		if !ok {
			return venuekey.App{}, &venuekey.Error{ID: venuekey.ID{Venue: name}, Class: venuekey.ClassMisconfigured, Reason: "unknown venue"}
		}
		app, _, err := p.resolve(ctx, v, venue)
		return app, err
	}
}
