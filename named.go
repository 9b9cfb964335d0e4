package venuekey

import (
	"context"
	"errors"
	"time"
)

// named.go owns a name that is found out after a sign-in was kept.

// namedPause is how long a renewal that is under way is left alone.
const namedPause = 50 * time.Millisecond

// Named keeps in Token.User whose sign-in a token belongs to, if the venue's answer
// did not say and the caller found out. Renewals carry it on. Nothing else changes:
// the record is written over only as it was read, never under a renewal, and not if
// somebody has signed in anew since, which is ErrConflict. A name that is not kept
// costs nothing but the name.
func (k *Keeper) Named(ctx context.Context, id ID, token *Token, user string) error {
	k.init()
	for {
		stands, record, err := k.Vault.Load(ctx, id)
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
			if _, err = k.Vault.Save(ctx, record, stands); !errors.Is(err, ErrConflict) {
				return err
			}
		}
		if err := pause(ctx, namedPause); err != nil {
			return &Error{ID: id, Op: "name", Class: ClassLater, Reason: "another program is renewing the token", Err: err}
		}
	}
}
