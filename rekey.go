package venuekey

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// rekey.go owns resealing every record with the vault's newest key.

// Rekeyed is the progress of Vault.Rekey, in records.
type Rekeyed struct {
	// Sealed were resealed; Current already had the newest key.
	Sealed, Current int
	// Waiting are being renewed or written right now, and are tried again.
	Waiting int
	// Damaged do not open with any key; they stay as they are.
	Damaged int
}

// rekeyPause is how long to wait for renewals in flight.
const rekeyPause = 250 * time.Millisecond

// Rekey reseals every record with the newest of the vault's Keys while programs keep
// running: they switch when they meet a seal made with the new key, if their Reload
// returns it. Rekey can be interrupted at any time and called again. progress may be nil;
// otherwise it is called after each record. When the error is nil, no record that opens
// is sealed with an older key, except those that programs without the new key write
// afterwards. Spill files keep the key that they were written with.
//
// A record that is being renewed is left alone until the renewal is over: the renewing
// program would see the change as another writer's.
func (v *Vault) Rekey(ctx context.Context, progress func(Rekeyed)) (done Rekeyed, err error) {
	r := v.keyring()
	v.ring.Store(&keyring{r.Keys, r.ids, len(r.Keys) - 1})
	if err := v.rekeyMark(ctx); err != nil {
		return done, err
	}
	for {
		before := done.Sealed
		done.Current, done.Waiting, done.Damaged = 0, 0, 0
		for record, err := range v.all(ctx, "") {
			if err == nil {
				err = v.rekeyOne(ctx, record, &done)
			}
			if err != nil {
				return done, err
			}
			if progress != nil {
				progress(done)
			}
		}
		done.Current -= before // those sealed by an earlier round
		if done.Waiting == 0 {
			return done, nil
		}
		if err := pause(ctx, rekeyPause); err != nil {
			return done, err
		}
	}
}

// rekeyMark records which key new records are sealed with.
func (v *Vault) rekeyMark(ctx context.Context) error {
	for {
		record, err := v.Store.Get(ctx, ringRecord)
		if errors.Is(err, ErrNotFound) {
			record, err = Record{Key: ringRecord}, nil
		}
		if err != nil {
			return storeError(ID{}, "read", err)
		}
		if record.keyID() == v.current().ID() {
			return nil
		}
		record.Generation = plausible(record.Generation) + 1
		if _, err = v.put(ctx, record, ringNote{v.current().ID()}); !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

func (v *Vault) rekeyOne(ctx context.Context, record Record, done *Rekeyed) error {
	switch {
	case len(record.Sealed) == 0 || record.Key == ringRecord:
		return nil
	case record.keyID() == v.current().ID():
		done.Current++
		return nil
	case inUse(record):
		done.Waiting++
		return nil
	}
	var form json.RawMessage
	if err := v.open(record, &form); err != nil {
		done.Damaged++
		return nil
	}
	_, err := v.put(ctx, record, form)
	switch {
	case errors.Is(err, ErrConflict):
		done.Waiting++
		return nil
	case err == nil:
		done.Sealed++
	}
	return err
}
