package venuekey

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// snapshot.go owns sign-ins on their way into a backup and out of one. Package backup
// is the file that they travel in.

// Snapshot is one sign-in as a backup holds it: the token, and what is known against
// it. A refresh token that may be used up must not look unused on the next machine.
type Snapshot struct {
	ID    ID
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

// Check reports what is wrong with the token: Restore would refuse it.
func (s Snapshot) Check() error {
	if _, err := acceptable(s.Token); err != nil {
		return annotate(err, s.ID, "restore")
	}
	return nil
}

// snapshotPause is how long a renewal that is under way is left alone.
const snapshotPause = 50 * time.Millisecond

// Snapshots reads every sign-in, in the order of their IDs. A renewal that is under
// way is waited for: the token that it presents is used up, and the one that it
// brings is the one to keep. The lease of a program that is gone ends by itself; then
// the open intent is in the snapshot. An error ends the sequence.
func (k *Keeper) Snapshots(ctx context.Context) iter.Seq2[Snapshot, error] {
	return func(yield func(Snapshot, error) bool) {
		for record, err := range k.Vault.Records(ctx) {
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
	token, err := k.Vault.Open(record)
	if err != nil {
		return Snapshot{}, err
	}
	return Snapshot{ID: record.ID(), Token: token, Generation: record.Generation, Attempt: record.Attempt, IntentAt: record.IntentAt,
		Condition: record.Condition, Reason: record.Text}, nil
}

// Restored is what Restore did.
type Restored struct {
	// There says that there was a sign-in of that ID.
	There bool
	// Changed says that the snapshot is kept now.
	Changed bool
	// Newer says that the token which gave way was newer than the snapshot's, whose
	// refresh token may be used up.
	Newer bool
}

// Restore keeps a sign-in from a backup. One that is there is kept, unless replace is
// set. What was known against the token stays known; what merely failed elsewhere
// does not. Who signs in meanwhile is noticed. No venue is asked. When it returns nil,
// what is kept is durable.
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
			token, err := k.Vault.Open(old)
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
