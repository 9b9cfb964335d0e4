package local

import (
	"context"
	"errors"
	"slices"
	"syscall"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/key"
)

// key.go owns the key of the vault: creating it once, loading it, and the errors if that
// does not work.

// openKeys returns the vault with the keys that it is sealed with. If there is no key and
// none may be created, it returns the vault as it is.
func (p *Place) openKeys(ctx context.Context, vault *venuekey.Vault, store venuekey.Store, create bool) (*venuekey.Vault, key.Info, error) {
	opened, info, err := p.Keys().Vault(ctx, store)
	if errors.Is(err, key.ErrNoKey) {
		made, err := p.firstKey(ctx, store, create, err)
		if err != nil || !made {
			return vault, key.Info{}, err
		}
		return p.openKeys(ctx, vault, store, false)
	}
	if err != nil {
		return vault, key.Info{}, p.KeyError(err)
	}
	return opened, info, nil
}

// firstKey creates the key, but only for a vault that holds nothing yet: a new key would
// never open existing records.
func (p *Place) firstKey(ctx context.Context, store venuekey.Store, create bool, err error) (made bool, _ error) {
	holds, listing := holdsAnything(ctx, store)
	switch {
	case listing != nil:
		return false, listing
	case holds:
		return false, p.keyless(err)
	case !create:
		return false, nil
	}
	choice, err := p.KeyChoice()
	if err != nil {
		return false, err
	}
	return true, p.createKey(ctx, choice)
}

// holdsAnything reports whether a store holds anything sealed.
func holdsAnything(ctx context.Context, store venuekey.Store) (bool, error) {
	records, err := store.List(ctx, "", "", 100)
	return slices.ContainsFunc(records, func(r venuekey.Record) bool { return len(r.Sealed) > 0 }), err
}

// keyless is the error for a vault that is sealed with a key which is not here. If machines
// share the vault, the others have it.
func (p *Place) keyless(err error) error {
	keyless := &venuekey.Error{Class: venuekey.ClassDamaged, Err: err,
		Reason: "the vault at " + p.Address().String() + " is sealed, and its key is gone: " + err.Error(),
		Remedy: "restore the key's files to " + p.Config + ", or venuekey key import; only if the key is lost: move the vault away and sign in again"}
	if p.Address().IsDatabase() {
		keyless.Reason = "the vault at " + p.Address().String() + " is sealed, and its key is not on this machine: " + err.Error()
		keyless.Remedy = "venuekey key export keys.age on a machine that has it, and venuekey key import keys.age here"
	}
	return keyless
}

// createKey creates the key and calls KeyMade: the key is the one thing to keep a copy of.
func (p *Place) createKey(ctx context.Context, choice key.Choice) error {
	if err := p.MakeKeyFolder(); err != nil {
		return err
	}
	_, info, err := p.NewKeys().Create(ctx, choice)
	if errors.Is(err, key.ErrExists) {
		return nil // another program was faster
	}
	if err != nil {
		return p.KeyError(err)
	}
	if p.config.KeyMade != nil {
		p.config.KeyMade(info)
	}
	return nil
}

// MakeKeyFolder creates the folder that the key is kept in, if needed.
func (p *Place) MakeKeyFolder() error {
	if err := own.MakeFolder(p.Config); err != nil {
		return p.KeyError(err)
	}
	return nil
}

// Keys returns the configuration of the vault's keys, with the passphrase that opens them.
// KeyError adds a remedy to its errors.
func (p *Place) Keys() key.Config { return key.Config{Dir: p.Config, Passphrase: p.passphrase} }

// NewKeys is Keys for the first key: it asks for a new passphrase.
func (p *Place) NewKeys() key.Config { return key.Config{Dir: p.Config, Passphrase: p.newPassphrase} }

// KeyChoice returns how to keep a new key, from Config.Key or VENUEKEY_KEY.
// ChoiceAutomatic leaves it to the machine.
func (p *Place) KeyChoice() (key.Choice, error) {
	choice, err := environ.KeyChoice(p.env("VENUEKEY_KEY"))
	if err == nil && p.config.Key != key.ChoiceAutomatic {
		choice = p.config.Key
	}
	return choice, err
}

// ErrNoPassphrase means that the key needs a passphrase, the environment has none, and
// there is no one to ask. Config.Passphrase may return it too.
var ErrNoPassphrase = errors.New("there is no one to ask for the passphrase")

// passphrase returns the passphrase from the environment, or asks for it.
func (p *Place) passphrase(ctx context.Context) (string, error) { return p.askOnce(ctx, false) }

func (p *Place) newPassphrase(ctx context.Context) (string, error) {
	p.known = nil
	return p.askOnce(ctx, true)
}

// askOnce remembers the answer: a new key is opened with it right away.
func (p *Place) askOnce(ctx context.Context, isNew bool) (string, error) {
	if p.known != nil && p.known() != "" {
		return string(p.known()), nil
	}
	given, err := p.Secret(ctx, "VENUEKEY_PASSPHRASE")
	switch {
	case err != nil || given != "":
	case p.config.Passphrase == nil:
		err = ErrNoPassphrase
	default:
		given, err = p.config.Passphrase(ctx, isNew)
	}
	p.known = func() venuekey.Secret { return given }
	return string(given), err
}

// KeyError turns an error of package key into a [venuekey.Error] with a remedy. A
// venuekey.Error is returned as it is, and nil as nil.
func (p *Place) KeyError(err error) error {
	if known, ok := errors.AsType[*venuekey.Error](err); ok {
		return known
	}
	explained := &venuekey.Error{Class: venuekey.ClassMisconfigured, Err: err}
	exposed, _ := errors.AsType[*own.Exposed](err)
	switch {
	case err == nil:
		return nil
	case exposed != nil:
		explained.Reason, explained.Remedy = exposed.Path+" "+exposed.Reason+p.namedBy(), exposed.Remedy
	case errors.Is(err, key.ErrWeak):
		explained.Remedy = "choose a longer one"
	case errors.Is(err, ErrNoPassphrase):
		explained.Remedy = "set VENUEKEY_PASSPHRASE_FILE or VENUEKEY_PASSPHRASE, or run this in a terminal"
	case errors.Is(err, key.ErrPassphrase):
		explained.Remedy = "give the passphrase that the vault was created with"
	case errors.Is(err, key.ErrLocked):
		explained.Class = venuekey.ClassLater
	case errors.Is(err, key.ErrLost):
		explained.Class, explained.Remedy = venuekey.ClassDamaged, "restore the key; or move "+p.Address().String()+" and "+p.Config+" away, and sign in again"
		if p.Address().IsDatabase() {
			explained.Remedy = "restore the key; or move " + p.Config + " away, then venuekey key export where the key is, and venuekey key import here"
		}
	case errors.Is(err, syscall.ENOSPC):
		explained.Class, explained.Remedy = venuekey.ClassFailed, "free some space"
	default:
		explained.Remedy = "venuekey doctor"
	}
	return explained
}

// Rekey makes the newest key the one that seals, and seals every record with it while
// other programs go on. It returns the key's ID. See [venuekey.Vault.Rekey].
func (v *Vault) Rekey(ctx context.Context, progress func(venuekey.Rekeyed)) (id string, done venuekey.Rekeyed, err error) {
	keys := v.Place.Keys()
	known, _, err := keys.LoadAll(ctx)
	if err == nil {
		id, err = keys.Use()
	}
	if err != nil {
		return "", done, v.Place.KeyError(err)
	}
	sealing := &venuekey.Vault{Store: v.store()}
	for _, k := range known {
		sealing.Keys = append(sealing.Keys, venuekey.SealKey(k))
	}
	sealing.Key = sealing.Keys[len(sealing.Keys)-1]
	done, err = sealing.Rekey(ctx, progress)
	return id, done, err
}
