package key

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
)

// rotate.go owns having several keys: the next one, the one that seals, and older ones
// that something may still be sealed with.

// mostKeys is how many keys are recorded at most. Each is opened at every start, and
// key.json must stay small enough to be read completely.
const mostKeys = 100

var errTooMany = fmt.Errorf("keys exceed the limit of %d: retire the old ones", mostKeys)

// LoadAll returns all keys, the oldest first, and describes the one that seals. Errors
// are those of Load.
func (c Config) LoadAll(ctx context.Context) (keys [][Size]byte, info Info, err error) {
	m, err := c.remembered()
	if err != nil {
		return nil, info, err
	}
	for _, id := range m.all() {
		key, told, err := c.load(ctx, m.Choice, id)
		if err != nil {
			return nil, told, err
		}
		keys = append(keys, key)
		if id == m.ID {
			info = told
		}
	}
	return keys, info, nil
}

// IDs returns the IDs of all keys, the oldest first, and that of the key that seals. It
// opens none of them.
func (c Config) IDs() (all []string, current string, err error) {
	m, err := c.remembered()
	return m.all(), m.ID, err
}

// Add creates the next key, stored like the others. It changes nothing that is sealed,
// and the key that seals stays the same until Use. It returns ErrExists if the newest key
// is not in use yet.
func (c Config) Add(ctx context.Context) (info Info, err error) {
	m, err := c.remembered()
	if err != nil {
		return info, err
	}
	all := m.all()
	if all[len(all)-1] != m.ID {
		return info, fmt.Errorf("%w: the next key %s is not in use yet", ErrExists, all[len(all)-1])
	}
	if len(all) >= mostKeys {
		return info, errTooMany
	}
	k, err := c.keeper(m.Choice)
	if err != nil {
		return info, err
	}
	var key [Size]byte
	rand.Read(key[:]) // never fails
	id := identify(key)
	if err := k.store(ctx, id, key); err != nil {
		return info, err
	}
	m.Keys = append(all, id)
	if err := c.rememberAnew(m); err != nil {
		k.discard(id)
		return info, err
	}
	return Info{Choice: m.Choice, Where: k.where(id), ID: id}, nil
}

// Use makes the newest key the one that seals, and returns its ID.
func (c Config) Use() (id string, err error) {
	m, err := c.remembered()
	if err != nil {
		return "", err
	}
	all := m.all()
	m.ID = all[len(all)-1]
	return m.ID, c.rememberAnew(m)
}

// Follow makes the key with that ID the one that seals, if it is newer than the current
// one: another machine that shares the vault has begun to use it. Unknown IDs are
// ignored.
func (c Config) Follow(id string) error {
	m, err := c.remembered()
	if err != nil {
		return err
	}
	all := m.all()
	if slices.Index(all, id) <= slices.Index(all, m.ID) {
		return nil
	}
	m.ID = id
	return c.rememberAnew(m)
}

// Retire destroys all keys older than the one that seals, and returns their IDs. Anything
// still sealed with one of them is lost, so run Vault.Rekey first.
func (c Config) Retire() (retired []string, err error) {
	m, err := c.remembered()
	if err != nil {
		return nil, err
	}
	all := m.all()
	at := slices.Index(all, m.ID)
	retired, m.Keys = all[:at], all[at:]
	if len(retired) == 0 {
		return nil, nil
	}
	k, err := c.keeper(m.Choice)
	if err == nil {
		err = c.rememberAnew(m)
	}
	if err != nil {
		return nil, err
	}
	for _, id := range retired {
		k.discard(id) // a key that stays behind does no harm
	}
	return retired, nil
}

// rememberAnew replaces key.json.
func (c Config) rememberAnew(m memory) error {
	if len(m.Keys) == 1 {
		m.Keys = nil
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return rewrite(c.path(memoryName), append(text, '\n'))
}
