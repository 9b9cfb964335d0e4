package local

import (
	"context"
	"errors"
	"slices"
	"syscall"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/key"
)

// key.go owns the key of the vault: making it once, getting at it, and what is said
// if that does not work.

// openKeys gives the vault with the keys that it is sealed with. Without a key there is
// nothing to open, and the vault stays as it is.
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

// firstKey makes the key, but only for a vault that holds nothing yet: another
// key would never open what is there.
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

// holdsAnything is whether a store holds something sealed.
func holdsAnything(ctx context.Context, store venuekey.Store) (bool, error) {
	records, err := store.List(ctx, "", "", 100)
	return slices.ContainsFunc(records, func(r venuekey.Record) bool { return len(r.Sealed) > 0 }), err
}

// keyless is a vault that is sealed with a key which is not here. Where many
// machines share one, the others have it.
func (p *Place) keyless(err error) error {
	told := &venuekey.Error{Class: venuekey.ClassDamaged, Err: err,
		Reason: "the vault at " + p.Address().String() + " is sealed, and its key is gone: " + err.Error(),
		Remedy: "bring the key's files back to " + p.Config + ", or venuekey key import; only if it is lost: move the vault away and sign in again"}
	if p.Address().IsDatabase() {
		told.Reason = "the vault at " + p.Address().String() + " is sealed, and its key is not on this machine: " + err.Error()
		told.Remedy = "venuekey key export keys.age on a machine that has it, and venuekey key import keys.age here"
	}
	return told
}

// createKey makes the key, and says so: it is the one thing to keep a copy of.
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

// MakeKeyFolder makes the folder that the key is kept in.
func (p *Place) MakeKeyFolder() error {
	if err := own.MakeFolder(p.Config); err != nil {
		return p.KeyError(err)
	}
	return nil
}

// Keys are the keys of the vault, with the passphrase that opens them. KeyError says
// what helps where they do not open.
func (p *Place) Keys() key.Config { return key.Config{Dir: p.Config, Passphrase: p.passphrase} }

// NewKeys is Keys for a first key, whose passphrase is a new one.
func (p *Place) NewKeys() key.Config { return key.Config{Dir: p.Config, Passphrase: p.newPassphrase} }

// KeyChoice is how a key that is made is kept: as the Config or VENUEKEY_KEY says;
// ChoiceAutomatic leaves it to the machine.
func (p *Place) KeyChoice() (key.Choice, error) {
	choice, err := ParseKeyChoice(p.env("VENUEKEY_KEY"))
	if err == nil && p.config.Key != key.ChoiceAutomatic {
		choice = p.config.Key
	}
	return choice, err
}

// ParseKeyChoice reads how a key is to be kept; "" leaves it to the machine.
func ParseKeyChoice(text string) (key.Choice, error) {
	switch choice := key.Choice(text); choice {
	case key.ChoiceAutomatic, key.ChoiceFile, key.ChoiceKeyring, key.ChoicePassphrase:
		return choice, nil
	}
	return "", &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "a key cannot be kept by " + text, Remedy: "VENUEKEY_KEY is file, keyring or passphrase"}
}

// ErrNobodyThere is why no passphrase was given.
var ErrNobodyThere = errors.New("nobody is there to ask")

// passphrase finds the passphrase in the environment, or asks for it.
func (p *Place) passphrase(ctx context.Context) (string, error) { return p.askOnce(ctx, false) }

func (p *Place) newPassphrase(ctx context.Context) (string, error) {
	p.known = nil
	return p.askOnce(ctx, true)
}

// askOnce remembers the answer: a key that was made is opened with it right away.
func (p *Place) askOnce(ctx context.Context, isNew bool) (string, error) {
	if p.known != nil && p.known() != "" {
		return string(p.known()), nil
	}
	given, err := p.Secret(ctx, "VENUEKEY_PASSPHRASE")
	switch {
	case err != nil || given != "":
	case p.config.Passphrase == nil:
		err = ErrNobodyThere
	default:
		given, err = p.config.Passphrase(ctx, isNew)
	}
	p.known = func() venuekey.Secret { return given }
	return string(given), err
}

// KeyError says what helps where a key cannot be had. What says so itself is returned
// as it is.
func (p *Place) KeyError(err error) error {
	if known, ok := errors.AsType[*venuekey.Error](err); ok {
		return known
	}
	told := &venuekey.Error{Class: venuekey.ClassMisconfigured, Err: err}
	exposed, _ := errors.AsType[*own.Exposed](err)
	switch {
	case err == nil:
		return nil
	case exposed != nil:
		told.Reason, told.Remedy = exposed.Path+" "+exposed.Reason+p.namedBy(), exposed.Remedy
	case errors.Is(err, key.ErrWeak):
		told.Remedy = "choose a longer one"
	case errors.Is(err, ErrNobodyThere):
		told.Remedy = "set VENUEKEY_PASSPHRASE_FILE or VENUEKEY_PASSPHRASE, or run it in a terminal"
	case errors.Is(err, key.ErrPassphrase):
		told.Remedy = "give the passphrase that the vault was made with"
	case errors.Is(err, key.ErrLocked):
		told.Class = venuekey.ClassLater
	case errors.Is(err, key.ErrLost):
		told.Class, told.Remedy = venuekey.ClassDamaged, "bring the key back; or move "+p.Address().String()+" and "+p.Config+" away, and sign in again"
		if p.Address().IsDatabase() {
			told.Remedy = "bring the key back; or move " + p.Config + " away, then venuekey key export where the key is, and venuekey key import here"
		}
	case errors.Is(err, syscall.ENOSPC):
		told.Class, told.Remedy = venuekey.ClassFailed, "free some space"
	default:
		told.Remedy = "venuekey doctor"
	}
	return told
}

// Rekey makes the newest key the one that seals, and seals everything with it, while
// programs go on; it returns the key's ID. See venuekey.Vault.Rekey.
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
