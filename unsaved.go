package venuekey

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// unsaved.go owns the rotations that the store refused: those in memory or in a spill
// file are saved before anything else is read.

// flush saves the pending rotation of an ID, in memory or in a spill file that this or
// another program left. It comes before every read of the stored token, so that an older
// one is never taken for the newest. It returns the rotation if the store still refuses
// it: one in a spill file is as good as saved.
func (k *Keeper) flush(ctx context.Context, id ID) (unsaved *rotation, err error) {
	r, kept, busy := k.beginSaving(id)
	switch {
	case busy:
		return k.busy(ctx, r)
	case !kept:
		found := false
		if r, found, err = k.findSpill(id); err != nil {
			// The record's intent is open, so the policy decides.
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
	_ = pause(ctx, saveRetry) // a caller that retries at once must not spin
	return nil, unsavedError(errors.New("it is being saved"))
}

// newerUnsaved returns what flush leaves unsaved, if it is newer than a generation. It is
// checked before a token is presented, since its successor may have been spilled a moment
// ago. What flush saved shows in the store instead: the claim finds the record changed.
func (k *Keeper) newerUnsaved(ctx context.Context, id ID, than int64) (token Token, found bool, err error) {
	r, err := k.flush(ctx, id)
	if err != nil || r == nil || r.record.Generation <= than {
		return Token{}, false, err
	}
	return r.token, true, nil
}

// pending returns the pending rotation of an ID without saving it.
func (k *Keeper) pending(id ID) (rotation, bool) {
	r, found := k.unsavedOf(id)
	if !found {
		r, found, _ = k.findSpill(id)
	}
	return r, found
}

// anyPending reports whether there may be a rotation that the store does not have yet.
func (k *Keeper) anyPending() bool {
	files, err := k.spillFiles()
	return k.anyUnsaved() || err != nil || len(files) > 0
}

// flushAll saves all pending rotations. Its error names those that the store still
// refuses.
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
			refused = &Error{ID: id, Op: "save", Class: ClassFailed, Reason: "the store refuses a renewed token, which is in a spill file"}
		}
		err = errors.Join(err, refused)
	}
	return err
}

// Held returns the sign-ins whose newest token is in this program's memory only, because
// neither the store nor a spill folder accepts it. Such a token is lost if the program
// ends. Close, Run and every call of Token keep trying to save it.
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

// Close waits for renewals in flight, so that no answer on the wire is lost, and tries
// once more to save the tokens that the store refused. Its error names tokens that are in
// memory only, and lost if the program ends now; a token in a spill file is not lost.
// Close does not close the store.
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
