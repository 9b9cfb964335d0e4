package main

import (
	"context"
	"errors"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/address"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
)

// vault.go owns lending the vault to a command: which one is meant, and the time
// between the last word about it and the end of the run.

// place is where the vault is that this run is about.
func (p *program) place() (*local.Place, error) {
	if p.found != nil {
		return p.found, nil
	}
	if p.store != "" {
		if _, err := addressOf(p.store); err != nil {
			return nil, err
		}
	}
	var err error
	p.found, err = local.Config{
		Store: p.store, Environ: p.environ, Venues: local.Venues(), Key: p.choice, Passphrase: p.typePassphrase, Scopes: p.scopes, Log: p.log(),
		Warn:    func(text string) { p.tell("warning: %s", text) },
		KeyMade: p.tellKeyMade, BeforePresenting: p.orderly,
	}.Place()
	return p.found, err
}

// addressOf parses an address from the arguments, which every user of the machine can
// see.
func addressOf(argument string) (local.Address, error) {
	parsed, err := local.ParseAddress(argument)
	switch {
	case venuekey.ClassOf(err) == venuekey.ClassMisconfigured:
		return parsed, misused(address.Forms, "that is not an address that venuekey understands")
	case err != nil:
		return parsed, err
	case parsed.HasPassword():
		return parsed, misused("leave the password to PGPASSWORD or ~/.pgpass, or the whole address to VENUEKEY_STORE",
			"a password among the arguments can be read by every user of this machine")
	}
	return parsed, nil
}

// withVault lends the vault to work. Where there is none yet work gets an empty
// one: looking at a vault makes no files.
func (p *program) withVault(ctx context.Context, work func(*local.Vault) error) error {
	return p.lend(ctx, (*local.Place).Open, work)
}

// withNewVault is withVault for work that puts something there: key and vault
// are made first if there are none.
func (p *program) withNewVault(ctx context.Context, work func(*local.Vault) error) error {
	return p.lend(ctx, (*local.Place).Create, work)
}

// withSealed is withVault for work that needs no key.
func (p *program) withSealed(ctx context.Context, work func(*local.Vault) error) error {
	place, err := p.place()
	if err != nil {
		return err
	}
	v, err := place.OpenSealed(ctx)
	if err != nil {
		return err
	}
	return errors.Join(work(v), v.CloseStore())
}

func (p *program) lend(ctx context.Context, open func(*local.Place, context.Context) (*local.Vault, error), work func(*local.Vault) error) error {
	place, err := p.place()
	if err != nil {
		return err
	}
	v, err := open(place, ctx)
	if err != nil {
		return err
	}
	p.grip.take()
	defer p.grip.give()
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
	place, err := p.place()
	if err != nil {
		return "no folder that is known"
	}
	return place.Address().String()
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
func (p *program) hasVault(ctx context.Context, v *local.Vault) error {
	if v.Missing || v.Key.ID == "" {
		return &venuekey.Error{Op: "run", Class: venuekey.ClassMisconfigured, Reason: "there is no vault with a key at " + p.where(),
			Remedy: "set VENUEKEY_HOME or --store to where you signed in; or sign in here first: venuekey login ctrader/NAME"}
	}
	for range v.Vault.IDs(ctx) {
		return nil
	}
	p.tellNone()
	return nil
}

// close waits for renewals that are under way, so that no answer that is still
// on the wire is lost, and closes the store after that. Those that have not begun are
// given up when this run is told to end.
func (p *program) close(ctx context.Context, v *local.Vault) error {
	patience := time.AfterFunc(time.Second, func() {
		again := ""
		if ctx.Err() != nil {
			again = " (Ctrl-C again to lose it)"
		}
		p.tell("a renewal is under way; its answer is waited for%s", again)
	})
	stop := context.AfterFunc(ctx, v.Keeper.Leave)
	err := v.Keeper.Close()
	stop()
	patience.Stop()
	if len(v.Keeper.Held()) > 0 {
		err = p.keepHeld(ctx, v)
	}
	return errors.Join(err, v.CloseStore())
}

// tellKeyMade tells of a key that was made: it is the one thing to keep a copy of.
func (p *program) tellKeyMade(info key.Info) {
	p.tell("a new key was made and lies in %s; keep a copy: without it nobody opens the vault", info.Where)
	if info.Note != "" && p.verbose {
		p.tell("it is not in the keyring: %s", info.Note)
	}
}
