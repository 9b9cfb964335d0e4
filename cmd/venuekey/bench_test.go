package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/sqlite"
)

// BenchmarkColdStart times whole processes: "venuekey token" with a fresh token
// in SQLite and the key in a file, and its peer, a Go program that only prints a
// constant. See make bench.
func BenchmarkColdStart(b *testing.B) {
	dir := b.TempDir()
	home := filepath.Join(dir, "home")
	freshSignIn(b, home)
	constant := filepath.Join(dir, "constant.go")
	if err := os.WriteFile(constant, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"constant\") }\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	ours, peer := filepath.Join(dir, "venuekey"), filepath.Join(dir, "constant")
	for _, build := range [][]string{{"-o", ours, "."}, {"-o", peer, constant}} {
		command := exec.Command("go", append([]string{"build"}, build...)...)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := command.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, output)
		}
	}
	start := func(b *testing.B, path string, args ...string) {
		command := exec.Command(path, args...)
		command.Env = []string{"VENUEKEY_HOME=" + home, "VENUEKEY_KEY=file", "HOME=" + dir}
		if err := command.Run(); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("constant", func(b *testing.B) {
		for range b.N {
			start(b, peer)
		}
	})
	b.Run("venuekey", func(b *testing.B) {
		for range b.N {
			start(b, ours, "token", "ctrader/alice")
		}
	})
}

// freshSignIn makes a vault with one good token.
func freshSignIn(b *testing.B, home string) {
	b.Helper()
	ctx := context.Background()
	if err := os.MkdirAll(home, 0o700); err != nil {
		b.Fatal(err)
	}
	sealing, _, err := key.Config{Dir: home}.Create(ctx, key.InFile)
	if err != nil {
		b.Fatal(err)
	}
	store, err := sqlite.Open(ctx, filepath.Join(home, "vault.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	now := time.Now()
	token := venuekey.Token{Access: "access", Refresh: "refresh", Issued: now, Expires: now.Add(24 * time.Hour)}
	record := venuekey.Record{Key: "token/ctrader/alice", Generation: 1, NextRefresh: now.Add(20 * time.Hour)}
	if _, err := (&venuekey.Vault{Store: store, Key: sealing}).Save(ctx, record, token); err != nil {
		b.Fatal(err)
	}
}
