package venuekey

import (
	"context"
	"iter"
)

// WriteReserved writes a file over the reserve of its folder.
var WriteReserved = writeReserved

// Load reads what the vault keeps for an ID.
func (v *Vault) Load(ctx context.Context, id ID) (Token, Record, error) { return v.load(ctx, id) }

// Open opens the seal of a token's record.
func (v *Vault) Open(record Record) (Token, error) { return v.openToken(record) }

// Save seals a token and writes its record.
func (v *Vault) Save(ctx context.Context, record Record, token Token) (Record, error) {
	return v.save(ctx, record, token)
}

// Records reads the records of all tokens.
func (v *Vault) Records(ctx context.Context) iter.Seq2[Record, error] { return v.records(ctx) }

// KeyID names the key that a record is sealed with.
func (r Record) KeyID() string { return r.keyID() }

// RestoreRecord is the step of Restore that names a version.
func (k *Keeper) RestoreRecord(ctx context.Context, record Record, token Token) (Record, error) {
	return k.restore(ctx, record, token)
}

// WithSending gives a context as a renewal has one: BeforeSending asks the check.
func WithSending(ctx context.Context, check func() error) context.Context {
	return withSending(ctx, sending{check: check})
}

// ChallengesIn reads WWW-Authenticate fields, for tests.
func ChallengesIn(fields ...string) []Challenge { return challengesIn(fields) }

// Challenge is a challenge, for tests.
type Challenge = challenge
