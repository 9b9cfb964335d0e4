package main

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/store/postgres"
	"github.com/venuekey/venuekey/store/sqlite"
)

// address.go owns the address of a vault: the path of a file, or a PostgreSQL
// database that many machines share.

// storeAddress is what --store or VENUEKEY_STORE say; "" is the usual file.
func (p *program) storeAddress() (string, error) {
	if p.store != "" {
		return addressOf(p.store)
	}
	address := p.env("VENUEKEY_STORE")
	if address == "" || isDatabase(address) {
		return address, nil
	}
	return filepath.Abs(address)
}

// addressOf reads an address that stood among the arguments, which everybody on
// the machine can see.
func addressOf(argument string) (string, error) {
	if !isDatabase(argument) {
		return filepath.Abs(argument)
	}
	if hasPassword(argument) {
		return "", misused("leave the password to PGPASSWORD or ~/.pgpass, or the whole address to VENUEKEY_STORE",
			"a password among the arguments can be read by every user of this machine")
	}
	return argument, nil
}

func isDatabase(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// hasPassword reports whether the address of a database may hold one. What
// cannot be read is taken for one that does.
func hasPassword(address string) bool {
	parsed, err := url.Parse(address)
	if err != nil {
		return true
	}
	_, inUser := parsed.User.Password()
	return inUser || parsed.Query().Has("password") || parsed.Query().Has("sslpassword")
}

// shownAddress is an address as it may be shown: without its parameters and
// without a password.
func shownAddress(address string) string {
	if !isDatabase(address) {
		return address
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return "the database of VENUEKEY_STORE"
	}
	shown := url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}
	if name := parsed.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	return shown.String()
}

// openAt opens the vault at an address. A file that is not there and is not to
// be made is an empty store that forgets. In a database that holds no vault yet
// its tables are made.
func openAt(ctx context.Context, address string, create bool) (store venuekey.Store, empty bool, err error) {
	if isDatabase(address) {
		opened, err := postgres.Open(ctx, address)
		if err != nil {
			return nil, false, err
		}
		return opened, false, nil
	}
	if _, err := os.Lstat(address); !create && errors.Is(err, fs.ErrNotExist) {
		return new(memory.Store), true, nil
	}
	opened, err := sqlite.Open(ctx, address)
	if err != nil {
		return nil, false, err
	}
	return opened, false, nil
}
