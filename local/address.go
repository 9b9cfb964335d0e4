package local

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/postgres"
	"github.com/venuekey/venuekey/store/sqlite"
)

// address.go owns the address of a vault: the path of a file, or a PostgreSQL
// database that many machines share.

// Address is where a vault is. It prints without its password and its parameters.
// ParseAddress reads one.
type Address struct {
	text func() string // which fmt does not follow to a password
}

// AddressOf takes text for an address as it stands: the path of a file, or an address
// as PostgreSQL reads it.
func AddressOf(text string) Address { return Address{func() string { return text }} }

// plain is the address with all that is in it.
func (a Address) plain() string {
	if a.text == nil {
		return ""
	}
	return a.text()
}

// AddressForms is what helps whoever gave none that is understood.
const AddressForms = "give the path of a file, postgres://user@host/database, or host=… dbname=…; ./ before the name of a file that looks like an address"

// ParseAddress reads an address. A path is made absolute. What looks like the address
// of something else is an *venuekey.Error of ClassMisconfigured that does not show it.
func ParseAddress(text string) (Address, error) {
	switch {
	case isForeign(text):
		return Address{}, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "that is not an address that venuekey understands", Remedy: AddressForms}
	case isDatabase(text):
		return AddressOf(text), nil
	}
	path, err := filepath.Abs(text)
	return AddressOf(path), err
}

// address is what Store or VENUEKEY_STORE say; zero is the usual file.
func (c Config) address() (Address, error) {
	if c.Store != "" {
		return ParseAddress(c.Store)
	}
	text := c.Environ.Get("VENUEKEY_STORE")
	if text == "" {
		return Address{}, nil
	}
	if isForeign(text) {
		return Address{}, &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: "VENUEKEY_STORE is not an address that venuekey understands", Remedy: AddressForms}
	}
	return ParseAddress(text)
}

// IsZero reports whether it names nothing.
func (a Address) IsZero() bool { return a.plain() == "" }

// IsDatabase reports whether it is a database, and no file.
func (a Address) IsDatabase() bool { return isDatabase(a.plain()) }

// HasPassword reports whether the address of a database may hold one. What cannot be
// read is taken for one that does.
func (a Address) HasPassword() bool { return a.IsDatabase() && hasPassword(a.plain()) }

// String is the address as it may be shown.
func (a Address) String() string { return shownAddress(a.plain()) }

// Open opens the store there. A file that is missing is made, and in a database that
// holds no vault yet its tables are.
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

// Migrate brings the tables of a database to what this version needs, and gives the
// versions of the schema before and after. A file needs none.
func (a Address) Migrate(ctx context.Context) (from, to int, err error) {
	if !a.IsDatabase() {
		return 1, 1, nil
	}
	return postgres.Migrate(ctx, a.plain())
}

var (
	// keywords is how an address in PostgreSQL's other form begins, as in
	// "host=/run/postgresql dbname=venuekey".
	keywords = regexp.MustCompile(`^\s*[A-Za-z_]+\s*=`)
	// foreignAddress is what any other address looks like: one of another program, or one
	// that was misspelt, by a slash, or by all that stands before the user. It is not
	// taken for the name of a file, with what stands in it.
	foreignAddress = regexp.MustCompile(`^\s*[A-Za-z][A-Za-z0-9+.-]+:([A-Za-z][A-Za-z0-9+.-]*:)*//|(?i:^\s*postgres(ql)?:)|^[^/\\]*:[^/\\]*@|(?i:password\s*=)`)
)

func isDatabase(address string) bool { return isURL(address) || keywords.MatchString(address) }

func isURL(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

func isForeign(address string) bool {
	return !isDatabase(address) && foreignAddress.MatchString(address)
}
