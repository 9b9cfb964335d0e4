package venuekey

import (
	"context"
	"errors"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
)

// store.go owns the contract of a driver, and the record.

// ErrNotFound is what a Store answers about a key that it does not have.
var ErrNotFound = errors.New("no such record")

// ErrConflict is what a Store answers to a Put or Delete whose version is not
// the stored one: somebody else wrote in between.
var ErrConflict = errors.New("the record was changed meanwhile")

// Store is a driver: it keeps records, durably, and knows nothing of what they
// mean. Every method may be called by many goroutines, and by many processes
// on the same data. Package store/storetest is the whole contract, as tests.
//
// Drivers return ErrNotFound and ErrConflict as they are or wrapped; every
// other error means that the store could not do its work and nothing is known
// to have changed.
type Store interface {
	// Get returns the record, or ErrNotFound.
	Get(ctx context.Context, key string) (Record, error)

	// Put writes the record if its Version is the stored one, and creates it if
	// Version is zero and there is none; otherwise it is ErrConflict. When it
	// returns nil the record is on disk. It returns the new version, which is
	// greater than any that this key ever had in a record that a reader could
	// still hold.
	Put(ctx context.Context, record Record) (version int64, err error)

	// Delete removes the record if version is the stored one; otherwise it is
	// ErrConflict, or ErrNotFound when there is none.
	Delete(ctx context.Context, key string, version int64) error

	// List returns up to limit records whose key begins with prefix and comes
	// after the key named by after, in the order of their keys' bytes.
	List(ctx context.Context, prefix, after string, limit int) ([]Record, error)

	// Claim leases up to limit records whose key begins with prefix, that are
	// due (NextRefresh is set and not in the future) and that nobody holds a
	// live lease on, the longest due first. Each is given the owner, a lease
	// that ends after the given time by the store's clock, and a new version;
	// the records are returned as they now stand. No record is ever returned to
	// two claimers while the first one's lease lives.
	Claim(ctx context.Context, prefix, owner string, lease time.Duration, limit int) ([]Record, error)

	// Close ends the use of the store; what was put stays.
	Close() error
}

// Record is what a Store keeps under one key. Times are kept to the
// microsecond at least; a zero time is kept as such.
type Record struct {
	// Key is what the record is found by: letters, digits and punctuation, at
	// most 255 bytes, as in "token/ctrader/alice".
	Key string
	// Version counts writes of the record; zero in a record not yet stored.
	Version int64
	// Generation counts the tokens of one ID. It is bound into the seal.
	Generation int64
	// NextRefresh is when the record is due, drawn once per generation or
	// failure; zero means never.
	NextRefresh time.Time
	// LeaseOwner holds the record until LeaseUntil, by the store's clock; ""
	// means nobody.
	LeaseOwner string
	LeaseUntil time.Time
	// Attempt counts presentations of this generation's refresh token; the
	// intent is open while IntentAt is set.
	Attempt int
	// IntentAt is when the last presentation was about to be sent: the durable
	// note that makes a lost answer noticed. Zero when its outcome is known.
	IntentAt time.Time
	// Condition is what is known about the token beyond its times.
	Condition Condition
	// Failures counts renewals that failed since the last one that did not.
	Failures int
	// Text is what the record says in plain. Of a token it says in words why Condition or
	// Failures is what it is. In a record of neither a token nor an app it is a note: what
	// programs that share the store leave for each other, as JSON (note.go).
	Text string `json:"Reason"` // so it is called in spill files
	// Sealed is the token or app, sealed. Nobody but the Vault reads it.
	Sealed []byte

	// ReadAt is the store's own clock when it returned the record. It is not
	// stored. Leases are judged by it, so that machines whose clocks differ
	// agree on them.
	ReadAt time.Time
}

// Leased reports whether somebody held the record when it was read.
func (r Record) Leased() bool { return r.LeaseOwner != "" && r.ReadAt.Before(r.LeaseUntil) }

// because is the reason in a record, fit to be shown: it lies in the store in plain, where whoever
// may write to the store can write it.
func (r Record) because() string { return foreign.Tell[Secret](r.Text) }

// ID names the sign-in that a record is about, or the venue of an app.
func (r Record) ID() ID { return idOfKey(r.Key) }

// Condition is what a record remembers about its token.
type Condition string

const (
	// ConditionGood is a token that nothing is known against.
	ConditionGood Condition = ""
	// ConditionUncertain is a token whose renewal was sent and whose answer was lost.
	ConditionUncertain Condition = "uncertain"
	// ConditionDead is a token that the venue will not renew: a human must sign in.
	ConditionDead Condition = "dead"
)

// Watcher is a Store that reports changes as they happen, so that a program
// that runs for long sees what another one renewed without asking.
type Watcher interface {
	// Watch calls changed with the key of every record that anybody, in this
	// process or another, writes or deletes from now on, as soon as it is
	// durable. It calls changed with "" at the start and whenever changes may
	// have been missed: then everything has to be looked at again. Calls come one
	// at a time. Watch blocks until the context ends and returns its error;
	// trouble that passes, such as a lost connection, it mends by itself.
	Watch(ctx context.Context, changed func(key string)) error
}
