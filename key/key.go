// Package key says where the key comes from that a vault is sealed with: the
// operating system's keyring, a file, or a passphrase.
//
// Which of them was chosen is remembered in key.json, which holds no secret.
// From then on it is that one or an error: a keyring that does not answer, or
// that has lost the key, is never answered with a new key or another place,
// because everything that the vault holds would be unreadable with it.
//
//	keys := key.Config{Dir: dir}
//	vault, info, err := keys.Vault(ctx, store)
//
// The vault that Vault gives follows when keys are rotated. Where there is no key
// yet (ErrNoKey), and the store is new, one is made first; ErrExists means that
// another first start was faster, and that its key is there to be opened:
//
//	_, info, err = keys.Create(ctx, key.ChoiceAutomatic)
//
// The text of an error says what to do. The questions that a program asks of
// it are errors.Is with ErrNoKey, ErrExists, ErrLocked, ErrLost, ErrPassphrase,
// ErrWeak and ErrForeign.
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

// key.go owns what a caller sees: the choices, the two ways to a key, and what
// can be wrong with one.

// Size is the length of a key in bytes.
const Size = 32

// Choice is where a key is kept.
type Choice string

const (
	// ChoiceAutomatic is the keyring if it works, and else a file. It is for Create;
	// what came of it is remembered.
	ChoiceAutomatic Choice = ""
	// ChoiceKeyring is an item in the operating system's keyring.
	ChoiceKeyring Choice = "keyring"
	// ChoiceFile is a file that only its owner may read.
	ChoiceFile Choice = "file"
	// ChoicePassphrase is a file that holds the key wrapped, and that a passphrase
	// opens.
	ChoicePassphrase Choice = "passphrase"
)

var (
	// ErrNoKey means that no key was made in this folder yet.
	ErrNoKey = errors.New("key was not made yet")
	// ErrExists means that Create found a key and left it alone.
	ErrExists = errors.New("key exists already")
	// ErrLocked means that the key is out of reach for now: the keyring does not
	// answer, or nobody can be asked for the passphrase. The same call may
	// succeed later.
	ErrLocked = errors.New("key is locked")
	// ErrLost means that the key is not where it was put, or is not itself any
	// more. Only bringing it back helps.
	ErrLost = errors.New("key is lost")
	// ErrPassphrase means that the passphrase is another than the one that the
	// key was wrapped with. Asking again may help.
	ErrPassphrase = errors.New("passphrase does not open the key")
	// ErrWeak means that a new passphrase can be guessed by whoever has the file.
	ErrWeak = errors.New("passphrase is too short")
)

// Config says where to look. Only Dir is needed.
type Config struct {
	// Dir holds key.json, and the key's file if it has one. Create makes the
	// folder, with mode 0700, but not its parents.
	Dir string
	// Passphrase asks for the passphrase. It is called only when that was chosen.
	Passphrase func(ctx context.Context) (string, error)
	// Keyring is used instead of the operating system's.
	Keyring Keyring

	cost cost // of trying a passphrase; zero is the usual
}

// Info tells a person about a key. It holds no secret.
type Info struct {
	// Choice is where the key is kept, never Automatic.
	Choice Choice
	// Where names the file, or the item of the keyring.
	Where string
	// ID tells keys apart: sixteen hexadecimal digits of a hash.
	ID string
	// Note says why Automatic came to another choice than the keyring.
	Note string
}

// Load gives the key that seals. It is ErrNoKey if none was.
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

// Create makes a key and remembers the choice. It is ErrExists if there is a
// key, and then changes nothing; of several programs that create at the same
// time one succeeds.
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

// create makes a key, puts it where it belongs, and only then remembers it: a
// program that dies in between leaves an item that nobody refers to, never a
// choice without a key.
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

// ChangePassphrase wraps the key anew. The key stays the same, so nothing has
// to be sealed again; a copy of the old file still opens with the old
// passphrase.
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

// keeper is one way to keep a key. The id is that of the key and names it.
type keeper interface {
	// store keeps a new key durably and overwrites nothing.
	store(ctx context.Context, id string, key [Size]byte) error
	// load gives the key, ErrLocked or ErrLost.
	load(ctx context.Context, id string) ([Size]byte, error)
	// discard removes a key that was stored and is not to be remembered.
	discard(id string)
	// where names the place for a person.
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

// identify gives a name to a key that tells nothing about it. It is the name
// that the vault's seals carry, so that a seal and a key file can be matched.
func identify(key [Size]byte) string {
	id, err := hkdf.Key(sha256.New, key[:], nil, "venuekey key id", idSize)
	if err != nil {
		panic(err) // the lengths are right
	}
	return hex.EncodeToString(id)
}

const idSize = 8
