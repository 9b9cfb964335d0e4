package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/internal/ptytest"
)

// backup_linux_test.go owns how a backup is made at a terminal.

func TestThePassphraseOfABackupIsAskedForTwiceAndNotShown(t *testing.T) {
	screen, keyboard := ptytest.Open(t)
	first := newOutside(t, "app", "add", "ttp", "--client-id", "x")
	first.environ = append(first.environ, "VENUEKEY_TTP_CLIENT_SECRET=y")
	if code := run(t.Context(), first.host); code != exitGood {
		t.Fatalf("it ended with %d:\n%s", code, first.err)
	}
	path := filepath.Join(t.TempDir(), "x.age")
	for _, second := range []string{"correct house", "correct horse"} {
		want := map[string]int{"correct house": exitUsage, "correct horse": exitGood}[second]
		o := newOutside(t, "backup", "export", path)
		o.environ, o.stdin = first.environ, keyboard
		ended := make(chan int)
		go func() { ended <- run(t.Context(), o.host) }()
		o.err.awaits(t, "passphrase for the backup: ")
		ptytest.AwaitEcho(t, keyboard, false)
		fmt.Fprintln(screen, "correct horse")
		o.err.awaits(t, "repeat the passphrase: ")
		ptytest.AwaitEcho(t, keyboard, false)
		fmt.Fprintln(screen, second)
		if code := <-ended; code != want || exists(path) != (want == exitGood) {
			t.Errorf("it ended with %d, and there is a file: %v\n%s", code, exists(path), o.err)
		}
		if strings.Contains(ptytest.Shown(t, screen), "horse") {
			t.Error("the terminal showed the passphrase")
		}
	}
}
