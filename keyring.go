package venuekey

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// keyring.go owns which key seals and which keys open, during a rotation of keys.

// keyring is the set of a vault's keys: the one that seals, and all that records and
// spill files may still be sealed with. It is replaced as a whole, so that readers need
// no lock.
type keyring struct {
	Keys    []SealKey           // the oldest first
	ids     [][keyIDLength]byte // of each; deriving one takes as long as opening a seal
	current int
}

func newKeyring(keys []SealKey, current int) *keyring {
	r := &keyring{Keys: keys, current: current}
	for _, key := range keys {
		r.ids = append(r.ids, key.id())
	}
	return r
}

func (r *keyring) index(id [keyIDLength]byte) int { return slices.Index(r.ids, id) }

// keyring returns the keys that are known now.
func (v *Vault) keyring() *keyring {
	if r := v.ring.Load(); r != nil {
		return r
	}
	keys := slices.Clone(v.Keys)
	if !slices.Contains(keys, v.Key) {
		keys = append(keys, v.Key)
	}
	v.ring.CompareAndSwap(nil, newKeyring(keys, slices.Index(keys, v.Key)))
	return v.ring.Load()
}

// current returns the key that seals.
func (v *Vault) current() SealKey {
	r := v.keyring()
	return r.Keys[r.current]
}

// keyOf returns the key that a seal was made with. A seal made with a newer key than
// the current one means that keys were rotated: from then on the newer one seals.
func (v *Vault) keyOf(sealed []byte) (SealKey, error) {
	id, ok := keyIDOf(sealed)
	if !ok {
		return v.current(), nil // opening with it says what is wrong with the seal
	}
	r := v.keyring()
	at := r.index(id)
	if at < 0 {
		reloaded, err := v.reload()
		if err != nil {
			return SealKey{}, fmt.Errorf("%w, %s, and the keys cannot be read again: %w", errSealOtherKey, hex.EncodeToString(id[:]), err)
		}
		if r, at = reloaded, reloaded.index(id); at < 0 {
			return SealKey{}, fmt.Errorf("%w, %s, which this program does not know; its own is %s", errSealOtherKey, hex.EncodeToString(id[:]), v.current().ID())
		}
	}
	if at > r.current {
		v.ring.CompareAndSwap(r, &keyring{r.Keys, r.ids, at}) // if this fails, another goroutine stored the same
	}
	return r.Keys[at], nil
}

// keyRemedy returns what helps if a seal names an unknown key, or "" if something else
// is wrong.
func (v *Vault) keyRemedy(err error) string {
	switch {
	case !errors.Is(err, errSealOtherKey):
		return ""
	case v.Reload == nil:
		return "if the keys were rotated, restart this program, which read its keys only once: key.Config.Vault returns a vault that follows rotations"
	}
	return "bring that key to this machine: venuekey key export on the machine that has it, venuekey key import here"
}

// whyUnread says, for a log, why a record was not read.
func whyUnread(err error) string {
	switch {
	case errors.Is(err, errSealOtherKey):
		return "the keys were rotated, and this program does not know the new one"
	case ClassOf(err) == ClassDamaged:
		return "the record does not open"
	}
	return "the store does not answer"
}

// reloadPace is the least time between two reloads: a record sealed with a foreign key
// must not make a program read its keys all the time.
const reloadPace = time.Second

// reload reads the keys again, since a seal names an unknown one. Old keys stay known:
// records may still be sealed with them.
func (v *Vault) reload() (*keyring, error) {
	v.reloading.Lock()
	defer v.reloading.Unlock()
	before := v.keyring()
	if v.Reload == nil || time.Since(v.reloaded) < reloadPace {
		return before, nil
	}
	keys, err := v.Reload()
	v.reloaded = time.Now()
	if err != nil {
		return before, err
	}
	var known []SealKey
	for _, key := range slices.Concat(before.Keys, keys) {
		if !slices.Contains(known, key) {
			known = append(known, key)
		}
	}
	now := newKeyring(known, before.current)
	if before.current < len(known) && len(keys) > 0 && !slices.Contains(keys, before.Keys[before.current]) {
		now.current = len(known) - 1 // ours was retired
	}
	v.ring.Store(now)
	return now, nil
}

// follow ensures that a new record is sealed with the vault's current key, which another
// program may have changed. For an existing record, its seal shows that.
func (v *Vault) follow(ctx context.Context) error {
	record, err := v.Store.Get(ctx, ringRecord)
	if errors.Is(err, ErrNotFound) {
		return nil // keys were never rotated
	}
	if err != nil {
		return storeError(ID{}, "read", err)
	}
	return v.open(record, new(ringNote))
}

// SealingKey returns the ID of the key that seals now (SealKey.ID). It reads the store,
// so it notices if another machine has rotated keys.
func (v *Vault) SealingKey(ctx context.Context) (id string, err error) {
	if err := v.follow(ctx); err != nil {
		return "", err
	}
	return v.current().ID(), nil
}

// keyIDOf returns the ID of the key that a seal was made with.
func keyIDOf(sealed []byte) (id [keyIDLength]byte, ok bool) {
	if len(sealed) < headLength || sealed[0] != sealFormat {
		return id, false
	}
	return [keyIDLength]byte(sealed[1 : 1+keyIDLength]), true
}

// keyID returns the ID of the key that the record is sealed with (SealKey.ID), or "" if
// it has no seal.
func (r Record) keyID() string {
	id, ok := keyIDOf(r.Sealed)
	if !ok {
		return ""
	}
	return hex.EncodeToString(id[:])
}
