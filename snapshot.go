package venuekey

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// snapshot.go owns sign-ins on their way into a backup and out of one. Package backup has
// the file format.

// Snapshot is one sign-in as a backup holds it: the token, and what is known against it,
// because a refresh token that may be used up must not look unused on the next machine.
type Snapshot struct {
	ID ID
	// Token is the token. Its Password does not go into a backup.
	Token Token
	// Generation counts the tokens of the ID, this one included.
	Generation int64
	// Attempt counts presentations of the refresh token. IntentAt is when the last
	// one was about to be sent; zero if its outcome is known.
	Attempt  int
	IntentAt time.Time
	// Condition is what is known about the token beyond its times, and Reason says
	// why, in words.
	Condition Condition
	Reason    string
}

// Format implements fmt.Formatter, as Token's does.
func (s Snapshot) Format(f fmt.State, verb rune) {
	type plain Snapshot
	printStruct(f, verb, plain(s))
}

// Check returns the error with which Restore would refuse the token, or nil.
func (s Snapshot) Check() error {
	if _, err := acceptable(s.Token); err != nil {
		return annotate(err, s.ID, "restore")
	}
	return nil
}

// snapshotPause is how long to wait while a renewal is in flight.
const snapshotPause = 50 * time.Millisecond

// Snapshots reads every sign-in, in the order of their IDs. It waits for a renewal in
// flight, because that uses up the old refresh token and brings the one to back up. The
// lease of a program that died ends by itself; the snapshot then has the open intent. An
// error ends the sequence.
func (k *Keeper) Snapshots(ctx context.Context) iter.Seq2[Snapshot, error] {
	return func(yield func(Snapshot, error) bool) {
		for record, err := range k.Vault.records(ctx) {
			var s Snapshot
			if err == nil {
				s, err = k.snapshot(ctx, record)
			}
			if errors.Is(err, ErrNotFound) {
				continue // signed out meanwhile
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

func (k *Keeper) snapshot(ctx context.Context, record Record) (Snapshot, error) {
	for inUse(record) {
		err := pause(ctx, snapshotPause)
		if err == nil {
			record, err = k.Vault.Store.Get(ctx, record.Key)
		}
		if err != nil {
			return Snapshot{}, err
		}
	}
	token, err := k.Vault.openToken(record)
	if err != nil {
		return Snapshot{}, err
	}
	token.Expires = earliest(token.ended, token.Expires) // a backup has no other word for it
	return Snapshot{ID: record.ID(), Token: token, Generation: record.Generation, Attempt: record.Attempt, IntentAt: record.IntentAt,
		Condition: record.Condition, Reason: record.Text}, nil
}

// Restored is the result of Keeper.Restore.
type Restored struct {
	// There says that the vault already had a sign-in of that ID.
	There bool
	// Changed says that the snapshot was saved.
	Changed bool
	// Newer says that the replaced token was newer than the snapshot's, whose
	// refresh token may be used up.
	Newer bool
}

// Restore saves a sign-in from a backup. An existing sign-in of that ID stays, unless
// replace is set. What is known against the token is restored with it; failed attempts
// on the other machine are not. A sign-in that happens meanwhile is not lost: Restore
// starts over. The venue is not asked. When the error is nil, what was saved is durable.
func (k *Keeper) Restore(ctx context.Context, s Snapshot, replace bool) (done Restored, err error) {
	k.init()
	for {
		old, err := k.Vault.Store.Get(ctx, tokenPrefix+s.ID.String())
		done = Restored{There: err == nil}
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			return done, storeError(s.ID, "read", err)
		case done.There && !replace:
			return done, nil
		case done.There:
			token, err := k.Vault.openToken(old)
			done.Newer = err == nil && token.Issued.After(s.Token.Issued)
		}
		record := Record{Key: tokenPrefix + s.ID.String(), Version: old.Version, Generation: s.Generation,
			Attempt: s.Attempt, IntentAt: s.IntentAt, Condition: s.Condition, Text: s.Reason}
		_, err = k.restore(ctx, record, s.Token)
		if errors.Is(err, ErrConflict) {
			continue
		}
		done.Changed = err == nil
		return done, err
	}
}
