package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/venuekey/venuekey"
)

// bench_test.go owns the figures that the driver is judged by: a start, a read,
// a write, and a claim among few and among many records.

// filled is a vault of n records that are due in an hour, and one named "k".
func filled(b testing.TB, n int) *Store {
	store, err := Open(b.Context(), filepath.Join(b.TempDir(), "venuekey", "vault.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	// One transaction, because n flushes take their time.
	err = store.write(b.Context(), func(c *conn) error {
		for i := range n {
			if err := c.run(nil, upsert, fmt.Sprintf("token/%07d", i), int64(i+1), int64(1), time.Now().Add(time.Hour),
				"", time.Time{}, int64(0), time.Time{}, "", int64(0), "", make([]byte, 2048)); err != nil {
				return err
			}
		}
		return c.run(nil, `UPDATE sequence SET last = ?`, int64(n+1))
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := store.Put(b.Context(), venuekey.Record{Key: "k", Sealed: make([]byte, 2048)}); err != nil {
		b.Fatal(err)
	}
	return store
}

func BenchmarkOpenGetClose(b *testing.B) {
	path := filled(b, 100).pool.path
	for b.Loop() {
		store, err := Open(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := store.Get(b.Context(), "k"); err != nil {
			b.Fatal(err)
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	store := filled(b, 100)
	for b.Loop() {
		if _, err := store.Get(b.Context(), "k"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetParallel(b *testing.B) {
	store := filled(b, 100)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := store.Get(b.Context(), "k"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPut(b *testing.B) {
	store := filled(b, 100)
	record, err := store.Get(b.Context(), "k")
	for b.Loop() {
		if err != nil {
			b.Fatal(err)
		}
		record.NextRefresh = time.Now().Add(time.Hour)
		record.Version, err = store.Put(b.Context(), record)
	}
}

// A renewal is an intent and a commit. Its peer is what any program would have to
// do at least: two updates of a row by its key, each flushed, in a file with
// nothing else. The two take turns, because a machine is not equally fast for
// long.
func BenchmarkIntentAndCommit(b *testing.B) {
	store := filled(b, 1000)
	record, err := store.Get(b.Context(), "k")
	if err != nil {
		b.Fatal(err)
	}
	plain, err := sqlite3.Open(filepath.Join(b.TempDir(), "raw.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	if err := plain.Exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA fullfsync=1;
		CREATE TABLE raw (key TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
		INSERT INTO raw VALUES ('k', 0, zeroblob(2048))`); err != nil {
		b.Fatal(err)
	}
	update, _, err := plain.Prepare(`UPDATE raw SET version = version + 1, sealed = ? WHERE key = 'k'`)
	if err != nil {
		b.Fatal(err)
	}
	defer update.Close()
	var took, peer time.Duration
	for b.Loop() {
		begun := time.Now()
		record.LeaseOwner, record.LeaseUntil = "owner", begun.Add(time.Minute)
		record.Attempt, record.IntentAt = 1, begun
		if record.Version, err = store.Put(b.Context(), record); err != nil {
			b.Fatal(err)
		}
		record.Generation++
		record.LeaseOwner, record.LeaseUntil, record.Attempt, record.IntentAt = "", time.Time{}, 0, time.Time{}
		if record.Version, err = store.Put(b.Context(), record); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		for range 2 {
			if err := errors.Join(update.BindBlob(1, record.Sealed), update.Exec()); err != nil {
				b.Fatal(err)
			}
		}
		took, peer = took+between.Sub(begun), peer+time.Since(between)
	}
	b.ReportMetric(float64(peer)/float64(took), "of-raw-speed")
}

// BenchmarkOneWinner is how long a race of 64 for one record takes, of whom one
// has to win.
func BenchmarkOneWinner(b *testing.B) {
	store := filled(b, 10)
	record, err := store.Get(b.Context(), "k")
	if err != nil {
		b.Fatal(err)
	}
	rounds := 0
	for b.Loop() {
		var won, winners atomic.Int64
		var race sync.WaitGroup
		for i := range 64 {
			race.Go(func() {
				mine := record
				mine.LeaseOwner = fmt.Sprint("racer ", i)
				if version, err := store.Put(b.Context(), mine); err == nil {
					won.Store(version)
					winners.Add(1)
				}
			})
		}
		race.Wait()
		if rounds++; winners.Load() != 1 {
			b.Fatalf("%d winners", winners.Load())
		}
		record.Version = won.Load()
	}
	b.ReportMetric(float64(rounds), "rounds")
}

// The cost of a claim is to follow what is due, not what is stored.
func BenchmarkClaim(b *testing.B) {
	for _, stored := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("stored=%d", stored), func(b *testing.B) {
			store := filled(b, stored)
			for i := range 10 {
				if _, err := store.Put(b.Context(), venuekey.Record{Key: fmt.Sprint("due/", i), NextRefresh: time.Now()}); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				// A lease of no length is over at once, so they are due again.
				got, err := store.Claim(b.Context(), "", "a", time.Nanosecond, 10)
				if err != nil || len(got) != 10 {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}
