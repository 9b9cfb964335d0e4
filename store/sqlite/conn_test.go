package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/venuekey/venuekey"
)

// conn_test.go owns what is promised of connections: that writes are flushed,
// that waiting ends with the context, and that queries do not walk the table.

func TestCommitsAreFlushed(t *testing.T) {
	store := openVault(t, place(t))
	err := store.write(t.Context(), func(c *conn) error {
		for _, pragma := range []struct {
			name string
			want int64
		}{{"synchronous", 2}, {"fullfsync", 1}} {
			if got, _, err := c.number("PRAGMA " + pragma.name); err != nil || got != pragma.want {
				t.Errorf("%s: %d, want %d (%v)", pragma.name, got, pragma.want, err)
			}
		}
		if got, err := c.texts("PRAGMA journal_mode"); err != nil || got[0] != "wal" {
			t.Errorf("journal_mode: %q, want wal (%v)", got, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whoever waits for a writer, in this process or in another, stops waiting when
// its context ends; readers do not wait at all.
func TestWaitingForTheLock(t *testing.T) {
	path := place(t)
	mine, other := openVault(t, path), openVault(t, path)
	held, err := mine.Put(t.Context(), venuekey.Record{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	for name, holder := range map[string]*Store{"this process": mine, "another": other} {
		err := holder.write(t.Context(), func(*conn) error {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			begun := time.Now()
			_, put := mine.Put(ctx, venuekey.Record{Key: "k", Version: held})
			_, claim := mine.Claim(ctx, "", "a", time.Minute, 1)
			for call, err := range map[string]error{"put": put, "claim": claim, "delete": mine.Delete(ctx, "k", held)} {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s while %s writes: %v, want that the time is over", call, name, err)
				}
			}
			if waited := time.Since(begun); waited > busyTimeout/2 {
				t.Errorf("calls while %s writes took %v", name, waited)
			}
			if got, err := mine.Get(t.Context(), "k"); err != nil || got.Version != held {
				t.Errorf("get while %s writes: version %d, %v", name, got.Version, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := mine.Put(t.Context(), venuekey.Record{Key: "k", Version: held}); err != nil {
		t.Errorf("put after the lock was free: %v", err)
	}
}

// A call that fails in the middle leaves no trace and no lock.
func TestAbandonedTransactions(t *testing.T) {
	store := openVault(t, place(t))
	broken := errors.New("broken")
	ctx, cancel := context.WithCancel(t.Context())
	for name, work := range map[string]func(c *conn) error{
		"an error":         func(*conn) error { return broken },
		"an ended context": func(*conn) error { cancel(); return nil },
		"a bad statement":  func(c *conn) error { return c.run(nil, "INSERT INTO nothing VALUES (1)") },
	} {
		err := store.write(ctx, func(c *conn) error {
			if _, _, err := c.number(nextVersion); err != nil {
				return err
			}
			return work(c)
		})
		if err == nil {
			t.Errorf("write with %s: no error", name)
		}
		if name == "an ended context" {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("write with %s: %v", name, err)
			}
			ctx, cancel = context.WithCancel(t.Context())
		}
	}
	cancel()
	if version, err := store.Put(t.Context(), venuekey.Record{Key: "k"}); err != nil || version != 1 {
		t.Errorf("put afterwards: version %d, want the first (%v)", version, err)
	}
}

func TestDiskFull(t *testing.T) {
	path := place(t)
	store := openVault(t, path)
	version, err := store.Put(t.Context(), venuekey.Record{Key: "k", Text: "kept"})
	if err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		if err := store.write(t.Context(), func(c *conn) error { return c.db.Exec(fmt.Sprintf("PRAGMA max_page_count=%d", pages)) }); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite takes what there is already for the least
	_, err = store.Put(t.Context(), venuekey.Record{Key: "k", Version: version, Text: "lost", Sealed: make([]byte, 1<<16)})
	says(t, err, venuekey.ClassFailed, path, "the disk is full", "free some space")
	if got, err := store.Get(t.Context(), "k"); err != nil || got.Text != "kept" || got.Version != version {
		t.Errorf("get on a full disk: %q at version %d, %v", got.Text, got.Version, err)
	}
	limit(1 << 20)
	if _, err := store.Put(t.Context(), venuekey.Record{Key: "k", Version: version, Sealed: make([]byte, 1<<16)}); err != nil {
		t.Errorf("put when there is room again: %v", err)
	}
}

// No query reads more of the file than it returns: there is no scan of the
// table and no sorting.
func TestQueryPlans(t *testing.T) {
	store := openVault(t, place(t))
	for _, test := range []struct{ sql, plan string }{
		{selectOne, "SEARCH record USING INDEX sqlite_autoindex_record_1 (key=?)"},
		{selectVersion, "SEARCH record USING INDEX sqlite_autoindex_record_1 (key=?)"},
		{selectPage, "SEARCH record USING INDEX sqlite_autoindex_record_1 (key>? AND key<?)"},
		{selectDue, "SEARCH record USING COVERING INDEX due (next_refresh<?)"},
	} {
		err := store.read(t.Context(), func(c *conn) error {
			var plan []string
			err := c.run(func(row *sqlite3.Stmt) { plan = append(plan, row.ColumnText(3)) }, "EXPLAIN QUERY PLAN "+test.sql)
			if got := strings.Join(plan, "; "); got != test.plan {
				t.Errorf("plan: %s\nwant %s", got, test.plan)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestEnd(t *testing.T) {
	for _, test := range []struct{ prefix, end string }{
		{"", "\xff"}, {"a", "b"}, {"token/", "token0"}, {"~", "\x7f"}, {"a\xff", "b"}, {"\xff\xff", "\xff"},
	} {
		if got := end(test.prefix); got != test.end {
			t.Errorf("end of %q: %q, want %q", test.prefix, got, test.end)
		}
	}
}
