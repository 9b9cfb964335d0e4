package postgres

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
)

// bench_test.go owns the figures that the driver is judged by: a renewal's two
// writes against two raw ones, claims among a million records against a bare
// statement, and how soon another process is told. What takes minutes runs with VENUEKEY_HEAVY=1 only.

// sealSize is about what a token with two JWTs takes.
const sealSize = 2048

// A renewal is an intent and a commit. Its peer is what any program would have to
// do at least: two updates of a row by its key, in a table with nothing else. The
// two take turns, because a machine is not equally fast for long.
func BenchmarkIntentAndCommit(b *testing.B) {
	const records = 10_000
	address := server.Database(b) + " pool_max_conns=32"
	store := openVault(b, address)
	stock(b, address, records, sealSize)
	server.SQL(b, address, `CREATE TABLE raw (key text PRIMARY KEY, version bigint NOT NULL, sealed bytea NOT NULL);
		ALTER TABLE raw ALTER COLUMN sealed SET STORAGE EXTERNAL;
		INSERT INTO raw SELECT key, version, sealed FROM venuekey.record`)
	server.SQL(b, address, `VACUUM ANALYZE`)
	server.SQL(b, address, `CHECKPOINT`)
	vault, seals := everything(b, store), []byte(noise(sealSize+records))
	var turn atomic.Int64
	next := func() (*venuekey.Record, []byte) {
		n := turn.Add(1) % records
		return &vault[n], seals[n : n+sealSize]
	}
	ours := func() error {
		r, sealed := next()
		r.LeaseOwner, r.LeaseUntil = "owner", r.ReadAt.Add(time.Minute)
		r.Attempt, r.IntentAt = 1, r.ReadAt
		version, err := store.Put(b.Context(), *r)
		if err != nil {
			return err
		}
		r.Version, r.Generation, r.Sealed = version, r.Generation+1, sealed
		r.LeaseOwner, r.LeaseUntil, r.Attempt, r.IntentAt = "", time.Time{}, 0, time.Time{}
		r.NextRefresh = time.Now().Add(time.Hour)
		r.Version, err = store.Put(b.Context(), *r)
		return err
	}
	raw := func() error {
		r, sealed := next()
		for range 2 {
			if _, err := store.pool.Exec(b.Context(), `UPDATE raw SET version = version + 1, sealed = $2 WHERE key = $1`, r.Key, sealed); err != nil {
				return err
			}
		}
		return nil
	}
	for _, workers := range []int{1, 32} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			// Connections are made, and plans settle after five times.
			spread(b, workers, 20*workers, ours)
			spread(b, workers, 20*workers, raw)
			var took, peer time.Duration
			b.ResetTimer()
			for left := b.N; left > 0; left -= 40 * workers {
				n := min(left, 40*workers)
				took += spread(b, workers, n, ours)
				peer += spread(b, workers, n, raw)
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "venuekey-ns/op")
			b.ReportMetric(float64(peer.Nanoseconds())/float64(b.N), "raw-ns/op")
			b.ReportMetric(float64(peer)/float64(took), "of-raw-speed")
		})
	}
}

// everything is all records of a store.
func everything(b *testing.B, store *Store) (all []venuekey.Record) {
	b.Helper()
	for after := ""; ; after = all[len(all)-1].Key {
		page, err := store.List(b.Context(), "", after, 1000)
		if err != nil {
			b.Fatal(err)
		}
		if all = append(all, page...); len(page) < 1000 {
			return all
		}
	}
}

// spread runs an operation n times on so many goroutines and tells how long it
// took.
func spread(b *testing.B, workers, n int, operation func() error) time.Duration {
	b.Helper()
	var done atomic.Int64
	begun := time.Now()
	everybody(workers, func(int) {
		for done.Add(1) <= int64(n) {
			if err := operation(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	return time.Since(begun)
}

// One agent claims what is due, all of it, as the Keeper does it (16 at a time)
// and in larger steps. Its peer claims as many rows by a bare statement, from a
// table with nothing else than that takes; it is a process of its own as well, and
// the two take turns. An operation is a claim of all records by both. It tells how
// the two compare, how many were claimed a second, what the agent's memory came
// to, and how long a new process took to its first claim.
func BenchmarkClaim(b *testing.B) {
	for _, test := range []struct {
		records, limit, claimers int
	}{
		{20_000, 16, 4}, {20_000, 500, 2}, {1_000_000, 16, 4}, {1_000_000, 500, 2},
	} {
		b.Run(fmt.Sprintf("records=%d/limit=%d", test.records, test.limit), func(b *testing.B) {
			if test.records > 100_000 && os.Getenv("VENUEKEY_HEAVY") == "" {
				b.Skip("takes minutes: set VENUEKEY_HEAVY=1")
			}
			address := server.Database(b)
			openVault(b, address)
			stock(b, address, test.records, 1024)
			server.SQL(b, address, `CREATE TABLE raw (key text PRIMARY KEY, version bigint NOT NULL, due timestamptz, owner text NOT NULL, sealed bytea NOT NULL);
				INSERT INTO raw SELECT key, version, due, '', sealed FROM venuekey.record; CREATE INDEX raw_due ON raw (due)`)
			var ours, raw agent
			b.ResetTimer()
			for range b.N {
				for _, turn := range []struct {
					job, table string
					into       *agent
				}{{"claim", "venuekey.record", &ours}, {"raw", "raw", &raw}} {
					free := `UPDATE raw SET owner = '', due = now() WHERE owner <> ''`
					if turn.job == "claim" {
						free = `UPDATE venuekey.record SET lease_owner = '', lease_until = NULL, due = next_refresh WHERE lease_owner <> ''`
					}
					for _, statement := range []string{free, `VACUUM ANALYZE ` + turn.table, `CHECKPOINT`} {
						server.SQL(b, address, statement)
					}
					turn.into.work(b, fmt.Sprintf("%s %d %d %s", turn.job, test.limit, test.claimers, address))
				}
			}
			for _, done := range []agent{ours, raw} {
				if done.claimed < test.records*b.N {
					b.Errorf("claimed %d records, want %d", done.claimed, test.records*b.N)
				}
			}
			b.ReportMetric(raw.took.Seconds()/ours.took.Seconds(), "of-raw-speed")
			b.ReportMetric(float64(ours.claimed)/ours.took.Seconds(), "claims/s")
			b.ReportMetric(float64(raw.claimed)/raw.took.Seconds(), "raw-claims/s")
			b.ReportMetric(float64(ours.peak)/1024, "agent-MB")
			b.ReportMetric(float64(ours.first.Microseconds())/1000, "ms-to-first-claim")
		})
	}
}

// agent is what processes did that claim.
type agent struct {
	claimed, peak int // records, and kilobytes
	took, first   time.Duration
}

// work runs one more process, and adds what it did.
func (a *agent) work(b *testing.B, job string) {
	b.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), benchVariable+"="+job)
	process.Stderr = os.Stderr
	said, err := process.StdoutPipe()
	begun := time.Now()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if a.first == 0 {
			a.first = time.Since(begun)
		}
		var n, kilobytes int
		if _, err := fmt.Sscan(lines.Text(), &n, &kilobytes); err != nil {
			b.Fatal(lines.Text(), err)
		}
		a.claimed, a.peak = a.claimed+n, max(a.peak, kilobytes)
	}
	if err := process.Wait(); err != nil {
		b.Fatal(err)
	}
	a.took += time.Since(begun)
}

// A watch in another process is told of a write. The operation is the write and
// the word of it; the figures are of the time from the call of Put.
func BenchmarkWatch(b *testing.B) {
	address := server.Database(b)
	store := openVault(b, address)
	stock(b, address, 1000, sealSize)
	record := mustPut(b, store, venuekey.Record{Key: "k", Sealed: make([]byte, sealSize)})
	watcher := exec.CommandContext(b.Context(), os.Args[0])
	watcher.Env = append(os.Environ(), benchVariable+"=watch "+address)
	watcher.Stderr = os.Stderr
	said, err := watcher.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := watcher.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	lines.Scan() // it watches
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		record = mustPut(b, store, record)
		for want := strconv.FormatInt(record.Version, 10); lines.Scan() && lines.Text() != want; {
		}
		took = append(took, time.Since(begun))
	}
	_ = watcher.Process.Kill()
	_ = watcher.Wait() // it says that it was killed
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}

// BenchmarkOneWinner is how long a race of 64 for one record takes, of whom one
// has to win.
func BenchmarkOneWinner(b *testing.B) {
	store := openVault(b, server.Database(b)+" pool_max_conns=64")
	record := mustPut(b, store, venuekey.Record{Key: "k"})
	rounds := 0
	for b.Loop() {
		var won, winners atomic.Int64
		everybody(64, func(i int) {
			mine := record
			mine.LeaseOwner = fmt.Sprint("racer ", i)
			if version, err := store.Put(b.Context(), mine); err == nil {
				won.Store(version)
				winners.Add(1)
			}
		})
		if rounds++; winners.Load() != 1 {
			b.Fatalf("%d winners", winners.Load())
		}
		record.Version = won.Load()
	}
	b.ReportMetric(float64(rounds), "rounds")
}

// benchVariable makes a test program the other process of a benchmark.
const benchVariable = "VENUEKEY_POSTGRES_BENCH"

// other does what a benchmark started this process for.
func other(job string) error {
	ctx := context.Background()
	if address, ok := strings.CutPrefix(job, "watch "); ok {
		store, err := Open(ctx, address)
		if err != nil {
			return err
		}
		return store.Watch(ctx, func(string) {
			record, err := store.Get(ctx, "k")
			if err == nil {
				fmt.Println(record.Version)
			}
		})
	}
	var kind string
	var limit, claimers int
	if _, err := fmt.Sscanf(job, "%s %d %d", &kind, &limit, &claimers); err != nil {
		return err
	}
	store, err := Open(ctx, strings.SplitN(job, " ", 4)[3])
	if err != nil {
		return err
	}
	claim := func(limit int) (int, error) {
		got, err := store.Claim(ctx, "token/ctrader/", "agent", aLease, limit)
		return len(got), err
	}
	if kind == "raw" {
		claim = func(limit int) (int, error) { return rawClaim(ctx, store, limit) }
	}
	first, err := claim(1)
	if err != nil {
		return err
	}
	fmt.Println(first, 0)
	var claimed atomic.Int64
	failed := make(chan error, claimers)
	for range claimers {
		go func() {
			for {
				got, err := claim(limit)
				if err != nil || got == 0 {
					failed <- err
					return
				}
				claimed.Add(int64(got))
			}
		}()
	}
	for range claimers {
		if err := <-failed; err != nil {
			return err
		}
	}
	fmt.Println(claimed.Load(), peakMemory())
	return store.Close()
}

// rawClaim is the least that a claim can be: rows that are due are marked, moved
// to where they are not due, and read.
func rawClaim(ctx context.Context, store *Store, limit int) (n int, err error) {
	rows, err := store.pool.Query(ctx, `UPDATE raw SET version = version + 1, owner = $1, due = clock_timestamp() + interval '1 hour'
		WHERE key IN (SELECT key FROM raw WHERE due <= now() ORDER BY due LIMIT `+strconv.Itoa(limit)+` FOR UPDATE SKIP LOCKED)
		RETURNING key, version, due, sealed`, "agent")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var version int64
		var due time.Time
		var sealed []byte
		if err := rows.Scan(&key, &version, &due, &sealed); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

// peakMemory is the most that this process ever had in memory, in kilobytes, as
// Linux tells it.
func peakMemory() (kilobytes int) {
	status, err := os.ReadFile(filepath.Join("/proc", "self", "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes
		}
	}
	return 0
}
