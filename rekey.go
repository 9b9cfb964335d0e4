package venuekey

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// rekey.go owns sealing everything anew with the vault's newest key.

// Rekeyed is how far a change of keys has come, in records.
type Rekeyed struct {
	// Sealed were sealed anew, Current were already.
	Sealed, Current int
	// Waiting are being renewed or written just now, and come later.
	Waiting int
	// Damaged do not open with any key; they stay as they are.
	Damaged int
}

// rekeyPause is how long what is being renewed is left alone.
const rekeyPause = 250 * time.Millisecond

// Rekey seals everything with the newest of the vault's Keys, while programs go
// on: they follow when they come upon a seal of the new key, if their Reload
// gives it. It can be interrupted at any moment and called again. When it
// returns nil, nothing in the store is sealed with an older key, but for what
// programs that do not know the new one write afterwards; spill files keep the
// key that they were written with.
//
// A record that is being renewed is left alone until the renewal is over: to
// change it would look like somebody else's work to the one who renews.
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
		done.Current -= before // which an earlier round has sealed
		if done.Waiting == 0 {
			return done, nil
		}
		if err := pause(ctx, rekeyPause); err != nil {
			return done, err
		}
	}
}

// rekeyMark tells those who make new records which key to seal them with.
func (v *Vault) rekeyMark(ctx context.Context) error {
	for {
		record, err := v.Store.Get(ctx, ringRecord)
		if errors.Is(err, ErrNotFound) {
			record, err = Record{Key: ringRecord}, nil
		}
		if err != nil {
			return storeError(ID{}, "read", err)
		}
		if record.KeyID() == v.current().ID() {
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
	case record.KeyID() == v.current().ID():
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
