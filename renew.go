package venuekey

import (
	"context"
	"errors"
	"maps"
	"time"
)

// The refresh, in its order:
//
//	load → still needed? → claim (lease + intent, durable) → present → save (fenced) → publish → release
//
// The claim is a short write; nothing is held open in the store while we talk
// to the venue. Whoever loses the claim waits for the winner and adopts what
// it got. The intent, written before a refresh token is presented, makes a
// lost answer noticed even if this process dies; the lease outlives the
// request's deadline and the time to save. The save is fenced by generation,
// comes before anybody sees the token, and releases the lease in one write.

// renew replaces the given generation of an ID's token, or adopts a newer one
// that somebody else got.
func (k *Keeper) renew(ctx context.Context, id ID, generation int64) (Token, error) {
	if err := k.flush(ctx, id); err != nil {
		return Token{}, err
	}
	for wait := leasePoll; ; wait = min(2*wait, 10*leasePoll) {
		token, record, err := k.Vault.Load(ctx, id)
		if err != nil {
			return Token{}, err
		}
		if record.Generation > generation { // no longer needed
			k.publish(id, token, record)
			return token, nil
		}
		if record.Leased() && record.LeaseOwner != k.owner {
			if err := pause(ctx, wait); err != nil {
				return Token{}, &Error{Class: Later, Reason: "another program is renewing this token and does not finish", Err: err}
			}
			continue
		}
		venue, app, err := k.venueAndApp(ctx, id.Venue)
		if err != nil {
			failure := at(err, id, "refresh")
			return Token{}, k.remember(ctx, postponed(record, failure), failure)
		}
		if verdict := spent(record, venue.Policy()); verdict != nil {
			return Token{}, k.remember(ctx, judged(record, verdict), verdict)
		}
		claimed, err := k.claim(ctx, record)
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return Token{}, storeError(id, "claim", err)
		}
		got, err := k.present(ctx, venue, app, token)
		if err != nil {
			failure := at(err, id, "refresh")
			return Token{}, k.remember(ctx, released(record, claimed, venue.Policy(), failure), failure)
		}
		got = successor(token, got, venue.Policy())
		return k.save(ctx, id, rotation{granted(claimed, got, venue.Policy()), got})
	}
}

// claim writes lease and intent. It is ErrConflict when somebody else was
// faster.
func (k *Keeper) claim(ctx context.Context, record Record) (Record, error) {
	record.LeaseOwner, record.LeaseUntil = k.owner, record.ReadAt.Add(k.lease())
	record.Attempt++
	record.IntentAt = record.ReadAt
	version, err := k.Vault.Store.Put(ctx, record)
	record.Version = version
	return record, err
}

// present asks the venue, once, with a deadline of its own.
func (k *Keeper) present(ctx context.Context, venue Venue, app App, token Token) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, k.deadline())
	defer cancel()
	return venue.Refresh(ctx, app, token)
}

// rotation is a token that the venue gave and the store does not have yet,
// with the record as it was claimed and will be.
type rotation struct {
	record Record
	token  Token
}

// save makes a rotation durable, before anybody sees it. A record that changed
// meanwhile but kept its generation is written over; one with another
// generation is somebody's newer sign-in and is adopted. A store that keeps
// refusing leaves the rotation in memory, for flush.
func (k *Keeper) save(ctx context.Context, id ID, r rotation) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, k.saveBudget())
	defer cancel()
	fence := r.record.Generation
	r.record.Generation++
	for wait := saveRetry; ; wait *= 2 {
		saved, err := k.Vault.Save(ctx, r.record, r.token)
		if err == nil {
			k.publish(id, r.token, saved)
			k.log().Info("renewed", "id", id, "expires", r.token.Expires, "next", saved.NextRefresh)
			return r.token, nil
		}
		if errors.Is(err, ErrConflict) {
			stands, err := k.Vault.Store.Get(ctx, r.record.Key)
			if err == nil && stands.Generation == fence {
				r.record.Version = stands.Version
				continue
			}
			if err == nil || errors.Is(err, ErrNotFound) {
				k.log().Warn("a renewed token is dropped: the sign-in was replaced meanwhile", "id", id)
				token, _, err := k.Vault.Load(ctx, id)
				return token, err
			}
		}
		if pause(ctx, wait) != nil {
			r.record.Generation = fence
			k.hold(id, r)
			return Token{}, &Error{Op: "save", Class: Failed, Err: err, Reason: "the store refuses a renewed token, which is held in memory: do not stop this program before the store answers: " + err.Error()}
		}
	}
}

// remember writes a record that has no new token, and returns the failure that
// it tells of. A record that moved meanwhile is newer than what we know.
func (k *Keeper) remember(ctx context.Context, record Record, failure *Error) error {
	if _, err := k.Vault.Store.Put(ctx, record); err != nil && !errors.Is(err, ErrConflict) {
		// The intent stays open: whoever comes next takes it as uncertain.
		k.log().Error("the store does not answer", "id", failure.ID, "error", err)
	}
	return failure
}

// hold keeps a rotation that could not be saved, and flush saves it.
func (k *Keeper) hold(id ID, r rotation) {
	k.mu.Lock()
	k.unsaved[id] = r
	k.mu.Unlock()
}

func (k *Keeper) held() map[ID]rotation {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.unsaved)
}

func (k *Keeper) flush(ctx context.Context, id ID) error {
	k.mu.Lock()
	r, held := k.unsaved[id]
	delete(k.unsaved, id)
	k.mu.Unlock()
	if !held {
		return nil
	}
	_, err := k.save(ctx, id, r)
	return err
}

const (
	leasePoll = 25 * time.Millisecond
	saveRetry = 50 * time.Millisecond
)
