package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/sqlite"
	"github.com/venuekey/venuekey/venue/ctrader"
)

// BenchmarkColdStart times whole processes: "venuekey token" with a fresh token
// in SQLite and the key in a file, the same through an agent, and its peer, a Go
// program that only prints a constant. See make bench.
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
	environ := []string{"VENUEKEY_HOME=" + home, "VENUEKEY_KEY=file", "HOME=" + dir}
	keeper := exec.Command(ours, "agent")
	keeper.Env = environ
	if err := keeper.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = keeper.Process.Signal(os.Interrupt); _ = keeper.Wait() }()
	for socket := filepath.Join(home, "agent"); ; time.Sleep(time.Millisecond) { // until it serves
		if list, _ := filepath.Glob(filepath.Join(socket, "*.sock")); len(list) > 0 {
			break
		}
	}
	mode := "off"
	start := func(path string, args ...string) time.Duration {
		command := exec.Command(path, args...)
		command.Env = append(slices.Clone(environ), "VENUEKEY_AGENT="+mode)
		begun := time.Now()
		if err := command.Run(); err != nil {
			b.Fatal(err)
		}
		return time.Since(begun)
	}
	// What was just linked is still on its way to the disk.
	for range 20 {
		start(peer)
		start(ours, "token", "ctrader/alice")
	}
	// In turn, and medians: a machine's mood lasts longer than a start.
	var constants, tokens, asked []time.Duration
	for b.Loop() {
		mode = "off"
		constants, tokens = append(constants, start(peer)), append(tokens, start(ours, "token", "ctrader/alice"))
		mode = "require"
		asked = append(asked, start(ours, "token", "ctrader/alice"))
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Nanoseconds())
	}
	b.ReportMetric(median(constants), "constant-ns")
	b.ReportMetric(median(tokens), "venuekey-ns")
	b.ReportMetric(median(asked), "agent-ns")
}

// freshSignIn makes a vault with one good token.
func freshSignIn(b testing.TB, home string) {
	b.Helper()
	ctx := context.Background()
	if err := os.MkdirAll(home, 0o700); err != nil {
		b.Fatal(err)
	}
	sealing, _, err := key.Config{Dir: home}.Create(ctx, key.ChoiceFile)
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
	keeper := &venuekey.Keeper{Vault: &venuekey.Vault{Store: store, Key: sealing}, Venues: []venuekey.Venue{ctrader.Venue{}}}
	defer keeper.Close()
	kept := venuekey.Snapshot{ID: venuekey.ID{Venue: "ctrader", Name: "alice"}, Token: token, Generation: 1}
	if _, err := keeper.Restore(ctx, kept, false); err != nil {
		b.Fatal(err)
	}
}
