package venuekey

import (
	"context"
	"errors"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
)

// store.go owns the contract of a driver, and the record.

// ErrNotFound is returned by a Store for a key that it does not have.
var ErrNotFound = errors.New("no such record")

// ErrConflict is returned by a Store for a Put or Delete whose version is not the stored
// one: another writer was faster.
var ErrConflict = errors.New("the record was changed meanwhile")

// Store is a driver: it stores records durably and knows nothing about their meaning.
// Its methods must be safe for concurrent use, also by many processes on the same data.
// Package store/storetest tests the whole contract.
//
// Drivers return ErrNotFound and ErrConflict, possibly wrapped. Any other error means
// that the operation failed, and that it is not known to have changed anything.
type Store interface {
	// Get returns the record, or ErrNotFound.
	Get(ctx context.Context, key string) (Record, error)

	// Put is a compare-and-swap: it writes the record if its Version is the stored
	// one, and creates it if Version is zero and there is none; otherwise it returns
	// ErrConflict. When it returns nil the record is durable. It returns the new
	// version, which is greater than any that this key ever had in a record that a
	// reader could still hold.
	Put(ctx context.Context, record Record) (version int64, err error)

	// Delete removes the record if version is the stored one; otherwise it returns
	// ErrConflict, or ErrNotFound if there is none.
	Delete(ctx context.Context, key string, version int64) error

	// List returns up to limit records whose key begins with prefix and sorts
	// after the key after, in the byte order of their keys.
	List(ctx context.Context, prefix, after string, limit int) ([]Record, error)

	// Claim leases up to limit records whose key begins with prefix, that are
	// due (NextRefresh is set and not in the future) and without a live lease, the
	// longest due first. Each gets the owner, a lease that ends after the given time
	// by the store's clock, and a new version. The records are returned with those
	// changes. No record is ever returned to two claimers while the first one's
	// lease is live.
	Claim(ctx context.Context, prefix, owner string, lease time.Duration, limit int) ([]Record, error)

	// Close releases the store's resources; its data stays.
	Close() error
}

// Record is what a Store keeps under one key. Times are stored to the microsecond or
// better; a zero time stays zero.
type Record struct {
	// Key identifies the record: letters, digits and punctuation, at most 255 bytes,
	// as in "token/ctrader/alice".
	Key string
	// Version identifies a write of the record; zero in a record not yet stored.
	Version int64
	// Generation counts the tokens of one ID. It is bound into the seal.
	Generation int64
	// NextRefresh is when the record is due, drawn once per generation or
	// failure; zero means never.
	NextRefresh time.Time
	// LeaseOwner holds the record until LeaseUntil, by the store's clock; "" means
	// that there is no lease.
	LeaseOwner string
	LeaseUntil time.Time
	// Attempt counts presentations of this generation's refresh token.
	Attempt int
	// IntentAt is when the last presentation was about to be sent: the durable
	// intent, by which a lost answer is noticed. Zero if its outcome is known.
	IntentAt time.Time
	// Condition is what is known about the token beyond its times.
	Condition Condition
	// Failures counts failed renewals since the last one that succeeded.
	Failures int
	// Text is plain text. In a token's record it says why Condition or Failures is
	// what it is. In a record of neither a token nor an app it is a note, which
	// programs that share the store leave for each other, as JSON (note.go).
	Text string `json:"Reason"` // its name in spill files
	// Sealed is the sealed token or app. Only the Vault reads it.
	Sealed []byte

	// ReadAt is the time by the store's own clock when it returned the record. It is
	// not stored. Leases are judged by it, so that machines whose clocks differ
	// agree on them.
	ReadAt time.Time
}

// Leased reports whether the record had a live lease when it was read.
func (r Record) Leased() bool { return r.LeaseOwner != "" && r.ReadAt.Before(r.LeaseUntil) }

// because returns the reason in a record, safe to show: anyone who can write to the store
// can write it.
func (r Record) because() string { return foreign.Tell[Secret](r.Text) }

// ID returns the sign-in that a record is about, or an ID with only the venue for an
// app's record.
func (r Record) ID() ID { return idOfKey(r.Key) }

// Condition is what is known about a token beyond its times.
type Condition string

const (
	// ConditionGood: nothing is known against the token.
	ConditionGood Condition = ""
	// ConditionUncertain: a renewal was sent and its answer was lost.
	ConditionUncertain Condition = "uncertain"
	// ConditionDead: the venue will not renew the token; the user has to sign in.
	ConditionDead Condition = "dead"
)

// Watcher is a Store that reports changes as they happen, so that a long-running program
// sees a renewal by another one without polling.
type Watcher interface {
	// Watch calls changed with the key of every record that this process or another
	// writes or deletes from now on, as soon as the change is durable. It calls
	// changed with "" at the start and whenever changes may have been missed: then
	// every record has to be read again. Calls come one at a time. Watch blocks until
	// the context ends and returns its error. It recovers by itself from passing
	// trouble, such as a lost connection. A store that turns out to be unable to
	// watch, such as a wrapper around one, returns errors.ErrUnsupported.
	Watch(ctx context.Context, changed func(key string)) error
}
