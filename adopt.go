package venuekey

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// adopt.go owns tokens that already exist when the Keeper first sees them: from
// another tool, from a backup, or saved by a program without the Keeper.

// Adopt keeps a token that was obtained elsewhere, as if the user had just signed
// in with it: it replaces any token kept for the ID, and is renewed when due. The
// venue is not asked. A token without an issue time counts as issued now; one with
// only a refresh token is renewed when a caller first asks for it. From then on no
// other program may present the refresh token: most are single-use.
//
// When the error is nil, the token is durable. A token that cannot be used, or a
// venue that the Keeper does not know, is an *Error of ClassMisconfigured.
func (k *Keeper) Adopt(ctx context.Context, id ID, token Token) (*Token, error) {
	k.init()
	venue, err := k.Venue(id.Venue)
	if err == nil {
		err = venue.Policy().check(id.Venue)
	}
	if err == nil && token.Access == "" && token.Refresh == "" {
		err = &Error{Class: ClassMisconfigured, Reason: "there is neither an access token nor a refresh token"}
	}
	if err == nil {
		token, err = acceptable(token)
	}
	if err != nil {
		return nil, annotate(err, id, "adopt")
	}
	first, err := k.Vault.probe(ctx, id)
	if err != nil {
		return nil, annotate(err, id, "adopt")
	}
	token = adopted(token, venue.Policy())
	record, err := k.adopt(ctx, id, first, token, k.early(ctx, venue, token))
	if err != nil {
		return nil, annotate(err, id, "adopt")
	}
	token.Generation = record.Generation
	k.publish(id, token, record)
	k.log().Info("adopted", "id", id, "expires", token.Expires, "next", record.NextRefresh)
	return token.handedOut(), nil
}

// adopted fills in what a token from elsewhere does not say.
func adopted(token Token, policy Policy) Token {
	if token.Issued.IsZero() {
		token.Issued = time.Now()
	}
	token = expiredIfBare(withDefaults(token, policy))
	if token.SignedIn.IsZero() {
		token.SignedIn = token.Issued
	}
	return token
}

// expiredIfBare makes a token without an access token count as expired.
func expiredIfBare(token Token) Token {
	if token.Access == "" {
		token.Expires = token.Issued
	}
	return token
}

// restore keeps a token from a backup, with the record that the backup holds for
// it. What is known against the token is kept; failures on the other machine are
// not. record.Version must be the version stored for the ID, or zero if there is
// none; otherwise restore returns ErrConflict: a user may have signed in meanwhile.
// It returns the record as stored.
//
// The new generation is greater than any that the ID had here or there: an earlier
// renewal, in flight or in a spill file, must find that the generation has moved,
// and a program that remembers an older token must see a newer one.
func (k *Keeper) restore(ctx context.Context, record Record, token Token) (Record, error) {
	k.init()
	id := record.ID()
	venue, err := k.Venue(id.Venue)
	if err == nil {
		token, err = acceptable(token)
	}
	if err != nil {
		return Record{}, annotate(err, id, "restore")
	}
	if err := checkCounts(record); err != nil {
		return Record{}, annotate(err, id, "restore")
	}
	first, err := k.Vault.probe(ctx, id)
	if err != nil {
		return Record{}, annotate(err, id, "restore")
	}
	old, err := k.Vault.Store.Get(ctx, record.Key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Record{}, storeError(id, "read", err)
	}
	if old.Version != record.Version {
		return Record{}, ErrConflict
	}
	token = withDefaults(token, venue.Policy())
	next := restored(record, token, venue.Policy(), time.Now())
	next.Generation = max(record.Generation, plausible(old.Generation)+1, plausible(first), k.highestSeen(record.Key)+1)
	saved, err := k.Vault.save(ctx, next, token)
	if err != nil {
		return Record{}, err
	}
	k.mark(saved.Key, token, saved.Generation)
	k.forget(id)
	return saved, nil
}

// restored is the record of a token from a backup.
func restored(was Record, token Token, policy Policy, now time.Time) Record {
	record := Record{Key: was.Key, Version: was.Version, Attempt: was.Attempt, IntentAt: was.IntentAt, Condition: was.Condition}
	if record.Condition != ConditionGood {
		record.Text = was.because()
	}
	if record.Condition != ConditionDead && renewable(token, policy, now) {
		record.NextRefresh = nextRefresh(token, policy, now, rand.Float64())
	}
	return record
}

// renewable reports whether a token can be renewed at all: one that only a live
// access token renews cannot be once that has expired.
func renewable(token Token, policy Policy, now time.Time) bool {
	return policy.RenewsWith != RenewWithAccessToken || token.Refresh != "" || token.Password != "" || token.Valid(now)
}

// scheduled returns the record with its next refresh filled in. An older
// program may have saved a token without one: a good token that can be renewed is due
// by the same rule as any other.
func (k *Keeper) scheduled(id ID, token Token, record Record) Record {
	if record.Condition != ConditionGood || !record.NextRefresh.IsZero() || len(record.Sealed) == 0 {
		return record
	}
	if venue, err := k.Venue(id.Venue); err == nil && renewable(token, venue.Policy(), time.Now()) {
		record.NextRefresh = nextRefresh(token, venue.Policy(), time.Time{}, 0)
	}
	return record
}

// scheduleAll sets the next refresh of tokens that were saved without one, so that
// Run finds them, and recovers those that another writer hid from it.
func (k *Keeper) scheduleAll(ctx context.Context) {
	for record, err := range k.Vault.records(ctx) {
		if err != nil {
			return // Run logs a store that does not answer
		}
		k.unhide(ctx, record)
		if record.Condition != ConditionGood || !record.NextRefresh.IsZero() || record.Leased() {
			continue
		}
		token, err := k.Vault.openToken(record)
		if err != nil {
			continue // Statuses reports it
		}
		next := k.scheduled(record.ID(), token, record)
		if next.NextRefresh.IsZero() {
			continue
		}
		if _, err := k.Vault.Store.Put(ctx, next); err != nil && !errors.Is(err, ErrConflict) {
			return
		}
	}
}
