package main

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/sqlite"
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
	now := time.Now()
	for i := range 2000 {
		token := venuekey.Token{Access: "access", Refresh: "refresh", Issued: now, Expires: now.Add(24 * time.Hour), Scopes: []string{"trading"}, User: "u"}
		record := venuekey.Record{Key: fmt.Sprintf("token/ctrader/user-%04d", i), Generation: 1, NextRefresh: now.Add(20 * time.Hour)}
		if _, err := vault.Save(b.Context(), record, token); err != nil {
			b.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h := host{args: []string{"status"}, environ: []string{"VENUEKEY_HOME=" + home}, stdout: io.Discard, stderr: io.Discard}
		if code := run(b.Context(), h); code != exitGood {
			b.Fatal(code)
		}
	}
}
