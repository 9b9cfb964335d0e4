package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/internal/pgtest"
	"github.com/venuekey/venuekey/store/storetest"
)

// server is shared by all tests; each has a database of its own.
var server pgtest.Server

func reopen(ctx context.Context, place string) (venuekey.Store, error) { return Open(ctx, place) }

func TestMain(m *testing.M) {
	storetest.Child(reopen)
	if job := os.Getenv(benchVariable); job != "" {
		if err := other(job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// The tests mostly wait for the server, and for time to pass.
	needs.Overlap()
	server.Flushes = flag.Lookup("test.bench").Value.String() != "" // figures are of a server as it is used
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		server.Stop()
		os.Exit(code)
	}))
}

// heavy is whether what takes long is run as well: make torture does.
func heavy() bool { return os.Getenv("VENUEKEY_HEAVY") != "" }

// The contract, however statements are run and whatever lies in between: behind a
// transaction pooler, which is the hardest, and the other ways with the heavy
// tests.
func TestStore(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name    string
		address func(t *testing.T) string
	}{
		{"direct", func(t *testing.T) string { return server.Database(t) }},
		{"session pooler", func(t *testing.T) string { return server.Pooler(t, server.Database(t), "session") }},
		{"transaction pooler", func(t *testing.T) string { return server.Pooler(t, server.Database(t), "transaction") }},
		{"nothing prepared", func(t *testing.T) string { return server.Database(t) + " default_query_exec_mode=exec" }},
		{"bytes in place of UTF-8", func(t *testing.T) string {
			return server.DatabaseAs(t, "ENCODING SQL_ASCII TEMPLATE template0")
		}},
		{"serializable", func(t *testing.T) string {
			return server.Database(t) + " default_transaction_isolation=serializable"
		}},
	} {
		if !heavy() && way.name != "direct" && way.name != "transaction pooler" {
			continue
		}
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			address := way.address(t)
			storetest.Run(t, func(t *testing.T) venuekey.Store { return openEmpty(t, address) })
		})
	}
}

func TestProcesses(t *testing.T) {
	needs.Time(t, "processes share a pooler")
	t.Parallel()
	for _, mode := range []string{"", "session", "transaction"} {
		if !heavy() && mode == "session" {
			continue
		}
		t.Run("pooler "+mode, func(t *testing.T) {
			t.Parallel()
			storetest.RunProcesses(t, storetest.Processes{Open: reopen, Told: time.Second, Place: func(t *testing.T) string {
				if mode == "" {
					return server.Database(t)
				}
				return server.Pooler(t, server.Database(t), mode)
			}})
		})
	}
}

// openEmpty opens the database with nothing in it.
func openEmpty(t testing.TB, address string) *Store {
	t.Helper()
	server.SQL(t, address, `DROP SCHEMA IF EXISTS venuekey CASCADE`)
	return openVault(t, address)
}

func openVault(t testing.TB, address string) *Store {
	t.Helper()
	store, err := Open(t.Context(), address)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// aLease outlasts any test.
const aLease = time.Hour

// fill opens the vault, sees to it that it has n records that are due, of 2 KiB,
// and closes it.
func fill(t testing.TB, address string, n int) {
	t.Helper()
	store := openVault(t, address)
	for i := range n {
		record := venuekey.Record{Key: fmt.Sprint("k", i), NextRefresh: time.Now().Add(-time.Hour), Sealed: make([]byte, 2048)}
		if _, err := store.Put(t.Context(), record); err != nil && !errors.Is(err, venuekey.ErrConflict) {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// dump is everything in the schema venuekey: what lies there and what is in it.
func dump(t testing.TB, address string) string {
	t.Helper()
	tables := server.SQL(t, address, `SELECT c.relname, c.relkind, c.relfilenode, c.xmin, string_agg(a::text, ' ' ORDER BY attnum) FROM pg_class c
		LEFT JOIN pg_attribute a ON attrelid = c.oid WHERE relnamespace = 'venuekey'::regnamespace GROUP BY c.oid ORDER BY 1`)
	return tables + "\n" + server.SQL(t, address, `SELECT query_to_xml('SELECT * FROM venuekey.' || relname || ' ORDER BY 1', true, false, '')
		FROM pg_class WHERE relnamespace = 'venuekey'::regnamespace AND relkind IN ('r', 'S') ORDER BY relname`)
}

func keysOf(t testing.TB, store *Store) (keys []string) {
	t.Helper()
	records, err := store.List(t.Context(), "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		keys = append(keys, record.Key)
	}
	return keys
}

// noise is a text that does not compress.
func noise(n int) string {
	var text strings.Builder
	for text.Len() < n {
		text.WriteString(rand.Text())
	}
	return text.String()[:n]
}
