// Package key finds or creates the key that seals a vault. The key is kept in the
// operating system's keyring, in a file, or in a file under a passphrase.
//
// The choice is made once and recorded in key.json, which holds no secret. From then on
// the key comes from that place or not at all: if a keyring does not answer or has lost
// the key, the result is an error, never a new key or another place, because a new key
// could not open what the vault already holds.
//
//	keys := key.Config{Dir: dir}
//	vault, info, err := keys.Vault(ctx, store)
//
// The vault that Vault returns also follows a later rotation of its keys. If there is no
// key yet (ErrNoKey) and the store is new, create one first. ErrExists means that another
// program has just created one, which can now be opened:
//
//	_, info, err = keys.Create(ctx, key.ChoiceAutomatic)
//
// The text of an error says what to do. Programs distinguish errors with errors.Is and
// ErrNoKey, ErrExists, ErrLocked, ErrLost, ErrPassphrase, ErrWeak and ErrForeign.
package key

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// key.go owns what a caller sees: the choices, creating and loading a key, and the
// errors.

// Size is the length of a key in bytes.
const Size = 32

// Choice is where a key is kept.
type Choice string

const (
	// ChoiceAutomatic is the keyring if it works, otherwise a file. Use it with Create or
	// Import, which record the actual choice.
	ChoiceAutomatic Choice = ""
	// ChoiceKeyring is an item in the operating system's keyring.
	ChoiceKeyring Choice = "keyring"
	// ChoiceFile is a file that only its owner can read.
	ChoiceFile Choice = "file"
	// ChoicePassphrase is a file with the key encrypted under a passphrase.
	ChoicePassphrase Choice = "passphrase"
)

var (
	// ErrNoKey means that the folder has no key yet.
	ErrNoKey = errors.New("key does not exist yet")
	// ErrExists means that Create found an existing key and did not change it.
	ErrExists = errors.New("key exists already")
	// ErrLocked means that the key is out of reach for now: the keyring does not answer,
	// or there is no way to ask for the passphrase. The same call may succeed later.
	ErrLocked = errors.New("key is locked")
	// ErrLost means that the key is missing or damaged. Only restoring it from a copy
	// helps.
	ErrLost = errors.New("key is lost")
	// ErrPassphrase means that the passphrase is wrong. Asking again may help.
	ErrPassphrase = errors.New("passphrase does not open the key")
	// ErrWeak means that a new passphrase is too easy to guess for an attacker who has
	// the file.
	ErrWeak = errors.New("passphrase is too short")
)

// Config says where the key is. Only Dir is required.
type Config struct {
	// Dir holds key.json, and the key file if there is one. Create makes the folder, with
	// mode 0700, but not its parents.
	Dir string
	// Passphrase asks for the passphrase. It is called only if ChoicePassphrase is in
	// use; nil makes such a key ErrLocked.
	Passphrase func(ctx context.Context) (string, error)
	// Keyring replaces the operating system's keyring; nil means that one.
	Keyring Keyring

	cost cost // of trying a passphrase; zero means usual
}

// Info describes a key to a person. It holds no secret.
type Info struct {
	// Choice is where the key is kept, never ChoiceAutomatic.
	Choice Choice
	// Where names the file, or the item in the keyring.
	Where string
	// ID identifies the key: sixteen hexadecimal digits of a hash.
	ID string
	// Note says why ChoiceAutomatic did not use the keyring; otherwise it is empty.
	Note string
}

// Load returns the key that seals, or ErrNoKey, ErrLocked, ErrLost or ErrPassphrase.
func (c Config) Load(ctx context.Context) (key [Size]byte, info Info, err error) {
	m, err := c.remembered()
	if err != nil {
		return key, info, err
	}
	return c.load(ctx, m.Choice, m.ID)
}

func (c Config) load(ctx context.Context, choice Choice, id string) (key [Size]byte, info Info, err error) {
	k, err := c.keeper(choice)
	if err != nil {
		return key, info, err
	}
	if key, err = k.load(ctx, id); err != nil {
		return [Size]byte{}, info, err
	}
	info = Info{Choice: choice, Where: k.where(id), ID: id}
	if identify(key) != id {
		return [Size]byte{}, info, fmt.Errorf("%w: %s holds another key than the one that %s remembers; bring back the one that belongs to it",
			ErrLost, info.Where, c.path(memoryName))
	}
	return key, info, nil
}

// Create creates a key, stores it and records the choice. It returns ErrExists, and
// changes nothing, if there is a key already. If several programs call it at once, one
// succeeds.
func (c Config) Create(ctx context.Context, choice Choice) (key [Size]byte, info Info, err error) {
	if err := readyFolder(c.Dir); err != nil {
		return key, info, err
	}
	if _, err := c.remembered(); err == nil {
		return key, info, fmt.Errorf("%w: %s remembers one", ErrExists, c.path(memoryName))
	} else if !errors.Is(err, ErrNoKey) {
		return key, info, err
	}
	if choice != ChoiceAutomatic {
		return c.create(ctx, choice)
	}
	key, info, err = c.create(ctx, ChoiceKeyring)
	if err == nil || errors.Is(err, ErrExists) || ctx.Err() != nil {
		return key, info, err
	}
	note := err.Error()
	key, info, err = c.create(ctx, ChoiceFile)
	info.Note = note
	return key, info, err
}

// create generates a key, stores it, and only then records it: a program that dies in
// between leaves an unused item, never a record without a key.
func (c Config) create(ctx context.Context, choice Choice) (key [Size]byte, info Info, err error) {
	k, err := c.choosing().keeper(choice)
	if err != nil {
		return key, info, err
	}
	rand.Read(key[:]) // never fails
	id := identify(key)
	err = k.store(ctx, id, key)
	if err == nil {
		err = c.remember(memory{Version: memoryVersion, Choice: choice, ID: id})
		if err != nil {
			k.discard(id)
		}
	}
	if err != nil {
		return [Size]byte{}, info, err
	}
	return key, Info{Choice: choice, Where: k.where(id), ID: id}, nil
}

// ChangePassphrase encrypts the keys under a new passphrase, which it asks for with
// passphrase. The keys stay the same, so nothing has to be sealed again; a copy of the
// old file still opens with the old passphrase.
func (c Config) ChangePassphrase(ctx context.Context, passphrase func(ctx context.Context) (string, error)) error {
	m, err := c.remembered()
	if err != nil {
		return err
	}
	if m.Choice != ChoicePassphrase {
		return fmt.Errorf("key is kept in the %s, which has no passphrase", m.Choice)
	}
	keys, _, err := c.LoadAll(ctx)
	for i, id := range m.all() {
		if err == nil {
			err = wrapped{dir: c.Dir, ask: strong(passphrase), cost: c.cost}.replace(ctx, id, keys[i])
		}
	}
	return err
}

// keeper is one way to store keys. The id is that of the key and names it.
type keeper interface {
	// store stores a new key durably and overwrites nothing.
	store(ctx context.Context, id string, key [Size]byte) error
	// load returns the key, or an error such as ErrLocked or ErrLost.
	load(ctx context.Context, id string) ([Size]byte, error)
	// discard removes a stored key that is not or no longer recorded.
	discard(id string)
	// where names the place, for a person.
	where(id string) string
}

func (c Config) keeper(choice Choice) (keeper, error) {
	switch choice {
	case ChoiceKeyring:
		ring := c.Keyring
		if ring == nil {
			ring = system{}
		}
		return inRing{ring: ring}, nil
	case ChoiceFile:
		return plain{dir: c.Dir}, nil
	case ChoicePassphrase:
		return wrapped{dir: c.Dir, ask: c.Passphrase, cost: c.cost}, nil
	}
	return nil, fmt.Errorf("key choice %q is unknown: it is %s, %s or %s", choice, ChoiceKeyring, ChoiceFile, ChoicePassphrase)
}

// identify returns a name for a key that reveals nothing about it. The vault's seals
// carry the same name, so that a seal can be matched with a key file.
func identify(key [Size]byte) string {
	id, err := hkdf.Key(sha256.New, key[:], nil, "venuekey key id", idSize)
	if err != nil {
		panic(err) // unreachable: the lengths are right
	}
	return hex.EncodeToString(id)
}

const idSize = 8
