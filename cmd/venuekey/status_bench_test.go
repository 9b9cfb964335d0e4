package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/sqlite"
	"github.com/venuekey/venuekey/venue/ctrader"
)

// status_bench_test.go owns how long "venuekey status" takes in a full vault.

// BenchmarkStatusOfAll is the status of 2,000 sign-ins, without the start of a
// process.
func BenchmarkStatusOfAll(b *testing.B) {
	home := filepath.Join(b.TempDir(), "home")
	keys := key.Config{Dir: home}
	if _, _, err := keys.Create(b.Context(), key.ChoiceFile); err != nil {
		b.Fatal(err)
	}
	store, err := sqlite.Open(b.Context(), filepath.Join(home, "vault.db"))
	if err != nil {
		b.Fatal(err)
	}
	vault, _, err := keys.Vault(b.Context(), store)
	if err != nil {
		b.Fatal(err)
	}
	keeper := &venuekey.Keeper{Vault: vault, Venues: []venuekey.Venue{ctrader.Venue{}}}
	now := time.Now()
	for i := range 2000 {
		token := venuekey.Token{Access: "access", Refresh: "refresh", Issued: now, Expires: now.Add(24 * time.Hour), Scopes: []string{"trading"}, User: "u"}
		id := venuekey.ID{Venue: "ctrader", Name: fmt.Sprintf("user-%04d", i)}
		if _, err := keeper.Restore(b.Context(), venuekey.Snapshot{ID: id, Token: token, Generation: 1}, false); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(keeper.Close(), store.Close()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h := host{args: []string{"status"}, environ: []string{"VENUEKEY_HOME=" + home}, stdout: io.Discard, stderr: io.Discard}
		if code := run(b.Context(), h); code != exitGood {
			b.Fatal(code)
		}
	}
}
