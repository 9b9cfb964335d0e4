package venuekey

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// rotation.go owns a rotation from its sealing until it is saved or spilled. It is
// durable before anybody sees its token.

// A rotation is a token that a venue gave and that the store does not have yet. It is
// brought to the first place that takes it:
//
//	the store → a spill file → the reserve of a spill folder → memory
//
// What lies in a spill file is durable, sealed like a record, and saved by whoever
// comes first once the store answers. Rotations are fenced by generation wherever they
// come from, so that a file which is found twice, or late, does no harm.
type rotation struct {
	// record is what is to be written, sealed, with the new generation.
	record Record
	token  Token
	// Key is what record is sealed with.
	Key SealKey
	// from is the generation that the record must still have when it is written.
	from int64
	// file is the spill file that it lies in; "" where it is in memory only.
	file string
	// reported says that it was reported that it is in memory only.
	reported bool
}

// place is where a rotation came to lie.
type place int

const (
	inMemory   place = iota // nothing takes it
	inSpill                 // in a spill file, also one that was made of the reserve
	inStore                 // saved
	superseded              // the store has a newer token, or nobody is signed in any more
)

// settled says that nothing is left to be saved.
func (p place) settled() bool { return p == inStore || p == superseded }

// rotate seals a token that just arrived.
func (k *Keeper) rotate(claimed Record, token Token, policy Policy) (rotation, error) {
	record := claimed.afterGrant(token, policy)
	record.Generation++
	sealed, err := k.Vault.sealed(record, sealedFrom(token))
	r := rotation{record: sealed, token: token, from: claimed.Generation}
	if err == nil {
		r.Key, err = k.Vault.keyOf(sealed.Sealed)
	}
	return r, err
}

const saveRetry = 50 * time.Millisecond

// save brings a rotation to the first place that takes it, and gives the token that
// counts from now on. Where nothing takes it, that is tried again until the time for
// it is over; nobody is given the token then.
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

// saveInStore puts a rotation into the store. A record that changed meanwhile but kept
// its generation is written over; one with another generation is somebody's newer
// sign-in. The error says why the store refuses.
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
	token, err := k.Vault.Open(stands)
	return err == nil && stands.Generation < r.record.Generation && sameSignIn(token, r.token)
}

// sameSignIn reports whether one token came from the other by renewals alone.
func sameSignIn(a, b Token) bool { return !a.SignedIn.IsZero() && a.SignedIn.Equal(b.SignedIn) }

// saved hands out a token that is durable now.
func (k *Keeper) saved(id ID, r rotation) Token {
	k.removeSpills(r)
	k.mark(r.record.Key, r.token, r.record.Generation)
	k.publish(id, r.token, r.record)
	k.log().Info("renewed", "id", id, "expires", r.token.Expires, "next", r.record.NextRefresh)
	return r.token
}

// supersede adopts what the store has in place of a rotation: it was saved by somebody
// who found our spill file, or a human signed in anew.
func (k *Keeper) supersede(ctx context.Context, id ID, r rotation) (Token, error) {
	k.removeSpills(r)
	token, record, err := k.Vault.Load(ctx, id)
	if err == nil {
		k.publish(id, token, record)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		k.log().Warn("a renewed token is dropped: the sign-in was ended meanwhile", "id", id)
	case err != nil:
		// Whoever asked gets the error.
	case record.Generation == r.record.Generation && token.Access.Equal(r.token.Access):
		k.log().Info("another program has saved the renewed token", "id", id)
	case record.Generation > r.record.Generation && sameSignIn(token, r.token):
		k.log().Info("another program has saved the renewed token, and renewed it since", "id", id)
	default:
		k.log().Warn("a renewed token is dropped: the sign-in was replaced meanwhile", "id", id)
	}
	return token, err
}

// keepElsewhere keeps what the store refuses once, in a spill file or else in memory,
// which is an error.
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

// spill writes a rotation to a file in the first folder that takes it, unless it lies
// in one already. When it returns nil, the token is durable.
func (k *Keeper) spill(id ID, r *rotation) error {
	if r.file != "" {
		return nil
	}
	file, err := k.writeSpill(*r)
	if err != nil {
		return err
	}
	r.file = file
	k.log().Warn("the store refuses a renewed token; it lies in a spill file, sealed, until the store answers", "id", id, "file", file)
	return nil
}

// unsavedError is what is said of a token that nothing takes.
func unsavedError(err error) *Error {
	return &Error{Op: "save", Class: ClassFailed, Err: err,
		Reason: "the store refuses a renewed token, which is held in memory: do not stop this program before the store answers: " + err.Error()}
}

// reportUnsaved reports, once, that a token is in memory only.
func (k *Keeper) reportUnsaved(id ID, r *rotation, err error) {
	if !r.reported {
		k.log().Error("the only copy of a renewed token is in this program's memory, since neither the store nor a spill folder takes it: do not end the program, and make room or make one of them writable", "id", id, "error", systemError(err))
	}
	r.reported = true
}

// Format implements fmt.Formatter: what a save holds does not print.
func (r rotation) Format(f fmt.State, _ rune) { plainly(f, "rotation("+r.record.Key+")") }
