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

// vault.go owns opening the vault for a command, and closing it without losing a renewal in
// flight.

// place returns the location of this run's vault.
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
		Store: p.store, Definitions: p.venuesIn, Environ: p.environ, Key: p.choice, Passphrase: p.typePassphrase, Scopes: p.scopes, Log: p.log(),
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

// withVault opens the vault and calls work with it. If there is no vault yet, work gets an
// empty one: reading a vault creates no files.
func (p *program) withVault(ctx context.Context, work func(*local.Vault) error) error {
	return p.lend(ctx, (*local.Place).Open, work)
}

// withNewVault is withVault for work that saves something: it creates the vault and its key
// if there are none.
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

// where returns the location of the vault, for a person.
func (p *program) where() string {
	place, err := p.place()
	if err != nil {
		return "an unknown folder"
	}
	return place.Address().String()
}

// tellNone prints that no one is signed in, and in which vault: a wrong VENUEKEY_HOME looks
// like a new machine.
func (p *program) tellNone() {
	p.tell("0 sign-ins at %s", p.where())
	if p.interactive() {
		p.tell("  try: venuekey login ctrader/NAME; or name another vault with VENUEKEY_HOME or --store")
	}
}

// hasVault returns an error if there is no vault to renew. A new one would stay empty for
// ever, while the real one is elsewhere.
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

// close waits for renewals in flight, so that no answer is lost, and then closes the store.
// If the run is interrupted, it gives up renewals that have not begun.
func (p *program) close(ctx context.Context, v *local.Vault) error {
	patience := time.AfterFunc(time.Second, func() {
		again := ""
		if ctx.Err() != nil {
			again = " (Ctrl-C again to lose it)"
		}
		p.tell("waiting for the answer to a renewal%s", again)
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

// tellKeyMade reports a new key: it is the one thing to keep a copy of.
func (p *program) tellKeyMade(info key.Info) {
	p.tell("a new key was created in %s; keep a copy: without it the vault cannot be opened", info.Where)
	if info.Note != "" && p.verbose {
		p.tell("it is not in the keyring: %s", info.Note)
	}
}
