package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/store/sqlite"
)

// address.go owns the address of a vault: the path of a file. A PostgreSQL
// database that many machines share is for programs in Go so far (package
// store/postgres): linked into this command it would make every start slower
// than was promised.

// storeAddress is what --store or VENUEKEY_STORE say; "" is the usual file.
func (p *program) storeAddress() (string, error) {
	address := p.store
	if address == "" {
		address = p.env("VENUEKEY_STORE")
	}
	if address == "" {
		return "", nil
	}
	if err := onlyFiles(address); err != nil {
		return "", err
	}
	return filepath.Abs(address)
}

// onlyFiles refuses the address of a database, and does not repeat it: it may
// hold a password.
func onlyFiles(address string) error {
	if !isDatabase(address) {
		return nil
	}
	return &venuekey.Error{Op: "store", Class: venuekey.Wrong, Reason: "the command keeps its vault in a file; PostgreSQL is for programs in Go so far",
		Remedy: "give the path of a file"}
}

func isDatabase(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// openAt opens the vault at an address. A file that is not there and is not to
// be made is an empty store that forgets.
func openAt(ctx context.Context, address string, create bool) (store venuekey.Store, empty bool, err error) {
	if _, err := os.Lstat(address); !create && errors.Is(err, fs.ErrNotExist) {
		return new(memory.Store), true, nil
	}
	opened, err := sqlite.Open(ctx, address)
	if err != nil {
		return nil, false, err
	}
	return opened, false, nil
}
