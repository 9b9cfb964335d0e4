package key

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// bring.go owns the import of keys from another machine.

// ErrForeign means that the keys here and the imported ones have none in common: they
// belong to different vaults.
var ErrForeign = errors.New("key belongs to another vault")

// Import adds keys that LoadAll returned on another machine, the oldest first. current is
// the ID of the key that sealed there, which becomes the one that seals here if it is
// newer.
//
// If there is no key here yet, the keys are stored as choice says. Otherwise the missing
// ones are stored the same way as the existing ones, and nothing is replaced; the error
// is ErrForeign if none of them is here already. added is the number of keys that were
// stored.
func (c Config) Import(ctx context.Context, choice Choice, keys [][Size]byte, current string) (info Info, added int, err error) {
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = identify(key)
	}
	if !slices.Contains(ids, current) {
		return info, 0, errors.New("key that seals is not among the imported keys")
	}
	if len(keys) > mostKeys {
		return info, 0, errTooMany
	}
	c = c.askingOnce()
	m, err := c.remembered()
	if errors.Is(err, ErrNoKey) {
		return c.importFirst(ctx, choice, keys, memory{Version: memoryVersion, ID: current, Keys: ids})
	}
	if err != nil {
		return info, 0, err
	}
	// First check that the existing keys are available, and under this passphrase.
	if _, info, err = c.LoadAll(ctx); err != nil {
		return info, 0, err
	}
	before := m.all()
	if m.Keys, err = joined(before, ids); err != nil {
		return info, 0, err
	}
	if len(m.Keys) > mostKeys {
		return info, 0, errTooMany
	}
	if slices.Index(m.Keys, current) > slices.Index(m.Keys, m.ID) {
		m.ID = current
	}
	if len(m.Keys) > len(before) {
		if err := c.keep(ctx, m.Choice, keys, before); err != nil {
			return info, 0, err
		}
	}
	added = len(m.Keys) - len(before)
	if err := c.rememberAnew(m); err != nil {
		return info, 0, err
	}
	k, err := c.keeper(m.Choice)
	if err != nil {
		return info, 0, err
	}
	return Info{Choice: m.Choice, Where: k.where(m.ID), ID: m.ID}, added, nil
}

// importFirst stores keys in a folder that has none.
func (c Config) importFirst(ctx context.Context, choice Choice, keys [][Size]byte, m memory) (info Info, added int, err error) {
	if err := readyFolder(c.Dir); err != nil {
		return info, 0, err
	}
	c = c.choosing()
	m.Choice = choice
	if choice == ChoiceAutomatic {
		m.Choice = ChoiceKeyring
	}
	err = c.keep(ctx, m.Choice, keys, nil)
	if err != nil && choice == ChoiceAutomatic && ctx.Err() == nil {
		info.Note = err.Error()
		m.Choice = ChoiceFile
		err = c.keep(ctx, m.Choice, keys, nil)
	}
	if err != nil {
		return info, 0, err
	}
	k, err := c.keeper(m.Choice)
	if err != nil {
		return info, 0, err
	}
	if len(m.Keys) == 1 {
		m.Keys = nil
	}
	if err := c.remember(m); err != nil {
		return info, 0, err // the stored keys stay: another program may have just recorded the same ones
	}
	return Info{Choice: m.Choice, Where: k.where(m.ID), ID: m.ID, Note: info.Note}, len(keys), nil
}

// keep stores those keys that are not stored already.
func (c Config) keep(ctx context.Context, choice Choice, keys [][Size]byte, there []string) error {
	k, err := c.keeper(choice)
	if err != nil {
		return err
	}
	for _, key := range keys {
		id := identify(key)
		if slices.Contains(there, id) {
			continue
		}
		// An interrupted import may have left it.
		if left, err := k.load(ctx, id); err == nil && left == key {
			continue
		}
		if err := k.store(ctx, id, key); err != nil {
			return err
		}
	}
	return nil
}

// joined merges two lists of keys, each from the oldest to the newest, that have at least
// one key in common.
func joined(here, brought []string) ([]string, error) {
	last := -1
	for i, id := range here {
		if slices.Contains(brought, id) {
			last = i
		}
	}
	if last < 0 {
		return nil, fmt.Errorf("%w: the key here is %s, the imported one %s", ErrForeign, here[len(here)-1], brought[len(brought)-1])
	}
	newer, after := here[last+1:], brought[slices.Index(brought, here[last])+1:]
	if len(newer) > 0 && len(after) > 0 {
		return nil, fmt.Errorf("%w: a new key %s was created here, and a different one, %s, is imported", ErrForeign, newer[0], after[0])
	}
	var all []string
	for _, id := range slices.Concat(here[:last], brought, newer) {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all, nil
}
