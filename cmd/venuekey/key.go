package main

import (
	"context"
	"errors"
	"slices"
	"syscall"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/own"
	"github.com/venuekey/venuekey/key"
)

// key.go owns the key of the vault: making it once, getting at it, and what is
// said where that does not work.

// openKeys gives the vault the keys that it is sealed with.
func (p *program) openKeys(ctx context.Context, places folders, v *vault, create bool) error {
	opened, info, err := p.keys(places).Vault(ctx, v.store)
	if errors.Is(err, key.ErrNoKey) {
		made, err := p.firstKey(ctx, places, v.store, create, err)
		if err != nil || !made {
			return err // without a key there is nothing to open
		}
		return p.openKeys(ctx, places, v, false)
	}
	if err != nil {
		return p.keyError(places, err)
	}
	v.Vault, v.key = opened, info
	return nil
}

// firstKey makes the key, but only for a vault that holds nothing yet: another
// key would never open what is there.
func (p *program) firstKey(ctx context.Context, places folders, store venuekey.Store, create bool, err error) (made bool, _ error) {
	records, listing := store.List(ctx, "", "", 100)
	switch {
	case listing != nil:
		return false, listing
	case slices.ContainsFunc(records, func(r venuekey.Record) bool { return len(r.Sealed) > 0 }):
		return false, p.keyless(places, err)
	case !create:
		return false, nil
	}
	choice, err := keyChoice(p.env("VENUEKEY_KEY"))
	if err != nil {
		return false, err
	}
	if p.choice != key.ChoiceAutomatic {
		choice = p.choice
	}
	return true, p.createKey(ctx, places, choice)
}

// keyless is a vault that is sealed with a key which is not here. Where many
// machines share one, the others have it.
func (p *program) keyless(places folders, err error) error {
	told := &venuekey.Error{Class: venuekey.ClassDamaged, Err: err,
		Reason: "the vault at " + shownAddress(places.vault()) + " is sealed, and its key is gone: " + err.Error(),
		Remedy: "bring the key's files back to " + places.config + ", or venuekey key import; only if it is lost: move the vault away and sign in again"}
	if isDatabase(places.vault()) {
		told.Reason = "the vault at " + shownAddress(places.vault()) + " is sealed, and its key is not on this machine: " + err.Error()
		told.Remedy = "venuekey key export keys.age on a machine that has it, and venuekey key import keys.age here"
	}
	return told
}

// createKey makes the key, and says so: it is the one thing to keep a copy of.
func (p *program) createKey(ctx context.Context, places folders, choice key.Choice) error {
	keys := p.keys(places)
	keys.Passphrase = p.newPassphrase
	if err := own.MakeFolder(places.config); err != nil {
		return p.keyError(places, err)
	}
	_, info, err := keys.Create(ctx, choice)
	if errors.Is(err, key.ErrExists) {
		return nil // another program was faster
	}
	if err != nil {
		return p.keyError(places, err)
	}
	p.tell("a new key was made and lies in %s; keep a copy: without it nobody opens the vault", info.Where)
	if info.Note != "" && p.verbose {
		p.tell("it is not in the keyring: %s", info.Note)
	}
	return nil
}

func (p *program) keys(places folders) key.Config {
	return key.Config{Dir: places.config, Passphrase: p.passphrase}
}

// keyChoice reads how the key is to be kept; "" leaves it to the machine.
func keyChoice(text string) (key.Choice, error) {
	switch choice := key.Choice(text); choice {
	case key.ChoiceAutomatic, key.ChoiceFile, key.ChoiceKeyring, key.ChoicePassphrase:
		return choice, nil
	}
	return "", &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "a key cannot be kept by " + text, Remedy: "VENUEKEY_KEY is file, keyring or passphrase"}
}

// errNobodyThere is why no passphrase was given.
var errNobodyThere = errors.New("nobody is there to ask")

// passphrase finds the passphrase in the environment, or asks for it.
func (p *program) passphrase(ctx context.Context) (string, error) {
	if p.Known != "" {
		return string(p.Known), nil
	}
	given, err := p.envSecret(ctx, "VENUEKEY_PASSPHRASE")
	if err == nil && given == "" {
		given, err = p.askPassphrase(ctx, "passphrase of the vault")
	}
	p.Known = given
	return string(given), err
}

// newPassphrase asks twice, since nobody sees what is typed.
func (p *program) newPassphrase(ctx context.Context) (string, error) {
	given, err := p.envSecret(ctx, "VENUEKEY_PASSPHRASE")
	if err != nil || given != "" {
		p.Known = given
		return string(given), err
	}
	first, err := p.askPassphrase(ctx, "passphrase for the new vault")
	if err == nil {
		err = key.CheckPassphrase(string(first)) // before it is typed once more
	}
	if err != nil {
		return "", err
	}
	second, err := p.askPassphrase(ctx, "the same once more")
	if err == nil && !first.Equal(second) {
		err = misused("try again", "the two passphrases differ")
	}
	if err == nil {
		p.Known = first // the key that was made is opened with it right away
	}
	return string(first), err
}

func (p *program) askPassphrase(ctx context.Context, label string) (venuekey.Secret, error) {
	if !p.interactive() {
		return "", errNobodyThere
	}
	return p.ask(ctx, venuekey.Field{Name: label, Secret: true})
}

// keyError says what helps. What says so itself is told as it is.
func (p *program) keyError(places folders, err error) error {
	if known, ok := errors.AsType[*venuekey.Error](err); ok {
		return known
	}
	if _, ok := errors.AsType[usage](err); ok {
		return err
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
	case errors.Is(err, errNobodyThere):
		told.Remedy = "set VENUEKEY_PASSPHRASE_FILE or VENUEKEY_PASSPHRASE, or run it in a terminal"
	case errors.Is(err, key.ErrPassphrase):
		told.Remedy = "give the passphrase that the vault was made with"
	case errors.Is(err, key.ErrLocked):
		told.Class = venuekey.ClassLater
	case errors.Is(err, key.ErrLost):
		told.Class, told.Remedy = venuekey.ClassDamaged, "bring the key back; or move "+shownAddress(places.vault())+" and "+places.config+" away, and sign in again"
		if isDatabase(places.vault()) {
			told.Remedy = "bring the key back; or move " + places.config + " away, then venuekey key export where the key is, and venuekey key import here"
		}
	case errors.Is(err, syscall.ENOSPC):
		told.Class, told.Remedy = venuekey.ClassFailed, "free some space"
	default:
		told.Remedy = "venuekey doctor"
	}
	return told
}
