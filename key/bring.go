package key

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// bring.go owns keys that were made on another machine.

// ErrForeign means that the keys here and those that are brought have nothing in
// common: they belong to two vaults.
var ErrForeign = errors.New("key is another one")

// Import keeps keys that LoadAll gave on another machine, the oldest first, and
// makes the one that sealed there the one that seals here. Where there is no key
// yet they are kept as choice says. Otherwise what is missing is added, kept like
// the others, and nothing is replaced: it is ErrForeign if none of the keys is
// here already. It tells how many were added.
func (c Config) Import(ctx context.Context, choice Choice, keys [][Size]byte, current string) (info Info, added int, err error) {
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = identify(key)
	}
	if !slices.Contains(ids, current) {
		return info, 0, errors.New("key that seals is not among those that are brought")
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
	// That they can be had at all, and by this passphrase, is found out first.
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

// importFirst keeps keys where there is none.
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
		return info, 0, err // what was kept stays: another program may have just remembered the same
	}
	return Info{Choice: m.Choice, Where: k.where(m.ID), ID: m.ID, Note: info.Note}, len(keys), nil
}

// keep stores those of the keys that are not there already.
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
		// One that an interrupted import left is the same one.
		if left, err := k.load(ctx, id); err == nil && left == key {
			continue
		}
		if err := k.store(ctx, id, key); err != nil {
			return err
		}
	}
	return nil
}

// joined puts two rows of keys together that both go from the oldest to the
// newest and have one in common at least.
func joined(here, brought []string) ([]string, error) {
	last := -1
	for i, id := range here {
		if slices.Contains(brought, id) {
			last = i
		}
	}
	if last < 0 {
		return nil, fmt.Errorf("%w: %s here, and %s was brought", ErrForeign, here[len(here)-1], brought[len(brought)-1])
	}
	newer, after := here[last+1:], brought[slices.Index(brought, here[last])+1:]
	if len(newer) > 0 && len(after) > 0 {
		return nil, fmt.Errorf("%w: a next one was made here, %s, and another one was brought, %s", ErrForeign, newer[0], after[0])
	}
	var all []string
	for _, id := range slices.Concat(here[:last], brought, newer) {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all, nil
}
