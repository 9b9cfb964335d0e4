package local

import (
	"context"
	"path/filepath"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/address"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/store/postgres"
	"github.com/venuekey/venuekey/store/sqlite"
)

// address.go owns the address of a vault: the path of a file, or a PostgreSQL database
// that many machines share.

// Address is the location of a vault: the path of a file, or a PostgreSQL database. It
// prints without its password and its parameters. ParseAddress parses one.
type Address struct {
	text func() string // a function, so that fmt does not find the password
}

// addressOf is the address of a text as it stands: the path of a file, or an address as
// PostgreSQL reads it.
func addressOf(text string) Address { return Address{func() string { return text }} }

// plain returns the address with everything in it.
func (a Address) plain() string {
	if a.text == nil {
		return ""
	}
	return a.text()
}

// ParseAddress parses the path of a file, postgres://user@host/database, or
// "host=… dbname=…". A path becomes absolute. A text that looks like another kind of
// address is a [venuekey.Error] of ClassMisconfigured, which does not repeat the text.
func ParseAddress(text string) (Address, error) {
	switch {
	case address.IsForeign(text):
		return Address{}, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "that is not an address that venuekey understands", Remedy: address.Forms}
	case address.IsDatabase(text):
		return addressOf(text), nil
	}
	path, err := filepath.Abs(text)
	return addressOf(path), err
}

// address returns the address in Store or VENUEKEY_STORE; the zero Address stands for
// the usual file.
func (c Config) address() (Address, error) {
	if c.Store != "" {
		return ParseAddress(c.Store)
	}
	text := environ.Get(c.Environ, "VENUEKEY_STORE")
	if text == "" {
		return Address{}, nil
	}
	if address.IsForeign(text) {
		return Address{}, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "VENUEKEY_STORE is not an address that venuekey understands", Remedy: address.Forms}
	}
	return ParseAddress(text)
}

// IsZero reports whether a is the zero Address.
func (a Address) IsZero() bool { return a.plain() == "" }

// IsDatabase reports whether a is a PostgreSQL database, and not a file.
func (a Address) IsDatabase() bool { return address.IsDatabase(a.plain()) }

// HasPassword reports whether the address of a database may hold a password. An address
// that cannot be parsed counts as one that does.
func (a Address) HasPassword() bool { return address.HasPassword(a.plain()) }

// String returns the address without its password and its parameters.
func (a Address) String() string { return address.Shown(a.plain()) }

// Open opens the store at the address. It creates a file that does not exist, and the
// tables in a database that holds no vault yet.
func (a Address) Open(ctx context.Context) (venuekey.Store, error) {
	if a.IsDatabase() {
		store, err := postgres.Open(ctx, a.plain())
		if err != nil {
			return nil, err
		}
		return store, nil
	}
	store, err := sqlite.Open(ctx, a.plain())
	if err != nil {
		return nil, err
	}
	return store, nil
}

// Migrate updates the tables of a database to the schema of this version. It returns the
// schema's version before and after. A file needs no migration: it is 1 and 1.
func (a Address) Migrate(ctx context.Context) (from, to int, err error) {
	if !a.IsDatabase() {
		return 1, 1, nil
	}
	return postgres.Migrate(ctx, a.plain())
}
