package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// watch_test.go owns what a watch makes of connections that break, of writers
// that die before they announce, and of poolers.

// quickTick is a tick for tests that wait for some.
const quickTick = 60 * time.Millisecond

// told watches until the test ends and gives what it is told. It returns when
// the watch has begun.
func told(t *testing.T, store *Store) <-chan string {
	t.Helper()
	store.tick = quickTick
	ctx, cancel := context.WithCancel(context.Background())
	keys, ended := make(chan string, 10_000), make(chan error, 1)
	go func() { ended <- store.Watch(ctx, func(key string) { keys <- key }) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	hears(t, keys, "")
	return keys
}

// hears waits for one of the keys.
func hears(t *testing.T, told <-chan string, keys ...string) {
	t.Helper()
	var heard []string
	for late := time.After(20 * time.Second); ; {
		select {
		case key := <-told:
			if slices.Contains(keys, key) {
				return
			}
			heard = append(heard, key)
		case <-late:
			t.Fatalf("watch told of %q, want one of %q", heard, keys)
		}
	}
}

// quiet waits until nothing more is said, because what began in a hurry may be
// told of twice.
func quiet(told <-chan string) {
	for {
		select {
		case <-told:
		case <-time.After(5 * quickTick):
			return
		}
	}
}

func mustPut(t testing.TB, store *Store, record venuekey.Record) venuekey.Record {
	t.Helper()
	version, err := store.Put(t.Context(), record)
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	record.Version = version
	return record
}

// listeners counts the connections that wait for notifications.
const listeners = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'watcher' AND state = 'idle' AND query LIKE '%pg_current_snapshot%'`

// A watch outlives its connection, its server's crash, and what was written
// while it heard nothing.
func TestWatchOutlives(t *testing.T) {
	needs.Time(t, "connections die in real time")
	address := server.Database(t)
	writer := openVault(t, address)
	record := mustPut(t, writer, venuekey.Record{Key: "k"})
	keys := told(t, openVault(t, address+" application_name=watcher"))
	for name, interrupt := range map[string]func(){
		"its backend is ended": func() {
			server.SQL(t, address, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'watcher'`)
		},
		"the server crashes": func() { server.Restart(t, "immediate") },
		"the server is away": func() {
			server.Halt(t, "fast")
			server.Resume(t)
		},
	} {
		interrupt()
		// Whether the watch has noticed yet, or not, or is back already.
		record = mustPut(t, writer, record)
		hears(t, keys, "", "k")
		// It has to be one that came after the write; so once more, when it is back.
		quiet(keys)
		record = mustPut(t, writer, record)
		hears(t, keys, "k")
		if t.Failed() {
			t.Fatalf("when %s", name)
		}
	}
	if got := server.SQL(t, address, listeners); got != "1" {
		t.Errorf("connections that listen: %s, want one", got)
	}
}

// A write that was not announced is noticed by its version.
func TestWatchOfTheDead(t *testing.T) {
	needs.Time(t, "a dead connection is noticed in real time")
	t.Parallel()
	address := server.Database(t)
	store := openVault(t, address)
	record := mustPut(t, store, venuekey.Record{Key: "k"})
	keys := told(t, store)
	quiet(keys)
	for what, dead := range map[string]string{
		"a writer that died after its commit": `UPDATE venuekey.record SET version = nextval('venuekey.version'), reason = 'dead'`,
		"a restored sequence":                 `SELECT setval('venuekey.version', 1, false)`,
	} {
		server.SQL(t, address, dead)
		hears(t, keys, "")
		quiet(keys)
		_ = what
	}
	// A transaction that takes long is told of when it has ended, not before.
	slow, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close(context.Background())
	if _, err := slow.Exec(t.Context(), `BEGIN; UPDATE venuekey.record SET version = nextval('venuekey.version') + 100`, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	quiet(keys)
	for range 3 {
		mustPut(t, store, venuekey.Record{Key: fmt.Sprint("other", record.Version)})
		record.Version++
		quiet(keys)
	}
	if _, err := slow.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	hears(t, keys, "")
}

// In the ordinary course nothing is told that did not happen.
func TestWatchIsQuiet(t *testing.T) { // not in parallel: transactions of the other tests are a reason to look
	address := server.Database(t)
	store, writer := openVault(t, address), openVault(t, address)
	keys := told(t, store)
	quiet(keys)
	record := venuekey.Record{Key: "k", NextRefresh: time.Now().Add(-time.Hour)}
	for range 20 {
		record = mustPut(t, writer, record)
		hears(t, keys, "k")
	}
	claimed, err := writer.Claim(t.Context(), "", "a", aLease, 10)
	if err != nil || len(claimed) != 1 {
		t.Fatal(len(claimed), err)
	}
	hears(t, keys, "k")
	if _, err := writer.Put(t.Context(), record); err == nil { // a conflict
		t.Error("put of an old version: no error")
	}
	if _, err := writer.Put(t.Context(), venuekey.Record{Key: "k"}); err == nil {
		t.Error("creation of what is there: no error")
	}
	if err := writer.Delete(t.Context(), "k", claimed[0].Version); err != nil {
		t.Fatal(err)
	}
	hears(t, keys, "k")
	select {
	case key := <-keys:
		t.Errorf("watch told of %q, and nothing was written", key)
	case <-time.After(8 * quickTick):
	}
}

// Behind a pooler in transaction mode a watch leaves no listener behind, which
// the pooler would get notifications for.
func TestPoolerIsLeftClean(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	through := server.Pooler(t, address, "transaction")
	store := openVault(t, through)
	keys := told(t, store)
	record := mustPut(t, store, venuekey.Record{Key: "k"})
	hears(t, keys, "")
	for range 5 {
		record = mustPut(t, store, record)
	}
	conn, err := pgx.Connect(t.Context(), through)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for range 20 {
		var channels int
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_listening_channels()`, pgx.QueryExecModeSimpleProtocol).Scan(&channels); err != nil {
			t.Fatal(err)
		}
		if channels > 0 {
			t.Fatalf("a connection of the pooler still listens")
		}
	}
	for key := range drained(keys) {
		if key != "" {
			t.Errorf("watch named %q, which it cannot have heard", key)
		}
	}
}

func drained(keys <-chan string) map[string]bool {
	found := map[string]bool{}
	for {
		select {
		case key := <-keys:
			found[key] = true
		default:
			return found
		}
	}
}

func TestLedger(t *testing.T) {
	for name, test := range map[string]struct {
		begin reading
		steps []any // versions heard (int), and readings
		want  []bool
	}{
		"nothing happens":            {reading{7, 9, 9}, []any{reading{7, 9, 0}, reading{7, 9, 0}, reading{7, 9, 0}}, []bool{false, false, false}},
		"all is heard":               {reading{7, 9, 9}, []any{8, 9, reading{9, 11, 11}, 10, reading{10, 12, 12}, reading{10, 12, 0}, reading{10, 12, 0}}, []bool{false, false, false, false}},
		"heard after it was taken":   {reading{7, 9, 9}, []any{reading{8, 9, 10}, reading{8, 10, 0}, 8, reading{8, 10, 0}, reading{8, 10, 0}}, []bool{false, false, false, false}},
		"never heard":                {reading{7, 9, 9}, []any{reading{8, 10, 10}, reading{8, 10, 0}, reading{8, 10, 0}, reading{8, 10, 0}}, []bool{false, false, true, false}},
		"one of three not heard":     {reading{7, 9, 9}, []any{8, 10, reading{10, 12, 12}, reading{10, 12, 0}, reading{10, 12, 0}, reading{10, 12, 0}}, []bool{false, false, true, false}},
		"a slow transaction":         {reading{7, 9, 9}, []any{reading{8, 9, 10}, reading{8, 9, 0}, reading{8, 9, 0}, reading{8, 10, 0}, reading{8, 10, 0}, reading{8, 10, 0}}, []bool{false, false, false, false, true, false}},
		"begun in the middle of one": {reading{7, 8, 9}, []any{reading{7, 8, 0}, reading{7, 9, 0}, reading{7, 9, 0}, reading{7, 9, 0}}, []bool{false, false, true, false}},
		"slow, and others after it":  {reading{7, 9, 9}, []any{reading{8, 9, 10}, 9, reading{9, 9, 12}, 10, reading{10, 9, 14}, 8, reading{10, 14, 0}, reading{10, 14, 0}, reading{10, 14, 0}, reading{10, 14, 0}}, []bool{false, false, false, false, false, false, false}},
		"a sequence set back":        {reading{7, 9, 9}, []any{reading{3, 9, 9}, reading{3, 9, 0}, reading{3, 9, 0}, reading{3, 9, 0}}, []bool{true, false, false, false}},
		"heard of the past":          {reading{7, 9, 9}, []any{3, 7, reading{8, 9, 9}, reading{8, 9, 0}, reading{8, 9, 0}}, []bool{false, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			var l ledger
			var got []bool
			l.begin(test.begin)
			for _, step := range test.steps {
				switch step := step.(type) {
				case int:
					l.hear(int64(step))
				case reading:
					got = append(got, l.judge(step))
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("missed: %v, want %v", got, test.want)
			}
			if len(l.heard) > 0 || len(l.marks) > 2 {
				t.Errorf("ledger keeps %d versions and %d marks", len(l.heard), len(l.marks))
			}
		})
	}
}

func TestAnnouncements(t *testing.T) {
	w := whisperFrom(make([]byte, secretSize))
	var changes []change
	for i := range 1000 {
		changes = append(changes, change{int64(i), "token/" + strings.Repeat("k", i%255)})
	}
	changes = append(changes, change{7, "a key with spaces"}, change{8, ""})
	var got []change
	for _, text := range linesOf(changes) {
		payload := w.seal(text)
		if len(payload) >= 7950 { // PostgreSQL takes less than 8000
			t.Errorf("payload of %d bytes", len(payload))
		}
		opened, ours := w.open(payload)
		if !ours {
			t.Fatal("payload does not open")
		}
		got = append(got, changesIn(opened)...)
	}
	if !slices.Equal(got, changes) {
		t.Error("changes do not come back from payloads")
	}
	for _, odd := range []string{"two\nlines", strings.Repeat("k", 9000)} {
		if got := changesIn(linesOf([]change{{5, odd}})[0]); !slices.Equal(got, []change{{5, ""}}) {
			t.Errorf("change of a key that is no line: %v, want one of everything", got)
		}
	}
	other := whisperFrom([]byte(strings.Repeat("x", secretSize)))
	if _, ours := other.open(w.seal("1 k\n")); ours || other.channel == w.channel {
		t.Error("two schemas understand each other")
	}
}

// A ledger and an ear that are full keep nothing more, and everything is looked
// at instead.
func TestFullLedgerLooksAtEverything(t *testing.T) {
	e := ear{whisper: whisperFrom(make([]byte, secretSize))}
	e.account.begin(reading{0, 9, 9})
	hear := func(from, to int64) {
		var changes []change
		for version := from; version < to; version++ {
			changes = append(changes, change{version, fmt.Sprint("k", version)})
		}
		for _, text := range linesOf(changes) {
			e.hear(nil, &pgconn.Notification{Payload: e.whisper.seal(text)})
		}
	}
	hear(1, earMost)
	hear(1, earMost) // repeated announcements
	if keys := e.take(); len(keys) != earMost-1 || slices.Contains(keys, "") {
		t.Errorf("ear keeps %d keys, want each once", len(keys))
	}
	hear(2, 2+3*heardMost)
	if len(e.account.heard) > heardMost || len(e.keys) > earMost || !slices.Contains(e.keys, "") {
		t.Errorf("ledger keeps %d versions and the ear %d keys", len(e.account.heard), len(e.keys))
	}
	last := int64(1 + 3*heardMost)
	e.account.judge(reading{last, 9, 20}) // a transaction runs that may have written one of those
	for range 3 {
		if e.account.judge(reading{last, 10, 0}) {
			t.Error("everything is looked at before the transactions have ended")
		}
	}
	e.account.judge(reading{last, 20, 0})
	if !e.account.judge(reading{last, 20, 0}) {
		t.Error("what a full ledger forgot is not looked at")
	}
	if e.account.judge(reading{last, 20, 0}) {
		t.Error("it is looked at twice")
	}
}

func FuzzChangesIn(f *testing.F) {
	f.Add("12 token/ctrader/alice\n13 token/ctrader/bob\n")
	f.Add("")
	f.Add("x y\n9223372036854775808 k\n-1 ")
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range changesIn(text) {
			if strings.Contains(c.key, "\n") || len(c.key) > len(text) {
				t.Errorf("%q names %q", text, c.key)
			}
		}
	})
}

// Nothing that was not sealed with the schema's key is opened, and nothing of it
// is kept.
func FuzzForeignAnnouncement(f *testing.F) {
	mine := whisperFrom(make([]byte, secretSize))
	f.Add("12 token/ctrader/alice\n", "")
	f.Add("", whisperFrom([]byte("other")).seal("1 k\n"))
	f.Fuzz(func(t *testing.T, text, payload string) {
		if opened, ours := mine.open(mine.seal(text)); !ours || opened != text {
			t.Errorf("%q comes back as %q", text, opened)
		}
		e := ear{whisper: mine}
		e.account.begin(reading{})
		e.hear(nil, &pgconn.Notification{Payload: payload})
		if len(e.keys) > 0 || len(e.account.heard) > 0 {
			t.Errorf("%q is taken for ours", payload)
		}
	})
}

// What is announced while the first reading is under way is no reason to fall over.
func TestAnAnnouncementBeforeTheFirstReading(t *testing.T) {
	var account ledger
	if account.hear(7) {
		t.Error("it is news, although everything is about to be looked at")
	}
	account.begin(reading{last: 7})
	if !account.hear(8) {
		t.Error("what comes after it is none")
	}
}
