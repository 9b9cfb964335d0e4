// Package local is this user's vault, for any program: the one that the venuekey
// command keeps, at the same place, under the same key, with the same environment.
//
//	vault, err := local.Open(ctx)
//	defer vault.Close()
//	token, err := vault.Token(ctx, venuekey.ID{Venue: "ctrader", Name: "alice"})
//
// A Vault is a Keeper, so everything that a Keeper does is there: Source, Run, Events,
// SignIn. Any number of programs, the command among them, may have it open at once.
//
// Open makes nothing: where no vault is, nobody is signed in, and what would have to
// be kept is refused. Config.Create makes vault and key first, for programs that sign
// users in. What the command's help says under "environment" and "files" holds here:
// VENUEKEY_HOME, VENUEKEY_STORE, VENUEKEY_KEY, VENUEKEY_PASSPHRASE and the variables of
// each venue, such as VENUEKEY_CTRADER_CLIENT_ID.
package local

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/memory"
)

// local.go owns opening the vault and closing it again, in the one order in which
// nothing is lost.

// Config says which vault is meant. The zero value means the command's.
type Config struct {
	// Home is the folder for all files, in place of VENUEKEY_HOME.
	Home string
	// Store is where the vault is, in place of VENUEKEY_STORE: the path of a file,
	// postgres://user@host/database, or host=… dbname=…. Leave a password to PGPASSWORD
	// or ~/.pgpass.
	Store string
	// Environ is the environment; nil is os.Environ.
	Environ Environ
	// Venues are those that sign-ins can be at; nil is Venues().
	Venues []venuekey.Venue
	// Key is how a key that is made is kept, in place of VENUEKEY_KEY.
	Key key.Choice
	// Passphrase asks a person for the vault's passphrase, if the environment does not
	// give it; isNew says that it is for a key that is being made. nil means that nobody
	// is there to ask.
	Passphrase func(ctx context.Context, isNew bool) (venuekey.Secret, error)
	// Scopes are asked for at a sign-in, in place of the app's.
	Scopes []string
	// Log is the Keeper's; nil is slog.Default.
	Log *slog.Logger
	// Warn, if set, is called with what a person should mend although all works, once
	// for each: a secret that every user of this machine can read.
	Warn func(text string)
	// KeyMade, if set, is called when a key was made: somebody should keep a copy,
	// without which nobody opens the vault.
	KeyMade func(key.Info)
	// BeforePresenting, if set, is called before anything is presented to a venue.
	BeforePresenting func()
}

// Open opens the vault of the zero Config. See Config.Open.
func Open(ctx context.Context) (*Vault, error) { return Config{}.Open(ctx) }

// Open opens the vault and makes nothing. Where there is none yet, Vault.Missing says
// so, nobody is signed in, and what would have to be kept is an error.
//
// An *venuekey.Error says what helps: ClassMisconfigured where a folder, an address or
// a setting is wrong, ClassDamaged where the key is gone, ClassLater where a keyring is
// locked.
func (c Config) Open(ctx context.Context) (*Vault, error) {
	place, err := c.Place()
	if err != nil {
		return nil, err
	}
	return place.Open(ctx)
}

// Create opens the vault, and makes it and its key first if there are none.
func (c Config) Create(ctx context.Context) (*Vault, error) {
	place, err := c.Place()
	if err != nil {
		return nil, err
	}
	return place.Create(ctx)
}

// Vault is the open vault of this user with the Keeper over it. Close it.
type Vault struct {
	*venuekey.Keeper
	// Place is where its files are.
	Place *Place
	// Key tells where its key is kept; zero if none was made yet.
	Key key.Info
	// Missing says that there is no vault file yet.
	Missing bool

	store func() venuekey.Store // which fmt does not follow
}

// Close waits for renewals that are under way, as Keeper.Close does, and closes the
// store after that.
func (v *Vault) Close() error { return errors.Join(v.Keeper.Close(), v.CloseStore()) }

// CloseStore is the second half of Close, for a program that does more between the
// two: as long as Keeper.Held names a sign-in, its token is nowhere but in memory.
func (v *Vault) CloseStore() error { return v.Vault.Store.Close() }

// Writable reports whether the vault takes what is written, also where no key was
// made yet. It writes something that means nothing and takes it away again.
func (v *Vault) Writable(ctx context.Context) error {
	return (&venuekey.Vault{Store: v.store()}).Writable(ctx)
}

// Open is Config.Open.
func (p *Place) Open(ctx context.Context) (*Vault, error) { return p.open(ctx, false, true) }

// Create is Config.Create.
func (p *Place) Create(ctx context.Context) (*Vault, error) { return p.open(ctx, true, true) }

// OpenSealed opens the vault without its key: for Vault.IDs and Vault.Copy of the
// venuekey.Vault in it, which need none.
func (p *Place) OpenSealed(ctx context.Context) (*Vault, error) { return p.open(ctx, false, false) }

func (p *Place) open(ctx context.Context, create, unsealed bool) (*Vault, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	store, missing, err := p.openStore(ctx, create)
	if err != nil {
		return nil, err
	}
	v := &Vault{Place: p, Missing: missing, store: func() venuekey.Store { return store }}
	vault := &venuekey.Vault{Store: unmade(store, p.Address())}
	if !missing && unsealed {
		if vault, v.Key, err = p.openKeys(ctx, vault, store, create); err != nil {
			return nil, errors.Join(err, store.Close())
		}
	}
	v.Keeper = &venuekey.Keeper{Vault: vault, Venues: p.config.Venues, Log: p.config.Log, Spills: p.Spills(), Marks: p.Marks()}
	v.Keeper.Apps = func(ctx context.Context, name string) (venuekey.App, error) {
		if p.config.BeforePresenting != nil {
			p.config.BeforePresenting()
		}
		app, _, err := v.App(ctx, name)
		return app, err
	}
	return v, nil
}

// openStore opens the records. A file that is not there and is not to be made is an
// empty store that forgets.
func (p *Place) openStore(ctx context.Context, create bool) (store venuekey.Store, missing bool, err error) {
	address := p.Address()
	if address.IsDatabase() {
		store, err = address.Open(ctx)
		return store, false, err
	}
	path := address.String()
	if create {
		if err := own.MakeFolder(filepath.Dir(path)); err != nil {
			if told := NotOurs(err, ""); told != err {
				return nil, false, told
			}
			return nil, false, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "the folder for the vault cannot be made: " + err.Error(), Err: err,
				Remedy: "mend the path, or set VENUEKEY_HOME to another folder"}
		}
	} else if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return new(memory.Store), true, nil
	}
	store, err = address.Open(ctx)
	return store, false, err
}

// unmade is a store for which there is no key yet: nothing can be sealed, so nothing
// is kept.
func unmade(store venuekey.Store, at Address) venuekey.Store {
	refusing := refusing{store, at.String()}
	if watcher, ok := store.(venuekey.Watcher); ok {
		return struct {
			refusingStore
			venuekey.Watcher
		}{refusing, watcher}
	}
	return refusing
}

type refusingStore interface{ venuekey.Store }

type refusing struct {
	venuekey.Store
	at string
}

// Put implements venuekey.Store.
func (r refusing) Put(context.Context, venuekey.Record) (int64, error) {
	return 0, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "there is no vault with a key at " + r.at, Remedy: "venuekey init makes both"}
}
