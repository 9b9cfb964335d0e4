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

// census.go owns the questions about a vault as a whole: which sign-ins it holds,
// whether every record opens, how many are sealed with each key, and whether the
// store accepts writes.

// ErrNoSignIn matches the error of Vault.IDs about a record whose key names no sign-in.
// Anyone who may write to the store may have written such a record.
var ErrNoSignIn = errors.New("the record is not a sign-in")

// IDs returns the ID of every sign-in in the vault, in order. No seal is opened, so no
// key is needed. A record whose key names no sign-in yields an *Error of ClassDamaged
// that matches ErrNoSignIn, and the sequence continues; any other error ends it, also
// that of a damaged store.
func (v *Vault) IDs(ctx context.Context) iter.Seq2[ID, error] {
	return func(yield func(ID, error) bool) {
		for record, err := range v.records(ctx) {
			id := ID{}
			if err == nil {
				if id = record.ID(); id.Name == "" {
					id, err = ID{}, &Error{Class: ClassDamaged, Reason: fmt.Sprintf("the vault holds a record that is not a sign-in: %q", record.Key), Err: ErrNoSignIn}
				}
			}
			if !yield(id, err) {
				return
			}
		}
	}
}

// Checked is the result of Vault.Check.
type Checked struct {
	// SignIns counts the sign-ins that were read, Apps the apps that opened, and Consumers
	// the consumers that did.
	SignIns, Apps, Consumers int
	// Damaged has the keys of the records that do not open, such as app/ctrader.
	Damaged []string
}

// Check reads every sign-in, app and consumer and opens its seal. It changes nothing.
// The error is about the store; records that do not open are in Checked.Damaged.
func (v *Vault) Check(ctx context.Context) (found Checked, err error) {
	for record, err := range v.records(ctx) {
		if err != nil {
			return found, err
		}
		found.SignIns++
		if _, err := v.openToken(record); err != nil {
			found.Damaged = append(found.Damaged, record.Key)
		}
	}
	for record, err := range v.all(ctx, appPrefix) {
		if err != nil {
			return found, err
		}
		if _, err := v.openApp(record); err != nil {
			found.Damaged = append(found.Damaged, record.Key)
			continue
		}
		found.Apps++
	}
	for record, err := range v.all(ctx, consumerPrefix) {
		if err != nil {
			return found, err
		}
		if _, err := v.openConsumer(record); err != nil {
			found.Damaged = append(found.Damaged, record.Key)
			continue
		}
		found.Consumers++
	}
	return found, nil
}

// Sealed counts what one key has sealed.
type Sealed struct {
	// Records counts records of the vault, without the one that names the current key.
	Records int
	// Spills counts the renewed tokens in this machine's spill files.
	Spills int
}

// Census counts what each key has sealed, by SealKey.ID, in the vault and in the
// Keeper's spill folders. A key that has sealed nothing is absent: it may be retired
// once every program uses the next one. No key is needed.
func (k *Keeper) Census(ctx context.Context) (map[string]Sealed, error) {
	counts := map[string]Sealed{}
	for record, err := range k.Vault.all(ctx, "") {
		if err != nil {
			return nil, err
		}
		if id := record.keyID(); id != "" && record.Key != ringRecord {
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

// Writable reports, as an error, a store that does not accept writes. It writes an
// empty record and deletes it again, as every sign-in does before it sends the user
// to the venue.
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
