package venuekey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// failures.go owns the budget of failed sign-ins. A venue that locks an address after some
// of them makes no difference between a person, a typing error and a program that restarts
// in a loop, so every program of a machine counts in one note.

const (
	// failurePrefix is that of the notes: by venue and machine.
	failurePrefix = "failures/"
	// failuresCount is how long a failed sign-in counts.
	failuresCount = time.Hour
)

// failureNote has the moments of sign-ins that failed, or are under way, by the store's
// clock.
type failureNote struct {
	At []time.Time `json:"at,omitempty"`
}

// mayFail takes a place in the budget before a sign-in, and returns the function that ends
// it with the outcome: one that counts keeps its place. A program that dies in between keeps
// it too.
func (k *Keeper) mayFail(ctx context.Context, venue Venue, counts func(error) bool) (end func(error), err error) {
	most := venue.Policy().FailedSignIns
	if most <= 0 {
		return func(error) {}, nil
	}
	key := failurePrefix + venue.Name() + "/" + k.machine()
	var taken, free time.Time
	err = k.Vault.changeFailures(ctx, key, func(n *failureNote, now time.Time) bool {
		if taken = now.Round(0).UTC(); len(n.At) >= most {
			free = n.At[len(n.At)-most].Add(failuresCount)
			return false
		}
		free = time.Time{}
		n.At = append(n.At, taken)
		return true
	})
	if err != nil {
		return nil, storeError(ID{Venue: venue.Name()}, "count", err)
	}
	if !free.IsZero() {
		wait := time.Until(free).Round(time.Second)
		return nil, &Error{Class: ClassLater, RetryAfter: wait,
			Reason: fmt.Sprintf("%d sign-ins have failed on this machine within an hour, and %s locks an address out after one or two more", most, venue.Name()),
			Remedy: "check name and password at the venue, and sign in after " + free.Local().Format("15:04:05")}
	}
	return func(outcome error) {
		if outcome != nil && counts(outcome) {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.saveBudget())
		defer cancel()
		_ = k.Vault.changeFailures(ctx, key, func(n *failureNote, _ time.Time) bool {
			at := slices.IndexFunc(n.At, taken.Equal)
			if at >= 0 {
				n.At = slices.Delete(n.At, at, at+1)
			}
			return at >= 0
		})
	}, nil
}

// countsForUser reports whether a sign-in that a user made counts as failed: the venue refused
// it, or asks for so long a wait that the next one would make it worse.
func countsForUser(outcome error) bool {
	var known *Error
	class := ClassOf(outcome)
	return class == ClassRefused || class == ClassMisconfigured ||
		class == ClassLater && errors.As(outcome, &known) && known.RetryAfter >= failuresCount
}

// countsForProgram reports the same of one that a program made by itself. Its answer may have
// been lost, and nobody knows then whether it was a refusal.
func countsForProgram(outcome error) bool {
	return countsForUser(outcome) || ClassOf(outcome) == ClassUnknown
}

// changeFailures changes a note by compare-and-swap. change gets only what still counts.
func (v *Vault) changeFailures(ctx context.Context, key string, change func(n *failureNote, now time.Time) bool) error {
	for {
		record, err := v.Store.Get(ctx, key)
		if errors.Is(err, ErrNotFound) {
			record, err = Record{Key: key, ReadAt: time.Now()}, nil
		}
		if err != nil {
			return err
		}
		var n failureNote
		readNote(record.Text, &n)
		n.At = slices.DeleteFunc(n.At, func(at time.Time) bool {
			return record.ReadAt.Sub(at) >= failuresCount || at.Sub(record.ReadAt) > failuresCount
		})
		if !change(&n, record.ReadAt) {
			return nil
		}
		next := Record{Key: key, Version: record.Version, Generation: record.Generation, Text: textOf(n)}
		if _, err = v.Store.Put(ctx, next); !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

// machine stands for this machine in keys: its name may say whose it is.
func (k *Keeper) machine() string {
	name := k.Machine
	if name == "" {
		var err error
		if name, err = os.Hostname(); err != nil {
			return "unnamed"
		}
	}
	hash := sha256.Sum256([]byte(name))
	return hex.EncodeToString(hash[:6])
}
