package venuekey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey/internal/foreign"
)

// vault.go owns sealing what goes into a store and opening what comes out.

// Vault holds tokens and apps in a Store: it seals what it writes and opens what it
// reads. key.Config.Vault returns one that follows rotations of keys; otherwise set the
// fields before the first call. Its methods are safe for concurrent use.
type Vault struct {
	// Store keeps the records. It is required.
	Store Store
	// Key is the key that seals records.
	Key SealKey

	// Keys lists all keys that records and spill files may be sealed with, the oldest
	// first and Key among them, for rotations of keys. A key newer than Key replaces
	// it as soon as a seal made with it is seen. Empty means only Key.
	Keys []SealKey
	// Reload, if set, returns Keys again. It is called if a seal names an unknown key,
	// at most once a second.
	Reload func() ([]SealKey, error)

	ring      atomic.Pointer[keyring]
	reloading sync.Mutex
	reloaded  time.Time
}

// Prefixes of records' keys, by what the records hold.
const (
	tokenPrefix = "token/"
	appPrefix   = "app/"
)

// pageSize is how many records are read at a time when all are read.
const pageSize = 256

// load returns the token of an ID and its record. An ID without a sign-in is an *Error
// of ClassRefused that matches ErrNotFound; a record that does not open is one of
// ClassDamaged.
func (v *Vault) load(ctx context.Context, id ID) (Token, Record, error) {
	record, err := v.Store.Get(ctx, tokenPrefix+id.String())
	if errors.Is(err, ErrNotFound) {
		return Token{}, Record{}, &Error{ID: id, Class: ClassRefused, Reason: "not signed in", Err: ErrNotFound}
	}
	if err != nil {
		return Token{}, Record{}, storeError(id, "read", err)
	}
	token, err := v.openToken(record)
	return token, record, err
}

// openToken opens the seal of a token's record. A seal that does not open is an *Error of
// ClassDamaged.
func (v *Vault) openToken(record Record) (Token, error) {
	var form sealedToken
	if err := v.open(record, &form); err != nil {
		return Token{}, err
	}
	token := form.token()
	token.Generation = record.Generation
	return token, nil
}

// save seals the token into the record and writes it. The record must carry the stored
// version (zero to create it; otherwise the result is ErrConflict) and the token's
// generation. When the error is nil, the token is durable.
func (v *Vault) save(ctx context.Context, record Record, token Token) (Record, error) {
	if err := checkCounts(record); err != nil {
		return record, err
	}
	return v.put(ctx, record, sealedFrom(token))
}

// records reads the records of all tokens, in the order of their IDs, without opening
// them. An error ends the sequence.
func (v *Vault) records(ctx context.Context) iter.Seq2[Record, error] {
	return v.all(ctx, tokenPrefix)
}

// App returns the app registered for a venue. If there is none, the error is an *Error
// of ClassMisconfigured that matches ErrNotFound.
func (v *Vault) App(ctx context.Context, venue string) (App, error) {
	record, err := v.Store.Get(ctx, appPrefix+venue)
	if errors.Is(err, ErrNotFound) {
		return App{}, &Error{ID: ID{Venue: venue}, Class: ClassMisconfigured, Reason: "no app is registered for " + venue, Err: ErrNotFound}
	}
	if err != nil {
		return App{}, storeError(ID{Venue: venue}, "read", err)
	}
	return v.openApp(record)
}

func (v *Vault) openApp(record Record) (App, error) {
	var form sealedApp
	if err := v.open(record, &form); err != nil {
		return App{}, err
	}
	return form.app(), nil
}

// SaveApp saves the app of app.Venue, replacing any other.
func (v *Vault) SaveApp(ctx context.Context, app App) error {
	return v.changeApp(ctx, app.Venue, func(Record) (App, bool, error) { return app, true, nil })
}

// changeApp changes the app of a venue by compare-and-swap, until no other writer was
// faster. change gets the stored record, without a version if there is none, and reports
// whether to write.
func (v *Vault) changeApp(ctx context.Context, venue string, change func(Record) (App, bool, error)) error {
	for {
		record, err := v.Store.Get(ctx, appPrefix+venue)
		if errors.Is(err, ErrNotFound) {
			record, err = Record{Key: appPrefix + venue}, nil
		}
		if err != nil {
			return storeError(ID{Venue: venue}, "read", err)
		}
		app, write, err := change(record)
		if err != nil || !write {
			return err
		}
		record.Generation = plausible(record.Generation) + 1
		if _, err = v.put(ctx, record, sealedFromApp(app)); !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

// DeleteApp deletes the app of a venue. If there is none, the error is an *Error of
// ClassMisconfigured that matches ErrNotFound.
func (v *Vault) DeleteApp(ctx context.Context, venue string) error {
	for {
		record, err := v.Store.Get(ctx, appPrefix+venue)
		if err == nil {
			err = v.Store.Delete(ctx, record.Key, record.Version)
		}
		switch {
		case errors.Is(err, ErrConflict):
			continue
		case errors.Is(err, ErrNotFound):
			return &Error{ID: ID{Venue: venue}, Class: ClassMisconfigured, Reason: "no app is registered for " + venue, Err: ErrNotFound}
		case err != nil:
			return storeError(ID{Venue: venue}, "delete", err)
		}
		return nil
	}
}

// Apps reads all apps, in the order of their venues. An app that does not open yields an
// *Error of ClassDamaged and the sequence continues; any other error ends it.
func (v *Vault) Apps(ctx context.Context) iter.Seq2[App, error] {
	return func(yield func(App, error) bool) {
		for record, err := range v.all(ctx, appPrefix) {
			var app App
			if err == nil {
				app, err = v.openApp(record)
			}
			if !yield(app, err) {
				return
			}
		}
	}
}

// probe writes and deletes a record, so that a store that cannot save a token is noticed
// before the user is sent to the venue for one. It returns a number greater than any
// generation of the ID so far: versions grow over the whole store, and each generation
// takes at least one.
func (v *Vault) probe(ctx context.Context, id ID) (int64, error) {
	key := probePrefix + id.String()
	for {
		old, err := v.Store.Get(ctx, key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return 0, storeError(id, "read", err)
		}
		version, err := v.Store.Put(ctx, Record{Key: key, Version: old.Version})
		if errors.Is(err, ErrConflict) {
			continue
		}
		if err != nil {
			return 0, storeError(id, "write", err)
		}
		// Another program's probe may have deleted it: only the write matters.
		_ = v.Store.Delete(ctx, key, version)
		return version, nil
	}
}

func (v *Vault) all(ctx context.Context, prefix string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for after := ""; ; {
			page, err := v.Store.List(ctx, prefix, after, pageSize)
			if err != nil {
				yield(Record{}, storeError(ID{}, "list", err))
				return
			}
			for _, record := range page {
				if !yield(record, nil) {
					return
				}
				after = record.Key
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

func (v *Vault) open(record Record, form any) error {
	var plain []byte
	key, err := v.keyOf(record.Sealed)
	if err == nil {
		plain, err = key.openOwn(record.Sealed, record.Key, record.Generation)
	}
	if err == nil {
		err = json.Unmarshal(plain, form)
	}
	if err != nil {
		return &Error{ID: record.ID(), Op: "open", Class: ClassDamaged, Reason: foreign.Fit(fmt.Sprintf("record %s: %v", record.Key, err)), Remedy: v.keyRemedy(err), Err: systemError(err)}
	}
	return nil
}

func (v *Vault) put(ctx context.Context, record Record, form any) (Record, error) {
	if record.Version == 0 && record.Key != ringRecord {
		if err := v.follow(ctx); err != nil {
			return record, err
		}
	}
	sealed, err := v.sealed(record, form)
	if err != nil {
		return record, err
	}
	return v.write(ctx, sealed)
}

// sealed returns the record with a form sealed in it.
func (v *Vault) sealed(record Record, form any) (Record, error) {
	plain, err := json.Marshal(form)
	if err == nil {
		record.Sealed, err = v.current().seal(plain, record.Key, record.Generation)
	}
	if err != nil {
		return record, &Error{ID: record.ID(), Op: "seal", Class: ClassFailed, Err: err}
	}
	return record, nil
}

// write puts a sealed record; it returns ErrConflict unwrapped.
func (v *Vault) write(ctx context.Context, record Record) (Record, error) {
	version, err := v.Store.Put(ctx, record)
	if errors.Is(err, ErrConflict) {
		return record, err
	}
	if err != nil {
		return record, storeError(record.ID(), "save", err)
	}
	record.Version = version
	return record, nil
}

func isTokenKey(key string) bool { return strings.HasPrefix(key, tokenPrefix) }

// idOfKey returns the sign-in that a record is about, or an ID with only the venue for an
// app's record.
func idOfKey(key string) ID {
	kind, name, _ := strings.Cut(key, "/")
	if kind+"/" == consumerPrefix {
		return ID{} // it is about no sign-in
	}
	id, _ := ParseID(name)
	if kind+"/" != tokenPrefix && !strings.Contains(name, "/") {
		id.Name = ""
	}
	return id
}

// storeError returns the error of an operation that a store failed. The class and remedy
// of a driver's own *Error stay.
func storeError(id ID, op string, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return annotate(systemError(err), id, op)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{ID: id, Op: op, Class: ClassNotSent, Reason: "the store did not answer in time", Err: systemError(err)}
	}
	return &Error{ID: id, Op: op, Class: ClassFailed, Err: systemError(fmt.Errorf("store: %w", err))}
}
