package venuekey

import "context"

// WriteReserved writes a file over the reserve of its folder.
var WriteReserved = writeReserved

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
