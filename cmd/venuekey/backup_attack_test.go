package main

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// backup_attack_test.go owns backups that somebody made to be opened here.

// The head of a file says how much work its passphrase takes, and whoever made it
// said so. It is refused before any of the work, and before the passphrase is asked
// for.
func TestAttackABackupThatTakesAllMemoryToOpen(t *testing.T) {
	salt, body := make([]byte, 16), make([]byte, 32)
	file := "age-encryption.org/v1\n-> scrypt " + base64.RawStdEncoding.EncodeToString(salt) + " %d\n" +
		base64.RawStdEncoding.EncodeToString(body) + "\n--- " + base64.RawStdEncoding.EncodeToString(body) + "\n"
	for _, args := range [][]string{{"backup", "import", "-"}, {"key", "import", "-"}} {
		for _, work := range []int{20, 22, 30} {
			o := newOutside(t, args...)
			o.stdin = strings.NewReader(fmt.Sprintf(file, work))
			o.environ = append(o.environ, "VENUEKEY_BACKUP_PASSPHRASE=correct horse battery staple")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			code := run(t.Context(), o.host)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
				t.Errorf("%s with work factor %d took %d MiB", args, work, took>>20)
			}
			if said := fmt.Sprint(o.out, o.err); code == exitGood || !strings.Contains(said, fmt.Sprintf("work factor %d", work)) {
				t.Errorf("%s with work factor %d: %d %s", args, work, code, said)
			}
		}
	}
}
