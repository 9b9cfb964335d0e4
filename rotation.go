package venuekey

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// rotation.go owns a rotation from its sealing until it is saved or spilled. It is
// durable before any caller sees its token.

// rotation is a token from a venue that the store does not have yet. It goes to the first
// place that accepts it:
//
//	the store → a spill file → the reserve of a spill folder → memory
//
// A spill file is durable and sealed like a record; once the store answers, the first
// program that finds it saves it. Rotations are fenced by generation wherever they come
// from, so that a file that is found twice, or late, does no harm.
type rotation struct {
	// record is the record to write, sealed, with the new generation.
	record Record
	token  Token
	// Key is what record is sealed with. It is exported because fmt would print an
	// unexported secret.
	Key SealKey
	// from is the generation that the stored record must still have for the write.
	from int64
	// file is the spill file that holds it; "" if it is in memory only.
	file string
	// reported says that the log already says it is in memory only.
	reported bool
}

// place is where a rotation ended up.
type place int

const (
	inMemory   place = iota // neither the store nor a spill folder accepts it
	inSpill                 // in a spill file, possibly made from the reserve
	inStore                 // saved
	superseded              // the store has a newer token, or the user has signed out
)

// settled reports whether nothing is left to save.
func (p place) settled() bool { return p == inStore || p == superseded }

// rotate seals a token that just arrived.
func (k *Keeper) rotate(claimed Record, token Token, policy Policy, way Renewal) (rotation, error) {
	record := claimed.afterGrant(token, policy, way)
	record.Generation++
	token.Generation = record.Generation
	sealed, err := k.Vault.sealed(record, sealedFrom(token))
	r := rotation{record: sealed, token: token, from: claimed.Generation}
	if err == nil {
		r.Key, err = k.Vault.keyOf(sealed.Sealed)
	}
	return r, err
}

const saveRetry = 50 * time.Millisecond

// save puts a rotation into the first place that accepts it, and returns the token that
// counts from now on. If no place does, it tries again until the save budget is used up,
// and then returns an error and no token.
func (k *Keeper) save(ctx context.Context, id ID, r rotation) (Token, place, error) {
	ctx, cancel := context.WithTimeout(ctx, k.saveBudget())
	defer cancel()
	for wait := saveRetry; ; wait = min(2*wait, 20*saveRetry) {
		in, refused := k.saveInStore(ctx, &r)
		switch in {
		case inStore:
			return k.saved(id, r), in, nil
		case superseded:
			token, err := k.supersede(ctx, id, r)
			return token, in, err
		}
		unspilled := k.spill(id, &r)
		if unspilled == nil {
			k.keepUnsaved(id, r)
			k.publish(id, r.token, r.record)
			return r.token, inSpill, nil
		}
		k.reportUnsaved(id, &r, errors.Join(refused, unspilled))
		if pause(ctx, wait) != nil {
			k.keepUnsaved(id, r)
			return Token{}, inMemory, unsavedError(refused)
		}
	}
}

// saveInStore writes a rotation to the store. A record that changed meanwhile but kept
// its generation is overwritten; one with another generation is a newer sign-in. The
// error says why the store refuses.
func (k *Keeper) saveInStore(ctx context.Context, r *rotation) (place, error) {
	for {
		saved, refused := k.Vault.write(ctx, r.record)
		if refused == nil {
			r.record = saved
			return inStore, nil
		}
		if !errors.Is(refused, ErrConflict) {
			return inMemory, refused
		}
		stands, err := k.Vault.Store.Get(ctx, r.record.Key)
		switch {
		case err == nil && (stands.Generation == r.from || k.follows(*r, stands)):
			r.record.Version = stands.Version
		case err == nil || errors.Is(err, ErrNotFound):
			return superseded, nil
		default:
			return inMemory, refused
		}
	}
}

// follows reports whether a rotation is newer than a record of the same sign-in,
// though not by one generation: the store went back to an older copy.
func (k *Keeper) follows(r rotation, stands Record) bool {
	token, err := k.Vault.openToken(stands)
	return err == nil && stands.Generation < r.record.Generation && sameSignIn(token, r.token)
}

// sameSignIn reports whether one token came from the other by renewals alone.
func sameSignIn(a, b Token) bool { return !a.SignedIn.IsZero() && a.SignedIn.Equal(b.SignedIn) }

// saved publishes a token that is durable now, and returns it.
func (k *Keeper) saved(id ID, r rotation) Token {
	k.removeSpills(r)
	k.mark(r.record.Key, r.token, r.record.Generation)
	k.publish(id, r.token, r.record)
	k.log().Info("renewed", "id", id, "expires", r.token.Expires, "next", r.record.NextRefresh)
	return r.token
}

// supersede adopts what the store has instead of a rotation: another program found our
// spill file and saved it, or the user signed in again.
func (k *Keeper) supersede(ctx context.Context, id ID, r rotation) (Token, error) {
	k.removeSpills(r)
	token, record, err := k.Vault.load(ctx, id)
	if err == nil {
		k.publish(id, token, record)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		k.log().Warn("a renewed token is dropped: the sign-in was ended meanwhile", "id", id)
	case err != nil:
		// The caller gets the error.
	case record.Generation == r.record.Generation && token.Access.Equal(r.token.Access):
		k.log().Info("another program has saved the renewed token", "id", id)
	case record.Generation > r.record.Generation && sameSignIn(token, r.token):
		k.log().Info("another program has saved the renewed token, and renewed it since", "id", id)
	default:
		k.log().Warn("a renewed token is dropped: the sign-in was replaced meanwhile", "id", id)
	}
	return token, err
}

// keepElsewhere keeps a rotation that the store refused, in a spill file or else in
// memory, which is an error.
func (k *Keeper) keepElsewhere(id ID, r rotation, refused error) error {
	unspilled := k.spill(id, &r)
	if unspilled != nil {
		k.reportUnsaved(id, &r, errors.Join(refused, unspilled))
	}
	k.keepUnsaved(id, r)
	if unspilled != nil {
		return unsavedError(refused)
	}
	return nil
}

// spill writes a rotation to a file in the first folder that accepts it, unless it is in
// a file already. When it returns nil, the token is durable.
func (k *Keeper) spill(id ID, r *rotation) error {
	if r.file != "" {
		return nil
	}
	file, err := k.writeSpill(*r)
	if err != nil {
		return err
	}
	r.file = file
	k.log().Warn("the store refuses a renewed token; it is kept in a spill file, sealed, until the store answers", "id", id, "file", file)
	return nil
}

// unsavedError returns the error for a token that is in memory only.
func unsavedError(err error) *Error {
	return &Error{Op: "save", Class: ClassFailed, Err: err,
		Reason: "the store refuses a renewed token, which is held in memory: do not stop this program before the store answers: " + err.Error()}
}

// reportUnsaved logs, once, that a token is in memory only.
func (k *Keeper) reportUnsaved(id ID, r *rotation, err error) {
	if !r.reported {
		k.log().Error("the only copy of a renewed token is in this program's memory, since neither the store nor a spill folder accepts it: do not end the program, and make room or make one of them writable", "id", id, "error", systemError(err))
	}
	r.reported = true
}

// Format implements fmt.Formatter: the secrets in a rotation do not print.
func (r rotation) Format(f fmt.State, _ rune) { plainly(f, "rotation("+r.record.Key+")") }
