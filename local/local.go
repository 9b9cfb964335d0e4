// Package local opens this user's vault: the same vault that the venuekey command uses,
// with the same folders, key, registered apps and environment.
//
//	vault, err := local.Open(ctx)
//	if err != nil { … }
//	defer vault.Close()
//	token, err := vault.Token(ctx, venuekey.ID{Venue: "ctrader", Name: "alice"})
//
// A [Vault] is a [venuekey.Keeper] with all of its methods:
//
//   - Token returns a valid access token and renews it if needed. Source returns a handle
//     on one sign-in; its Client is an http.Client that signs requests.
//   - SignIn signs a user in; package terminal shows the address to open, and opens a
//     browser if the program gives it a function that does.
//     [venuekey.NeedsSignIn] reports whether an error means that a user must.
//   - Run renews every sign-in in the background, and Events reports what happens to them.
//
// [Vault.CTrader] connects to cTrader's Open API with a sign-in. Any number of programs,
// the command among them, can have the vault open at the same time.
//
// Open creates nothing. If there is no vault yet, no one is signed in, and everything that
// would have to be saved is refused. A program that signs users in calls [Config.Create],
// which creates the vault and its key if they do not exist.
//
// Package local reads the same environment as the command; "venuekey help environment"
// lists the variables. VENUEKEY_HOME, VENUEKEY_STORE, VENUEKEY_KEY and
// VENUEKEY_PASSPHRASE say where the vault is and how it opens. Variables such as
// VENUEKEY_CTRADER_CLIENT_ID override what the vault says of an app.
package local

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/memory"
)

// local.go owns opening the vault, and closing it in the only order that loses nothing.

// Config says which vault to open, and how. The zero value is the command's vault, with
// this process's environment.
type Config struct {
	// Home is the folder for all files. It overrides VENUEKEY_HOME.
	Home string
	// Store is the address of the vault, and overrides VENUEKEY_STORE: the path of a file,
	// postgres://user@host/database, or "host=… dbname=…". Leave a password to PGPASSWORD
	// or ~/.pgpass.
	Store string
	// Environ is the environment, in the form of os.Environ; nil is os.Environ().
	Environ []string
	// Venues are the venues that sign-ins can be at; nil is Venues() and all that a
	// definition describes.
	Venues []venuekey.Venue
	// Definitions is the folder of this user's own definitions of venues, and overrides
	// VENUEKEY_VENUES.
	Definitions string
	// Key says how to keep a new key. It overrides VENUEKEY_KEY.
	Key key.Choice
	// Passphrase asks a person for the vault's passphrase. It is called if the key needs
	// one and the environment has none; isNew means that the passphrase is for a new key.
	// If it is nil, there is no one to ask, and the error is ErrNoPassphrase.
	Passphrase func(ctx context.Context, isNew bool) (venuekey.Secret, error)
	// Scopes are requested at a sign-in instead of the app's.
	Scopes []string
	// Log is the Keeper's; nil is slog.Default().
	Log *slog.Logger
	// Warn, if set, is called with problems that a person should fix although everything
	// works, once for each: a file with a secret that every user of this machine can read.
	Warn func(text string)
	// KeyMade, if set, is called after a key was created. Tell the user to keep a copy:
	// without the key the vault cannot be opened.
	KeyMade func(key.Info)
	// BeforePresenting, if set, is called before a credential is presented to a venue.
	BeforePresenting func()

	only bool // Venues was given: there are no others
}

// Open opens the vault of the zero Config. See Config.Open.
func Open(ctx context.Context) (*Vault, error) { return Config{}.Open(ctx) }

// Open opens the vault and creates nothing. If there is no vault yet, Vault.Missing is
// true, no one is signed in, and saving anything is an error.
//
// Errors are [venuekey.Error] with a Remedy: ClassMisconfigured if a folder, an address or
// a setting is wrong, ClassDamaged if the key is gone, ClassLater if a keyring is locked or
// a database cannot be reached.
func (c Config) Open(ctx context.Context) (*Vault, error) {
	place, err := c.Place()
	if err != nil {
		return nil, err
	}
	return place.Open(ctx)
}

// Create opens the vault. It first creates the vault and its key if they do not exist.
// Errors are as for Open.
func (c Config) Create(ctx context.Context) (*Vault, error) {
	place, err := c.Place()
	if err != nil {
		return nil, err
	}
	return place.Create(ctx)
}

// Vault is this user's open vault, with a Keeper over it. Close it when done.
type Vault struct {
	*venuekey.Keeper
	// Place has the folders and the key of the vault.
	Place *Place
	// Key says where its key is kept; zero if there is none yet.
	Key key.Info
	// Missing means that there is no vault file yet.
	Missing bool

	store func() venuekey.Store // a function, so that fmt does not look inside
}

// Close waits for renewals in flight, as Keeper.Close does, and then closes the store.
func (v *Vault) Close() error { return errors.Join(v.Keeper.Close(), v.CloseStore()) }

// CloseStore is the second half of Close, for a program that does something between the
// two. While Keeper.Held lists a sign-in, its token exists only in memory.
func (v *Vault) CloseStore() error { return v.Vault.Store.Close() }

// Writable returns an error if the vault cannot be written, even if it has no key yet. It
// writes a record without meaning and deletes it.
func (v *Vault) Writable(ctx context.Context) error {
	return (&venuekey.Vault{Store: v.store()}).Writable(ctx)
}

// Open opens the vault. See Config.Open.
func (p *Place) Open(ctx context.Context) (*Vault, error) { return p.open(ctx, false, true) }

// Create opens the vault and creates it first if needed. See Config.Create.
func (p *Place) Create(ctx context.Context) (*Vault, error) { return p.open(ctx, true, true) }

// OpenSealed opens the vault without its key, for IDs and Copy of the [venuekey.Vault] in
// it, which need none.
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
	v.Keeper = &venuekey.Keeper{Vault: vault, Venues: p.config.Venues, Find: p.find, Log: p.config.Log, Spills: p.Spills(), Marks: p.Marks(), Machine: p.env("VENUEKEY_MACHINE")}
	v.Keeper.Apps = func(ctx context.Context, name string) (venuekey.App, error) {
		if p.config.BeforePresenting != nil {
			p.config.BeforePresenting()
		}
		app, _, err := v.App(ctx, name)
		return app, err
	}
	return v, nil
}

// openStore opens the store. If create is false and the file does not exist, the store is
// empty and in memory.
func (p *Place) openStore(ctx context.Context, create bool) (store venuekey.Store, missing bool, err error) {
	address := p.Address()
	if address.IsDatabase() {
		store, err = address.Open(ctx)
		return store, false, err
	}
	path := address.String()
	if create {
		if err := own.MakeFolder(filepath.Dir(path)); err != nil {
			if explained := environ.FolderError(err, ""); explained != err {
				return nil, false, explained
			}
			return nil, false, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "the folder for the vault cannot be created: " + err.Error(), Err: err,
				Remedy: "correct the path, or set VENUEKEY_HOME to another folder"}
		}
	} else if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return new(memory.Store), true, nil
	}
	store, err = address.Open(ctx)
	return store, false, err
}

// unmade wraps a store that has no key yet: nothing can be sealed, so Put fails.
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
	return 0, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "there is no vault with a key at " + r.at, Remedy: "venuekey init creates both"}
}
