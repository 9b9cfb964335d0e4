package backup

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// attack_test.go owns backups that somebody made to be opened here.

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
	const most = 1 << 20
	lines := &endless{line: []byte(strings.Replace(tokenOfBackup, "alice", "user%d", 1))}
	_, err := read(io.MultiReader(strings.NewReader(headOfBackup), lines), most)
	if err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("%v, want that it is too large", err)
	}
	var full bytes.Buffer
	w, err := newWriter(&full, time.Now(), most)
	for i := 0; err == nil; i++ {
		err = w.signIn(venuekey.Snapshot{ID: venuekey.ID{Venue: "ttp", Name: fmt.Sprint("user", i)}, Token: venuekey.Token{Access: "a", Expires: time.Now()}})
	}
	if !strings.Contains(err.Error(), "is larger than") || full.Len() > most {
		t.Errorf("%v, want an export that nobody can import to be refused", err)
	}
}

// What takes little room in a file takes much in memory: each entry counts.
func TestAttackABackupOfNothingButEntries(t *testing.T) {
	const most = 8 << 20
	for what, line := range map[string]string{
		"lines":  `{"app":{"venue":"v%d"}}` + "\n",
		"scopes": `{"app":{"venue":"v%d","scopes":["` + strings.Repeat(`","`, 200_000) + `"]}}` + "\n",
	} {
		text := io.MultiReader(strings.NewReader(headOfBackup), io.LimitReader(&endless{line: []byte(line)}, most/2))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := read(text, most)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "too many entries") {
			t.Errorf("%s: %v", what, err)
		}
		if took := int64(after.TotalAlloc - before.TotalAlloc); took > 6*most {
			t.Errorf("%s: %d MiB were taken for a backup of %d MiB at most", what, took>>20, most>>20)
		}
	}
}

// A backup cannot bring a count from which nobody can count on: what is imported
// is exported and read again, however high its numbers are.
func TestAttackABackupThatCountsTooFar(t *testing.T) {
	for _, number := range []string{"9007199254740992", "9007199254740993", "9223372036854775807", "-1", "281474976710657"} {
		for _, field := range []string{`"generation":7`, `"attempt":7,"generation":7`} {
			text := headOfBackup + strings.Replace(tokenOfBackup, `"generation":7`, strings.Replace(field, "7", number, 1), 1) + `{"end":{"apps":0,"tokens":1}}`
			if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "line 2 of the backup has an invalid count") {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
	keeper := emptyKeeper()
	b, err := Read(strings.NewReader(headOfBackup + strings.Replace(tokenOfBackup, ":7", fmt.Sprint(":", int64(mostGenerations)), 1) + `{"end":{"apps":0,"tokens":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // each time it counts on
		if err := b.Import(t.Context(), keeper, Options{Replace: true}); err != nil {
			t.Fatal(err)
		}
		b.SignIns = nil
		for s, err := range keeper.Snapshots(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			b.SignIns = append(b.SignIns, s)
		}
		generation := b.SignIns[0].Generation
		if b, err = Read(bytes.NewReader(written(t, b))); err != nil {
			t.Fatalf("generation %d: what was exported cannot be read: %v", generation, err)
		}
	}
}

// A renewal that began in the future was not; its intent would forgive a second
// presentation for ever.
func TestAttackABackupWithAnIntentOfTheFuture(t *testing.T) {
	text := headOfBackup + strings.Replace(tokenOfBackup, `"generation"`, `"intent_at":"2999-01-02T03:04:05Z","generation"`, 1)
	if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "line 2 of the backup has a renewal in the future") {
		t.Error(err)
	}
}
