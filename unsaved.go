package venuekey

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// unsaved.go owns the rotations that the store refused: what waits in memory or in a
// spill file is saved before anything else is read.

// flush saves what waits for an ID, in memory or in a spill file that this or
// another program left. It comes before every look at the stored token, so that
// an older one is never taken for the newest. What the store still refuses is
// returned: it is as good as a saved one, if it lies in a spill file.
func (k *Keeper) flush(ctx context.Context, id ID) (unsaved *rotation, err error) {
	r, kept, busy := k.beginSaving(id)
	switch {
	case busy:
		return k.busy(ctx, r)
	case !kept:
		found := false
		if r, found, err = k.findSpill(id); err != nil {
			// The record's intent is open; the policy says what becomes of it.
			k.log().Error("a spill file cannot be used", "id", id, "error", systemError(err))
		}
		if !found {
			return nil, nil
		}
	}
	_, in, err := k.save(ctx, id, r)
	if kept && in.settled() {
		k.endSaving(id, r)
	}
	if err != nil {
		return nil, err
	}
	if r, kept = k.unsavedOf(id); !kept {
		return nil, nil
	}
	return &r, nil
}

// busy answers for a rotation that another goroutine is saving right now.
func (k *Keeper) busy(ctx context.Context, r rotation) (*rotation, error) {
	if r.file != "" {
		return &r, nil
	}
	_ = pause(ctx, saveRetry) // whoever tries again at once shall not spin
	return nil, unsavedError(errors.New("it is being saved"))
}

// newerUnsaved is what flush leaves unsaved, if it is newer than a generation. Whoever
// is about to present a token asks for it, since what replaces it may have been
// spilled a moment ago. What flush saved is seen in the store instead: the claim
// finds the record changed.
func (k *Keeper) newerUnsaved(ctx context.Context, id ID, than int64) (token Token, found bool, err error) {
	r, err := k.flush(ctx, id)
	if err != nil || r == nil || r.record.Generation <= than {
		return Token{}, false, err
	}
	return r.token, true, nil
}

// pending looks for a rotation of an ID without saving it.
func (k *Keeper) pending(id ID) (rotation, bool) {
	r, found := k.unsavedOf(id)
	if !found {
		r, found, _ = k.findSpill(id)
	}
	return r, found
}

// anyPending reports whether there is any rotation that the store does not have yet,
// or whether nobody can say.
func (k *Keeper) anyPending() bool {
	files, err := k.spillFiles()
	return k.anyUnsaved() || err != nil || len(files) > 0
}

// flushAll saves everything that waits, and returns what still does as an error.
func (k *Keeper) flushAll(ctx context.Context) error {
	ids := slices.Collect(maps.Keys(k.allUnsaved()))
	files, err := k.spillFiles()
	for _, file := range files {
		r, ok, unreadable := k.readSpill(file)
		err = errors.Join(err, unreadable)
		if id := r.record.ID(); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		r, refused := k.flush(ctx, id)
		if r != nil {
			refused = &Error{ID: id, Op: "save", Class: ClassFailed, Reason: "the store refuses a renewed token, which waits in a spill file"}
		}
		err = errors.Join(err, refused)
	}
	return err
}

// Held names the sign-ins whose newest token is in this program's memory only,
// because neither the store nor a spill folder takes it. It is lost if the
// program ends. Close and Run go on trying, and so does every look at the token.
func (k *Keeper) Held() (ids []ID) {
	k.init()
	for id, r := range k.allUnsaved() {
		if r.file == "" {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b ID) int { return strings.Compare(a.String(), b.String()) })
	return ids
}

// Close waits for renewals that are under way, so that no answer that is still
// on the wire is lost, and tries once more to save what the store refused. Its
// error says what is in memory only, and lost if the program ends now; what lies
// in a spill file is not. It does not close the store.
func (k *Keeper) Close() error {
	k.init()
	k.rest()
	ctx, cancel := context.WithTimeout(context.Background(), k.saveBudget())
	defer cancel()
	var lost error
	for id := range k.allUnsaved() {
		_, err := k.flush(ctx, id)
		lost = errors.Join(lost, err)
	}
	return lost
}
