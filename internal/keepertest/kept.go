package keepertest

import (
	"context"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// kept.go owns what lies under the seal of a sign-in: a look at it, and a change of it
// behind the backs of the programs that share it.

// Kept is the token that the vault keeps for an ID, with the refresh token, and its
// record. It is read as it lies: nothing is waited for and nothing is changed.
func Kept(ctx context.Context, vault *venuekey.Vault, id venuekey.ID) (venuekey.Token, venuekey.Record, error) {
	record, err := vault.Store.Get(ctx, "token/"+id.String())
	if err != nil {
		return venuekey.Token{}, record, err
	}
	copied := record
	copied.Version, copied.LeaseOwner = 0, "" // Snapshots waits for who holds a record
	scratch := aside(vault, id)
	if _, err := scratch.Vault.Store.Put(ctx, copied); err != nil {
		return venuekey.Token{}, record, err
	}
	for snapshot, err := range scratch.Snapshots(ctx) {
		return snapshot.Token, record, err
	}
	return venuekey.Token{}, record, venuekey.ErrNotFound
}

// Rewrite changes the token that is kept for an ID, its record, or both. The
// generation stays, and who holds the record is not asked.
func Rewrite(ctx context.Context, vault *venuekey.Vault, id venuekey.ID, change func(*venuekey.Token, *venuekey.Record)) error {
	token, record, err := Kept(ctx, vault, id)
	if err != nil {
		return err
	}
	change(&token, &record)
	scratch := aside(vault, id)
	if _, err := scratch.Restore(ctx, venuekey.Snapshot{ID: id, Token: token, Generation: record.Generation}, false); err != nil {
		return err
	}
	sealed, err := scratch.Vault.Store.Get(ctx, record.Key)
	if err == nil {
		record.Sealed, record.Generation = sealed.Sealed, sealed.Generation
		_, err = vault.Store.Put(ctx, record)
	}
	return err
}

// aside is a Keeper with the same key on a store that is empty.
func aside(vault *venuekey.Vault, id venuekey.ID) *venuekey.Keeper {
	return &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: &memory.Store{}, Key: vault.Key, Keys: vault.Keys, Reload: vault.Reload},
		Venues: []venuekey.Venue{anyVenue{name: id.Venue}},
	}
}

// anyVenue is a venue of which only the name is known.
type anyVenue struct {
	venuekey.Venue
	name string
}

func (v anyVenue) Name() string          { return v.name }
func (anyVenue) Policy() venuekey.Policy { return venuekey.Policy{} }
