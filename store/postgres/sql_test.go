package postgres

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// sql_test.go owns what is promised of single statements: what they read, that
// they are flushed, and that of many that race one wins; and how the way to the
// server is protected.

// stock makes n records of the given size in one statement of the server's.
// Their keys and due times are in no order.
func stock(t testing.TB, address string, n, size int) {
	t.Helper()
	server.SQL(t, address, fmt.Sprintf(`INSERT INTO venuekey.record (%s, receipt, digest, due)
		SELECT *, ('x' || encode(substring(sha256(sealed) FOR 8), 'hex'))::bit(64)::bigint, next_refresh FROM (
		SELECT 'token/ctrader/' || md5(i::text), nextval('venuekey.version'), 1, clock_timestamp() - random() * interval '1 hour' AS next_refresh,
			'', NULL::timestamptz, 0, NULL::timestamptz, '', 0, '', decode(repeat(md5(i::text), %d), 'hex') AS sealed, i FROM generate_series(1, %d) i)
		AS fresh`, columns, size/16, n))
}

// No statement reads more than it returns, however little the planner knows: it
// knows nothing of a new table, nor of the values in a prepared statement.
func TestPlans(t *testing.T) {
	needs.Time(t, "a table is filled for its plans")
	t.Parallel()
	address := server.Database(t)
	store := openVault(t, address)
	stock(t, address, 20_000, 64)
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			server.SQL(t, address, `VACUUM ANALYZE venuekey.record`)
		}
		for name, statement := range map[string]struct {
			sql, types, values, index string
		}{
			"get":    {store.sql.get, "text", "'k'", "record_pkey"},
			"page":   {limited(store.sql.page, 10), "text, text, text", "'token/', 'token0', ''", "record_pkey"},
			"update": {store.sql.update, "text, bigint, timestamptz, text, timestamptz, bigint, timestamptz, text, bigint, text, bytea, bigint, bigint, bigint", "'k', 1, NULL, '', NULL::timestamptz, 0, NULL::timestamptz, '', 0, '', '', 0, 0, 1", "record_pkey"},
			"remove": {store.sql.remove, "text, bigint", "'k', 1", "record_pkey"},
			"claim":  {limited(store.sql.claim, 10), "text, text, text, bigint, bigint", "'token/', 'token0', 'a', 1, 1", "due"},
		} {
			for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
				plan := server.SQL(t, address, fmt.Sprintf(`SET plan_cache_mode = %s; PREPARE it (%s) AS %s; EXPLAIN EXECUTE it (%s)`,
					mode, statement.types, statement.sql, statement.values))
				if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") || !strings.Contains(plan, "Index Scan using "+statement.index+" on record") {
					t.Errorf("plan of %s (%s, analyzed: %v) is not a walk along %s:\n%s", name, mode, analyzed, statement.index, plan)
				}
			}
		}
	}
}

// Leased records stand behind what is due, and are not walked over.
func TestLeasedRecordsMoveBack(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	store := openVault(t, address)
	stock(t, address, 5000, 64)
	for claimed := 0; claimed < 4500; claimed += 500 {
		if got, err := store.Claim(t.Context(), "token/", "a", aLease, 500); err != nil || len(got) != 500 {
			t.Fatalf("claim: %d records, %v", len(got), err)
		}
	}
	server.SQL(t, address, `VACUUM venuekey.record`)
	plan := server.SQL(t, address, fmt.Sprintf(`PREPARE it (text, text, text, bigint, bigint) AS %s;
		EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE it ('token/', 'token0', 'b', 1000000, 1)`, limited(store.sql.claim, 10)))
	if strings.Contains(plan, "Rows Removed") || !strings.Contains(plan, "Index Scan using due on record record_1 (actual rows=10 loops=1)") {
		t.Errorf("claim walked over records that are leased:\n%s", plan)
	}
}

// An intent neither moves a record among the due nor copies its seal, and a claim
// passes it over all the same until the lease is over. A commit does both.
func TestAnIntentLeavesTheRecordInItsPlace(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	store := openVault(t, address)
	aside := strings.TrimSpace(server.SQL(t, address, `SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'venuekey.record'::regclass`))
	// look tells where the seal lies, if the record is due when it is to be renewed
	// and the digest is right.
	look := func() string {
		t.Helper()
		return server.SQL(t, address, `SELECT DISTINCT chunk_id FROM `+aside+`, venuekey.record
			WHERE due = next_refresh AND digest = ('x' || encode(substring(sha256(sealed) FOR 8), 'hex'))::bit(64)::bigint`)
	}
	record := mustPut(t, store, venuekey.Record{Key: "k", Sealed: []byte(noise(4000)), NextRefresh: time.Now().Add(-time.Hour)})
	first := look()
	record.LeaseOwner, record.LeaseUntil, record.IntentAt = "a", time.Now().Add(time.Hour), time.Now()
	record = mustPut(t, store, record)
	if now := look(); first == "" || now != first {
		t.Errorf("an intent moved or copied: seal %q, then %q", first, now)
	}
	if got, err := store.Claim(t.Context(), "", "b", aLease, 10); err != nil || len(got) != 0 {
		t.Errorf("claimed %d records that are leased, %v", len(got), err)
	}
	record.LeaseOwner, record.LeaseUntil, record.IntentAt = "", time.Time{}, time.Time{}
	record.Generation, record.Sealed, record.NextRefresh = record.Generation+1, []byte("new"+noise(4000)), time.Now().Add(time.Hour)
	mustPut(t, store, record)
	if now := look(); now == "" || now == first {
		t.Errorf("a commit did not move and write: seal %q, then %q", first, now)
	}
	if got, err := store.Get(t.Context(), "k"); err != nil || !bytes.Equal(got.Sealed, record.Sealed) {
		t.Errorf("after a commit another seal is read, %v", err)
	}
}

// What is acknowledged was flushed, though the server's settings would not.
func TestWritesAreFlushed(t *testing.T) {
	t.Parallel()
	store := openVault(t, server.Database(t)+" synchronous_commit=off")
	record := mustPut(t, store, venuekey.Record{Key: "k", NextRefresh: time.Now().Add(-time.Hour)})
	var setting string
	if err := store.pool.QueryRow(t.Context(), `SHOW synchronous_commit`).Scan(&setting); err != nil || setting != "on" {
		t.Errorf("a connection of our own has synchronous_commit=%s, %v", setting, err)
	}
	// What is lent by a pooler is not set once.
	if _, err := store.pool.Exec(t.Context(), `SET synchronous_commit = off`); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]struct {
		sql  string
		args []any
	}{
		"create": {store.sql.create, append(row(venuekey.Record{Key: "new"}), int64(1))},
		"update": {store.sql.update, append(row(record), int64(1), record.Version)},
		"remove": {store.sql.remove, []any{"k", record.Version}},
		"claim":  {limited(store.sql.claim, 1), []any{"", beyond, "a", int64(1), int64(1)}},
	} {
		err := pgx.BeginFunc(t.Context(), store.pool, func(tx pgx.Tx) error {
			var setting string
			_, err := tx.Exec(t.Context(), write.sql, write.args...)
			if err == nil {
				err = tx.QueryRow(t.Context(), `SHOW synchronous_commit`).Scan(&setting)
			}
			if err != nil || setting != "on" {
				t.Errorf("%s commits with synchronous_commit=%s, %v", name, setting, err)
			}
			return errors.New("undo it")
		})
		if err == nil {
			t.Errorf("%s: was not undone", name)
		}
	}
}

// One of 64 that race for a record wins, every time: with the version, as the
// Keeper claims one, and with Claim.
func TestOneWinner(t *testing.T) {
	t.Parallel()
	const racers, rounds = 64, 30
	store := openVault(t, server.Database(t)+" pool_max_conns=64")
	record := mustPut(t, store, venuekey.Record{Key: "k", NextRefresh: time.Now().Add(-time.Hour)})
	for round := range rounds {
		var puts, claims atomic.Int64
		everybody(racers, func(i int) {
			mine := record
			mine.LeaseOwner, mine.Text = fmt.Sprint("racer ", i), fmt.Sprint(i)
			version, err := store.Put(t.Context(), mine)
			if err == nil {
				puts.Add(version)
			} else if !errors.Is(err, venuekey.ErrConflict) {
				t.Errorf("put: %v", err)
			}
		})
		got, err := store.Get(t.Context(), "k")
		if err != nil || got.Version != puts.Load() {
			t.Fatalf("round %d: version %d is stored, and the winners' add up to %d (%v)", round, got.Version, puts.Load(), err)
		}
		everybody(racers, func(i int) {
			claimed, err := store.Claim(t.Context(), "", fmt.Sprint("racer ", i), aLease, 1)
			if err != nil {
				t.Errorf("claim: %v", err)
			}
			for _, record := range claimed {
				claims.Add(record.Version)
			}
		})
		if record, err = store.Get(t.Context(), "k"); err != nil || record.Version != claims.Load() {
			t.Fatalf("round %d: version %d is stored, and the claimers' add up to %d (%v)", round, record.Version, claims.Load(), err)
		}
		record.LeaseUntil = time.Time{}
	}
}

// everybody runs n goroutines that begin together, and waits for them.
func everybody(n int, run func(i int)) {
	var begun, ended sync.WaitGroup
	begun.Add(1)
	for i := range n {
		ended.Go(func() {
			begun.Wait()
			run(i)
		})
	}
	begun.Done()
	ended.Wait()
}

// On the way to another machine the server's name is verified unless the
// address says otherwise.
func TestWayToTheServer(t *testing.T) {
	for address, want := range map[string][]string{
		"postgres://u@db.example/d":                          {"db.example verified"},
		"postgres://u@db.example/d?sslmode=prefer":           {"db.example verified"},
		"postgres://u@db.example,other.example/d":            {"db.example verified", "other.example verified"},
		"postgres://u@10.0.0.7/d":                            {"10.0.0.7 verified"},
		"postgres://u@db.example/d?sslmode=verify-full":      {"db.example verified"},
		"postgres://u@db.example/d?sslmode=require":          {"db.example encrypted"},
		"postgres://u@db.example/d?sslmode=disable":          {"db.example plain"},
		"postgres://u@localhost/d":                           {"localhost encrypted", "localhost plain"},
		"postgres://u@127.0.0.1/d":                           {"127.0.0.1 encrypted", "127.0.0.1 plain"},
		"host=/run/postgresql user=u dbname=d":               {"/run/postgresql plain"},
		"host=/run/postgresql,db.example user=u dbname=d":    {"/run/postgresql plain", "db.example verified"},
		"host=db.example,127.0.0.1,x.example user=u":         {"db.example verified", "127.0.0.1 encrypted", "127.0.0.1 plain", "x.example verified"},
		"host=db.example user=u sslmode=allow":               {"db.example plain", "db.example encrypted"},
		"host=db.example user=u sslmode=prefer schema=other": {"db.example verified"},
	} {
		config, _, err := configure(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		got := []string{wayTo(config.ConnConfig.Host, config.ConnConfig.TLSConfig)}
		for _, other := range config.ConnConfig.Fallbacks {
			got = append(got, wayTo(other.Host, other.TLSConfig))
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s goes to %q, want %q", address, got, want)
		}
	}
}

func wayTo(host string, config *tls.Config) string {
	switch {
	case config == nil:
		return host + " plain"
	case config.InsecureSkipVerify || config.ServerName != host:
		return host + " encrypted"
	}
	return host + " verified"
}

func TestDefaults(t *testing.T) {
	config, schema, err := configure("host=/run/postgresql user=u dbname=d")
	if err != nil || schema != "venuekey" || config.MaxConns != defaultConns || config.ConnConfig.ConnectTimeout != connectTimeout {
		t.Errorf("schema %q, %d connections, %v to connect (%v)", schema, config.MaxConns, config.ConnConfig.ConnectTimeout, err)
	}
	config, schema, err = configure("postgres://u@/d?host=/run/postgresql&schema=other&pool_max_conns=9&connect_timeout=3&application_name=mine")
	if err != nil || schema != "other" || config.MaxConns != 9 || config.ConnConfig.ConnectTimeout != 3*time.Second || config.ConnConfig.RuntimeParams["application_name"] != "mine" {
		t.Errorf("schema %q, %d connections, %v to connect (%v)", schema, config.MaxConns, config.ConnConfig.ConnectTimeout, err)
	}
	if _, sent := config.ConnConfig.RuntimeParams["schema"]; sent {
		t.Error("the schema is sent to the server, which does not know that parameter")
	}
}
