package venuekey

import (
	"context"
	"errors"
	"time"
)

// named.go owns an account name that is found out after a sign-in was saved.

// namedPause is how long to wait while a renewal is in flight.
const namedPause = 50 * time.Millisecond

// Named saves the user whom a token belongs to in Token.User, if the venue's answer did
// not say and the caller has found out. Renewals keep it. Nothing else changes: Named
// waits for a renewal in flight, and returns ErrConflict if a user has signed in again
// since the token was issued. If it fails, only the name is missing.
func (k *Keeper) Named(ctx context.Context, id ID, token *Token, user string) error {
	k.init()
	for {
		stands, record, err := k.Vault.load(ctx, id)
		switch {
		case err != nil:
			return annotate(err, id, "name")
		case !sameSignIn(stands, *token):
			return ErrConflict
		case stands.User == user:
			return nil
		}
		if !record.Leased() {
			stands.User = user
			if _, err = k.Vault.save(ctx, record, stands); !errors.Is(err, ErrConflict) {
				return err
			}
		}
		if err := pause(ctx, namedPause); err != nil {
			return &Error{ID: id, Op: "name", Class: ClassLater, Reason: "another program is renewing the token", Err: err}
		}
	}
}
