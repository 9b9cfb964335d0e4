package main

import (
	"regexp"
	"strings"
	"testing"
)

// backup_test.go owns what sealing a backup costs whoever guesses.

// The scripts seal their backups more cheaply. The header of an age file says how
// often scrypt hashed: two to that power.
func TestABackupCostsAsMuchToGuessAsAgeAsksFor(t *testing.T) {
	t.Parallel()
	o := newOutside(t, "key", "export", "-")
	o.environ = append(o.environ, "VENUEKEY_BACKUP_PASSPHRASE=correct horse battery staple")
	made := newOutside(t, "init")
	made.environ = o.environ
	if code := run(t.Context(), made.host); code != exitGood {
		t.Fatal(code, made.err)
	}
	if code := run(t.Context(), o.host); code != exitGood {
		t.Fatal(code, o.err)
	}
	if header := strings.SplitN(o.out.String(), "\n", 3); len(header) < 3 || !regexp.MustCompile(`^-> scrypt \S+ 18$`).MatchString(header[1]) {
		t.Errorf("the header is %.80q", header)
	}
}
