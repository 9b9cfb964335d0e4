package venuekey

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strings"
)

// census.go owns what is asked of a vault as a whole: which sign-ins it holds,
// whether everything opens, what is sealed with each key, whether it can be written.

// IDs names every sign-in of the vault, in order. No seal is opened, so no key is
// needed. A record whose key names no sign-in is an *Error of ClassDamaged, and the
// sequence goes on; every other error ends it.
func (v *Vault) IDs(ctx context.Context) iter.Seq2[ID, error] {
	return func(yield func(ID, error) bool) {
		for record, err := range v.Records(ctx) {
			id := ID{}
			if err == nil {
				if id = record.ID(); id.Name == "" {
					id, err = ID{}, &Error{Class: ClassDamaged, Reason: fmt.Sprintf("the vault holds a record that is no sign-in: %q", record.Key)}
				}
			}
			if !yield(id, err) {
				return
			}
		}
	}
}

// Checked is what Check found.
type Checked struct {
	// SignIns and Apps are how many of each were read.
	SignIns, Apps int
	// Damaged names the records that do not open.
	Damaged []string
}

// Check reads every sign-in and app and opens its seal. Nothing is changed.
func (v *Vault) Check(ctx context.Context) (found Checked, err error) {
	for record, err := range v.Records(ctx) {
		if err != nil {
			return found, err
		}
		found.SignIns++
		if _, err := v.Open(record); err != nil {
			found.Damaged = append(found.Damaged, record.Key)
		}
	}
	for record, err := range v.all(ctx, appPrefix) {
		if err != nil {
			return found, err
		}
		if _, err := v.openApp(record); err != nil {
			found.Damaged = append(found.Damaged, "app "+record.ID().Venue)
			continue
		}
		found.Apps++
	}
	return found, nil
}

// Sealed counts what is sealed with one key.
type Sealed struct {
	// Records are those of the vault, without its own note of the key that seals.
	Records int
	// Spills are the renewed tokens that wait in spill files of this machine.
	Spills int
}

// Census counts what is sealed with each key, by SealKey.ID, in the vault and in the
// Keeper's spill folders. A key with nothing sealed is not in it, and may be retired
// once every program has followed to the next one. No key is needed.
func (k *Keeper) Census(ctx context.Context) (map[string]Sealed, error) {
	counts := map[string]Sealed{}
	for record, err := range k.Vault.all(ctx, "") {
		if err != nil {
			return nil, err
		}
		if id := record.KeyID(); id != "" && record.Key != ringRecord {
			of := counts[id]
			of.Records++
			counts[id] = of
		}
	}
	for _, folder := range k.Spills {
		files, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, file := range files {
			if id, _, ok := strings.Cut(file.Name(), "-"); ok && !strings.HasPrefix(file.Name(), ".") {
				of := counts[id]
				of.Spills++
				counts[id] = of
			}
		}
	}
	return counts, nil
}

// Writable writes a record that means nothing and takes it away again, as every
// sign-in does before the user is sent to the venue.
func (v *Vault) Writable(ctx context.Context) error {
	const key = probePrefix + "doctor"
	old, err := v.Store.Get(ctx, key)
	if err == nil || errors.Is(err, ErrNotFound) {
		var version int64
		version, err = v.Store.Put(ctx, Record{Key: key, Version: old.Version})
		if err == nil {
			err = v.Store.Delete(ctx, key, version)
		}
	}
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return nil // another program did the same just now
	}
	return err
}

// mostRivals bounds how many sign-ins are read to find rivals.
const mostRivals = 1000

// Rivals names the other sign-ins at a venue that keeps few sessions of a user
// (Policy.MaxSessions): if they are the same user's, signing in may end one of them.
// Only the venue will know. There are none where it keeps any number, and none are
// named where more than a thousand sign-ins would have to be read for it.
func (k *Keeper) Rivals(ctx context.Context, id ID) ([]ID, error) {
	venue, err := k.Venue(id.Venue)
	if err != nil || venue.Policy().MaxSessions == 0 {
		return nil, err
	}
	var others []ID
	read := 0
	for record, err := range k.Vault.Records(ctx) {
		if read++; err != nil || read > mostRivals {
			return nil, err
		}
		if other := record.ID(); other.Venue == id.Venue && other != id && record.Condition != ConditionDead {
			others = append(others, other)
		}
	}
	return others, nil
}
