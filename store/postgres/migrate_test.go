package postgres

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// migrate_test.go owns how the schema comes into being and grows, whoever else
// does the same at that moment.

// future has another step.
var future = append(slices.Clone(migrations), `
	ALTER TABLE $schema.record ADD COLUMN tenant text NOT NULL DEFAULT '';
	SELECT pg_sleep(0.05);`)

func TestMigrate(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	for _, test := range []struct {
		steps    []string
		from, to int
	}{{migrations[:1], 0, 1}, {migrations, 1, 2}, {migrations, 2, 2}, {future, 2, 3}, {future, 3, 3}} {
		from, to, err := migrate(t.Context(), address, test.steps)
		if err != nil || from != test.from || to != test.to {
			t.Errorf("migrate: from %d to %d, %v; want from %d to %d", from, to, err, test.from, test.to)
		}
	}
	_, _, err := Migrate(t.Context(), address)
	says(t, err, venuekey.ClassMisconfigured, "of a newer venuekey (version 3; this one knows 2)", "update this program")
	if from, to, err := Migrate(t.Context(), server.Database(t)); from != 0 || to != len(migrations) || err != nil {
		t.Errorf("migrate of an empty database: from %d to %d, %v", from, to, err)
	}
}

// An older or newer schema is not touched by Open, and nothing in it is lost.
func TestOtherVersions(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	fill(t, address, 3)
	before := dump(t, address)
	_, err := open(t.Context(), address, future)
	says(t, err, venuekey.ClassMisconfigured, "of an older venuekey (version 2; this one needs 3)", "then migrate it")
	if after := dump(t, address); after != before {
		t.Errorf("schema was changed by opening it:\n%s\nwas\n%s", after, before)
	}
	if _, _, err := migrate(t.Context(), address, future); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), address)
	says(t, err, venuekey.ClassMisconfigured, "of a newer venuekey (version 3; this one knows 2)", "update this program")
	store, err := open(t.Context(), address, future)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if keys := keysOf(t, store); len(keys) != 3 {
		t.Errorf("list after the migration: %q, want three keys", keys)
	}
}

// Many starters at once agree on one schema, and each step is taken once.
func TestStartersRace(t *testing.T) {
	needs.Time(t, "programs race in real time")
	t.Parallel()
	const starters = 20
	address := server.Database(t) + " pool_max_conns=2"
	for _, round := range []struct {
		steps    []string
		from, to int
	}{{migrations, 0, 2}, {future, 2, 3}} {
		var mu sync.Mutex
		made := map[int]int{}
		var wg sync.WaitGroup
		for range starters {
			wg.Go(func() {
				from, to, err := migrate(t.Context(), address, round.steps)
				if err != nil || to != round.to {
					t.Errorf("migrate: from %d to %d, %v", from, to, err)
				}
				mu.Lock()
				made[from]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if made[round.from] != 1 || made[round.to] != starters-1 {
			t.Errorf("starters found the versions %v, want one %d and %d times %d", made, round.from, starters-1, round.to)
		}
	}
}

// Opening an empty database is such a start.
func TestFirstStarts(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"", "transaction"} {
		address := server.Database(t)
		if mode != "" {
			address = server.Pooler(t, address, mode)
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				store, err := Open(t.Context(), address)
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				defer store.Close()
				if _, err := store.Put(t.Context(), venuekey.Record{Key: fmt.Sprint("k", i)}); err != nil {
					t.Errorf("put: %v", err)
				}
			})
		}
		wg.Wait()
		if keys := keysOf(t, openVault(t, address)); len(keys) != 20 {
			t.Errorf("list: %q, want 20 keys", keys)
		}
	}
}

// A step that fails leaves nothing behind, neither of itself nor of those
// before it.
func TestStepFails(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	broken := append(slices.Clone(future), `CREATE TABLE $schema.third (n int); SELECT 1/0`)
	if _, _, err := migrate(t.Context(), address, broken); err == nil || !strings.Contains(err.Error(), "division by zero") {
		t.Errorf("migrate: %v, want the step's error", err)
	}
	if got := server.SQL(t, address, `SELECT count(*) FROM pg_namespace WHERE nspname = 'venuekey'`); got != "0" {
		t.Error("schema is there although a step failed")
	}
	fill(t, address, 2)
	before := dump(t, address)
	if _, _, err := migrate(t.Context(), address, broken); err == nil {
		t.Error("migrate: no error")
	}
	if after := dump(t, address); after != before {
		t.Errorf("schema was changed by a step that failed:\n%s\nwas\n%s", after, before)
	}
	fill(t, address, 3)
}

// Two vaults in one database know nothing of each other.
func TestSchemas(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	for _, name := range []string{"one", "user", "_2"} { // user is a word of SQL
		store := openVault(t, address+" schema="+name)
		if version, err := store.Put(t.Context(), venuekey.Record{Key: name}); err != nil || version != 1 {
			t.Errorf("put in schema %s: version %d, %v", name, version, err)
		}
		if keys := keysOf(t, store); !slices.Equal(keys, []string{name}) {
			t.Errorf("list in schema %s: %q", name, keys)
		}
		if claimed, err := store.Claim(t.Context(), "", "a", aLease, 1); err != nil || len(claimed) > 0 {
			t.Errorf("claim in schema %s: %d records, %v", name, len(claimed), err)
		}
	}
}
