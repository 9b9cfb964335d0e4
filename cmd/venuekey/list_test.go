package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/sqlite"
)

// list_test.go owns what is said of a vault whose list of sign-ins cannot be read.

// A list that ends in the middle must not be taken for a short one: what stands in it
// is what a shell goes on with, and what signs out all.
func TestADamagedVaultHasNoShortList(t *testing.T) {
	o := newOutside(t, "list")
	path := o.env("VENUEKEY_HOME") + "/vault.db"
	if err := os.MkdirAll(o.env("VENUEKEY_HOME"), 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 400 {
		if _, err := store.Put(t.Context(), venuekey.Record{Key: fmt.Sprintf("token/ttp/user%03d", i), Text: strings.Repeat("x", 500)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	// The second half of the file is lost.
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt(make([]byte, info.Size()/2), info.Size()/2); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"list"}, {"logout", "*"}, {"refresh", "ttp/*"}} {
		again := newOutside(t, args...)
		again.environ = o.environ
		if code := run(t.Context(), again.host); code != exitFailed || !strings.Contains(again.err.String(), "restore it from a backup") {
			t.Errorf("%s: exit code %d\n%s%s", args, code, again.out, again.err)
		}
	}
}
