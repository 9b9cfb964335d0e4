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

// vault.go owns sealing what is put into a store and opening what is found there.

// Vault is the portable type over a Store: it seals what it puts there and
// opens what it finds. key.Config.Vault gives one that follows when keys are
// rotated; else set the fields before the first call.
type Vault struct {
	Store Store
	// Key is what records are sealed with.
	Key SealKey

	// Keys is for keys that are rotated: all that records and spill files may be
	// sealed with, the oldest first, Key among them. A newer one than Key takes
	// its place as soon as a seal made with it is seen. Empty means Key alone.
	Keys []SealKey
	// Reload, if set, gives Keys anew. It is called when a seal names a key that
	// is not known, once a second at most.
	Reload func() ([]SealKey, error)

	ring      atomic.Pointer[keyring]
	reloading sync.Mutex
	reloaded  time.Time
}

// Keys of records, by what they hold.
const (
	tokenPrefix = "token/"
	appPrefix   = "app/"
)

// pageSize is how many records are read at a time where all are read.
const pageSize = 256

// Load returns the token of an ID and the record that keeps it. An ID that
// nobody signed in with is an *Error of ClassRefused.
func (v *Vault) Load(ctx context.Context, id ID) (Token, Record, error) {
	record, err := v.Store.Get(ctx, tokenPrefix+id.String())
	if errors.Is(err, ErrNotFound) {
		return Token{}, Record{}, &Error{ID: id, Class: ClassRefused, Reason: "not signed in", Err: ErrNotFound}
	}
	if err != nil {
		return Token{}, Record{}, storeError(id, "read", err)
	}
	token, err := v.Open(record)
	return token, record, err
}

// Open opens the seal of a token's record.
func (v *Vault) Open(record Record) (Token, error) {
	var form sealedToken
	if err := v.open(record, &form); err != nil {
		return Token{}, err
	}
	return form.token(), nil
}

// Save seals the token and puts it into the record, which must carry the
// version that is stored (zero to create) and the token's own generation. When
// it returns nil, the token is durable. It is for programs that do what a Keeper
// does; Keeper.Adopt brings in a token that exists. A record without NextRefresh
// is due by the Keeper's rule, as long as nothing is known against its token.
func (v *Vault) Save(ctx context.Context, record Record, token Token) (Record, error) {
	if err := checkCounts(record); err != nil {
		return record, err
	}
	return v.put(ctx, record, sealedFrom(token))
}

// Records reads the records of all tokens, in the order of their IDs, without
// opening them.
func (v *Vault) Records(ctx context.Context) iter.Seq2[Record, error] {
	return v.all(ctx, tokenPrefix)
}

// App returns the app registered for a venue; none is an *Error of ClassMisconfigured.
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

// SaveApp keeps the app of app.Venue, in place of one that was there.
func (v *Vault) SaveApp(ctx context.Context, app App) error {
	return v.changeApp(ctx, app.Venue, func(Record) (App, bool, error) { return app, true, nil })
}

// changeApp changes the app of a venue until nobody else was faster. The change is
// given the record that stands, without a version where there is none, and says
// whether anything is to be written.
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

// DeleteApp forgets the app of a venue; none is an *Error of ClassMisconfigured.
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

// Apps reads all apps, in the order of their venues.
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

// probe writes and removes a record, so that a store that cannot keep a token
// is found out before the user is sent to the venue for one. It returns a
// number greater than any generation that the ID has had: versions grow over
// the whole store, and a generation costs at least one.
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
		// Somebody else's probe may have removed it: the write is what counted.
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

// sealed is the record with a form under its seal.
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

// write puts a record as it is; ErrConflict comes back bare.
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

// idOfKey names what a record is about: the sign-in, or the venue of an app.
func idOfKey(key string) ID {
	kind, name, _ := strings.Cut(key, "/")
	id, _ := ParseID(name)
	if kind+"/" != tokenPrefix && !strings.Contains(name, "/") {
		id.Name = ""
	}
	return id
}

// storeError says what a store could not do. What the driver itself says, class
// and remedy, stays.
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
