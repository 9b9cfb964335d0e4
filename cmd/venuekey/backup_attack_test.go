package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
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

// endless gives line after line of a backup.
type endless struct {
	line []byte
	at   int
	n    int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.at == 0 {
		e.n++
	}
	line := fmt.Appendf(nil, string(e.line), e.n)
	n := copy(p, line[e.at:])
	e.at = (e.at + n) % len(line)
	return n, nil
}

// A backup that does not end is refused when it is larger than any vault.
func TestAttackABackupWithoutEnd(t *testing.T) {
	was := mostOfBackup
	mostOfBackup = 1 << 20
	defer func() { mostOfBackup = was }()
	lines := &endless{line: []byte(strings.Replace(tokenOfBackup, "alice", "user%d", 1))}
	_, err := readBackup(io.MultiReader(strings.NewReader(headOfBackup), lines))
	if err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("%v, want that it is too large", err)
	}
	var full bytes.Buffer
	w, err := newBackupWriter(&full, time.Now())
	for i := 0; err == nil; i++ {
		err = w.signIn(signIn{ID: venuekey.ID{Venue: "ttp", Name: fmt.Sprint("user", i)}, Token: venuekey.Token{Access: "a", Expires: time.Now()}})
	}
	if !strings.Contains(err.Error(), "is larger than") || int64(full.Len()) > mostOfBackup {
		t.Errorf("%v, want an export that nobody can import to be refused", err)
	}
}

// What takes little room in a file takes much in memory: each entry counts.
func TestAttackABackupOfNothingButEntries(t *testing.T) {
	was := mostOfBackup
	mostOfBackup = 8 << 20
	defer func() { mostOfBackup = was }()
	for what, line := range map[string]string{
		"lines":  `{"app":{"venue":"v%d"}}` + "\n",
		"scopes": `{"app":{"venue":"v%d","scopes":["` + strings.Repeat(`","`, 200_000) + `"]}}` + "\n",
	} {
		text := io.MultiReader(strings.NewReader(headOfBackup), io.LimitReader(&endless{line: []byte(line)}, mostOfBackup/2))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readBackup(text)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "too many entries") {
			t.Errorf("%s: %v", what, err)
		}
		if took := int64(after.TotalAlloc - before.TotalAlloc); took > 6*mostOfBackup {
			t.Errorf("%s: %d MiB were taken for a backup of %d MiB at most", what, took>>20, mostOfBackup>>20)
		}
	}
}

// A backup cannot bring a count from which nobody can count on: what is imported
// is exported and read again, however high its numbers are.
func TestAttackABackupThatCountsTooFar(t *testing.T) {
	for _, number := range []string{"9007199254740992", "9007199254740993", "9223372036854775807", "-1", "281474976710657"} {
		for _, field := range []string{`"generation":7`, `"attempt":7,"generation":7`} {
			text := headOfBackup + strings.Replace(tokenOfBackup, `"generation":7`, strings.Replace(field, "7", number, 1), 1) + `{"end":{"apps":0,"tokens":1}}`
			if _, err := readBackup(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "line 2 of the backup counts wrong") {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
	p := &program{host: newOutside(t).host}
	v := &vault{Vault: &venuekey.Vault{Store: &memory.Store{}}}
	v.keeper = &venuekey.Keeper{Vault: v.Vault, Venues: venues()}
	read, err := readBackup(strings.NewReader(headOfBackup + strings.Replace(tokenOfBackup, ":7", fmt.Sprint(":", int64(mostGenerations)), 1) + `{"end":{"apps":0,"tokens":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // each time it counts on
		s := read.SignIns[0]
		if _, _, err := p.importSignIn(t.Context(), v, s, true); err != nil {
			t.Fatal(err)
		}
		record, err := v.Store.Get(t.Context(), "token/ttp/alice")
		if err != nil {
			t.Fatal(err)
		}
		token, err := v.Open(record)
		if err != nil {
			t.Fatal(err)
		}
		if read, err = readBackup(bytes.NewReader(written(t, backup{SignIns: []signIn{{ID: s.ID, Token: token, Record: record}}}))); err != nil {
			t.Fatalf("generation %d: what was exported cannot be read: %v", record.Generation, err)
		}
	}
}

// A renewal that began in the future was not; its intent would forgive a second
// presentation for ever.
func TestAttackABackupWithAnIntentOfTheFuture(t *testing.T) {
	text := headOfBackup + strings.Replace(tokenOfBackup, `"generation"`, `"intent_at":"2999-01-02T03:04:05Z","generation"`, 1)
	if _, err := readBackup(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "line 2 of the backup tells of a renewal in the future") {
		t.Error(err)
	}
}
