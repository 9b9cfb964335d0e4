package venuekey

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// save.go owns what becomes of a token that just arrived: it is made durable
// before anybody sees it, and kept and tried again where that fails.

// A rotation is a token that a venue gave and that the store does not have yet.
// Where the store refuses it, it lies in a spill file: sealed like a record,
// flushed to disk with its folder, and saved by whoever comes first once the
// store answers. Spills are fenced by generation like every save, so that a
// file which is found twice, or late, does no harm.
type rotation struct {
	// record is what is to be written, sealed, with the new generation.
	record Record
	token  Token
	// key is what record is sealed with.
	Key SealKey
	// from is the generation that the record must still have when it is written.
	from int64
	// file is the spill file that it lies in; "" where it is in memory only.
	file string
	// told says that somebody was told that it is in memory only.
	told bool
	// saving says that a flush of this program is at it.
	saving bool
}

// rotation seals a token that just arrived.
func (k *Keeper) rotation(claimed Record, token Token, policy Policy) (rotation, error) {
	record := granted(claimed, token, policy)
	record.Generation++
	sealed, err := k.Vault.sealed(record, sealedFrom(token))
	r := rotation{record: sealed, token: token, from: claimed.Generation}
	if err == nil {
		r.Key, err = k.Vault.keyOf(sealed.Sealed)
	}
	return r, err
}

const saveRetry = 50 * time.Millisecond

// save makes a rotation durable, before anybody sees it. A record that changed
// meanwhile but kept its generation is written over; one with another
// generation is somebody's newer sign-in and is adopted. Where the store
// refuses, a spill file is as durable, and flush saves it later.
func (k *Keeper) save(ctx context.Context, id ID, r rotation) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, k.saveBudget())
	defer cancel()
	for wait := saveRetry; ; wait = min(2*wait, 20*saveRetry) {
		saved, err := k.Vault.write(ctx, r.record)
		if err == nil {
			k.step(stepSaved)
			k.unspill(r)
			k.mark(saved.Key, r.token, saved.Generation)
			k.publish(id, r.token, saved)
			k.step(stepPublished)
			k.log().Info("renewed", "id", id, "expires", r.token.Expires, "next", saved.NextRefresh)
			return r.token, nil
		}
		if errors.Is(err, ErrConflict) {
			stands, err := k.Vault.Store.Get(ctx, r.record.Key)
			if err == nil && (stands.Generation == r.from || k.follows(r, stands)) {
				r.record.Version = stands.Version
				continue
			}
			if err == nil || errors.Is(err, ErrNotFound) {
				k.unspill(r)
				return k.dropped(ctx, id, r)
			}
		}
		spilled := k.spill(id, &r)
		if spilled == nil {
			k.step(stepSpilled)
			k.hold(id, r)
			k.publish(id, r.token, r.record)
			return r.token, nil
		}
		k.tellHeld(id, &r, errors.Join(err, spilled))
		if pause(ctx, wait) != nil {
			k.hold(id, r)
			return Token{}, heldError(err)
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

// dropped is a rotation whose record is another generation by now: it was saved
// by somebody who found our spill file, or a human signed in anew.
func (k *Keeper) dropped(ctx context.Context, id ID, r rotation) (Token, error) {
	token, record, err := k.Vault.Load(ctx, id)
	if err == nil {
		k.publish(id, token, record)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		k.log().Warn("a renewed token is dropped: the sign-in was ended meanwhile", "id", id)
	case err != nil:
		// Whoever asked is told.
	case record.Generation == r.record.Generation && token.Access.Equal(r.token.Access):
		k.log().Info("another program has saved the renewed token", "id", id)
	case record.Generation > r.record.Generation && sameSignIn(token, r.token):
		k.log().Info("another program has saved the renewed token, and renewed it since", "id", id)
	default:
		k.log().Warn("a renewed token is dropped: the sign-in was replaced meanwhile", "id", id)
	}
	return token, err
}

// Close waits for renewals that are under way, so that no answer that is still
// on the wire is lost, and tries once more to save what the store refused. Its
// error says what is in memory only, and lost if the program ends now; what lies
// in a spill file is not. It does not close the store.
func (k *Keeper) Close() error {
	k.init()
	k.flying.Wait()
	k.mu.Lock()
	waiting := slices.Collect(maps.Keys(k.unsaved))
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), k.saveBudget())
	defer cancel()
	var lost error
	for _, id := range waiting {
		_, err := k.flush(ctx, id)
		lost = errors.Join(lost, err)
	}
	return lost
}

// heldError is what is said of a token that nothing takes.
func heldError(err error) *Error {
	return &Error{Op: "save", Class: ClassFailed, Err: err,
		Reason: "the store refuses a renewed token, which is held in memory: do not stop this program before the store answers: " + err.Error()}
}

// tellHeld tells, once, that a token is in memory only.
func (k *Keeper) tellHeld(id ID, r *rotation, err error) {
	if !r.told {
		k.log().Error("the only copy of a renewed token is in this program's memory, since neither the store nor a spill folder takes it: do not end the program, and make room or make one of them writable", "id", id, "error", systemError(err))
	}
	r.told = true
}

// Held names the sign-ins whose newest token is in this program's memory only,
// because neither the store nor a spill folder takes it. It is lost if the
// program ends. Close and Run go on trying, and so does every look at the token.
func (k *Keeper) Held() (ids []ID) {
	k.init()
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, r := range k.unsaved {
		if r().file == "" {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b ID) int { return strings.Compare(a.String(), b.String()) })
	return ids
}

// hold keeps a rotation that could not be saved, and flush saves it.
func (k *Keeper) hold(id ID, r rotation) {
	k.mu.Lock()
	k.unsaved[id] = hide(r)
	k.mu.Unlock()
	k.Source(id).fresh.Store(nil) // the next caller tries again to save it
}

// flush saves what waits for an ID, in memory or in a spill file that this or
// another program left. It comes before every look at the stored token, so that
// an older one is never taken for the newest. What the store still refuses is
// returned: it is as good as a saved one, if it lies in a spill file.
func (k *Keeper) flush(ctx context.Context, id ID) (waiting *rotation, err error) {
	k.mu.Lock()
	r, held := k.heldFor(id)
	busy := held && r.saving
	if held {
		// It stays there, so that nobody presents what it replaces meanwhile.
		k.unsaved[id] = hide(r.withSaving())
	}
	k.mu.Unlock()
	if busy {
		return k.busy(ctx, r)
	}
	ours := held
	if !held {
		if r, held, err = k.findSpill(id); err != nil {
			// The record's intent is open; the policy says what becomes of it.
			k.log().Error("a spill file cannot be used", "id", id, "error", systemError(err))
		}
	}
	if !held {
		return nil, nil
	}
	_, err = k.save(ctx, id, r)
	k.mu.Lock()
	defer k.mu.Unlock()
	r, held = k.heldFor(id)
	switch {
	case ours && held && r.saving: // nobody holds it any more
		delete(k.unsaved, id)
	case held && err == nil:
		return &r, nil
	}
	return nil, err
}

// heldFor is what is in memory for an ID; k.mu is held.
func (k *Keeper) heldFor(id ID) (r rotation, held bool) {
	if in, held := k.unsaved[id]; held {
		return in(), true
	}
	return rotation{}, false
}

func (r rotation) withSaving() rotation {
	r.saving = true
	return r
}

// busy answers for a rotation that another goroutine is saving right now.
func (k *Keeper) busy(ctx context.Context, r rotation) (*rotation, error) {
	if r.file != "" {
		return &r, nil
	}
	_ = pause(ctx, saveRetry) // whoever tries again at once shall not spin
	return nil, heldError(errors.New("it is being saved"))
}

// waiting is what flush leaves waiting, if it is newer than a generation. Whoever
// is about to present a token asks for it, since its successor may have been
// spilled a moment ago. What flush saved is seen in the store instead: the claim
// finds the record changed.
func (k *Keeper) waiting(ctx context.Context, id ID, than int64) (token Token, found bool, err error) {
	r, err := k.flush(ctx, id)
	if err != nil || r == nil || r.record.Generation <= than {
		return Token{}, false, err
	}
	return r.token, true, nil
}

// waits looks for a rotation of an ID without saving it.
func (k *Keeper) waits(id ID) (rotation, bool) {
	k.mu.Lock()
	r, held := k.heldFor(id)
	k.mu.Unlock()
	if !held {
		r, held, _ = k.findSpill(id)
	}
	return r, held
}

// flushAll saves everything that waits, and says what still does.
func (k *Keeper) flushAll(ctx context.Context) error {
	k.mu.Lock()
	waiting := slices.Collect(maps.Keys(k.unsaved))
	k.mu.Unlock()
	files, err := k.spillFiles()
	for _, file := range files {
		r, ok, unreadable := k.readSpill(file)
		err = errors.Join(err, unreadable)
		if id := r.record.ID(); ok && !slices.Contains(waiting, id) {
			waiting = append(waiting, id)
		}
	}
	for _, id := range waiting {
		r, refused := k.flush(ctx, id)
		if r != nil {
			refused = &Error{ID: id, Op: "save", Class: ClassFailed, Reason: "the store refuses a renewed token, which waits in a spill file"}
		}
		err = errors.Join(err, refused)
	}
	return err
}
