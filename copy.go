package venuekey

import (
	"bytes"
	"context"
	"errors"
)

// copy.go owns copying a vault to another store without opening a seal.

// Copied is the progress of Vault.Copy, in records.
type Copied struct {
	// Total is the number of records to copy.
	Total int
	// Copied were written, Same were already there, and Newer have a newer generation
	// at the destination, which is kept.
	Copied, Same, Newer int
}

// Copy writes every sign-in, app and consumer to another store, still sealed: no key is needed.
// It can be interrupted and called again: records that are already there are skipped,
// and a newer generation at the destination is kept. progress may be nil; otherwise
// it is called after each record.
//
// A record that is being renewed is an *Error of ClassLater: its refresh token is
// about to be used up. Two vaults with the same refresh tokens must never be used at
// the same time, so stop the programs that use this one first.
func (v *Vault) Copy(ctx context.Context, to Store, progress func(Copied)) (done Copied, err error) {
	for record, err := range v.all(ctx, "") {
		if err != nil {
			return done, err
		}
		if len(record.Sealed) > 0 {
			done.Total++
		}
	}
	for record, err := range v.all(ctx, "") {
		if err == nil && len(record.Sealed) == 0 {
			continue // budgets and probes belong to their store
		}
		if err == nil {
			err = copyRecord(ctx, to, record, &done)
		}
		if err != nil {
			return done, storeError(record.ID(), "copy", err)
		}
		if progress != nil {
			progress(done)
		}
	}
	return done, nil
}

func copyRecord(ctx context.Context, to Store, record Record, done *Copied) error {
	if inUse(record) {
		return &Error{Class: ClassLater, Reason: "a program is renewing this token right now", Remedy: "end the programs that use the vault, and run the copy again"}
	}
	there, err := to.Get(ctx, record.Key)
	switch {
	case errors.Is(err, ErrNotFound):
		there.Version = 0
	case err != nil:
		return err
	case there.Generation > record.Generation:
		done.Newer++
		return nil
	case there.Generation == record.Generation && bytes.Equal(there.Sealed, record.Sealed):
		done.Same++
		return nil
	}
	record.Version = there.Version
	if _, err := to.Put(ctx, record); err != nil {
		return err
	}
	done.Copied++
	return nil
}
