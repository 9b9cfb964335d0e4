package postgres

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/internal/pgtest"
)

// failover_test.go owns a server that is the primary, then only reads, and then
// is the primary again.

func TestAFailover(t *testing.T) {
	needs.Time(t, "a server fails over")
	t.Parallel()
	own := pgtest.Start(t)
	address := own.Database(t)
	fill(t, address, 3)
	before := openVault(t, address)
	record, err := before.Get(t.Context(), "k0")
	if err != nil {
		t.Fatal(err)
	}

	own.Demote(t)
	for name, store := range map[string]*Store{"open all the time": before, "opened meanwhile": openVault(t, address)} {
		if held, err := store.Get(t.Context(), "k0"); err != nil || held.Version != record.Version {
			t.Errorf("%s: version %d, %v", name, held.Version, err)
		}
		if keys := keysOf(t, store); len(keys) != 3 {
			t.Errorf("%s: %q", name, keys)
		}
		_, put := store.Put(t.Context(), record)
		_, claim := store.Claim(t.Context(), "", "a", aLease, 1)
		for _, err := range []error{put, claim, store.Delete(t.Context(), "k0", record.Version)} {
			says(t, err, venuekey.ClassLater, "is read-only", "failover")
			if !venuekey.Temporary(err) {
				t.Errorf("%s: %v is not temporary", name, err)
			}
		}
	}
	// The error is the same if the address asks for a primary and there is none.
	_, err = Open(t.Context(), address+" target_session_attrs=read-write")
	says(t, err, venuekey.ClassLater, "is read-only", "target_session_attrs")

	own.Promote(t)
	deadline := time.Now().Add(time.Minute)
	for {
		version, err := before.Put(t.Context(), record)
		if err == nil && version > record.Version {
			return
		}
		if !venuekey.Temporary(err) || time.Now().After(deadline) {
			t.Fatalf("after the failover: %v", err)
		}
	}
}

// Two servers in one address, of which the first was the primary: a Store that
// is open goes over to the other one with the very next write.
func TestAWriteFindsTheNewPrimary(t *testing.T) {
	needs.Time(t, "two servers fail over")
	t.Parallel()
	old, next := pgtest.Start(t), pgtest.Start(t)
	first, second := old.Database(t), next.Database(t)
	fill(t, first, 1)
	fill(t, second, 1)
	hosts := []string{strings.TrimPrefix(strings.Fields(first)[0], "host="), strings.TrimPrefix(strings.Fields(second)[0], "host=")}
	store := openVault(t, "host="+strings.Join(hosts, ",")+" user=postgres dbname=test1 target_session_attrs=read-write")
	if _, err := store.Put(t.Context(), venuekey.Record{Key: "here"}); err != nil {
		t.Fatal(err)
	}
	// The connection stays as it is, as behind a proxy, and only reads from now on.
	onlyReads := func(value string) {
		old.SQL(t, first, `ALTER SYSTEM SET default_transaction_read_only = `+value)
		old.SQL(t, first, `SELECT pg_reload_conf()`)
		for deadline := time.Now().Add(time.Minute); old.SQL(t, first, `SHOW default_transaction_read_only`) != value; {
			if time.Now().After(deadline) {
				t.Fatal("the server does not take its new setting")
			}
		}
	}
	onlyReads("on")
	defer onlyReads("off")
	if _, err := store.Put(t.Context(), venuekey.Record{Key: "there"}); err != nil {
		t.Fatalf("the first write: %v", err)
	}
	if _, err := openVault(t, second).Get(t.Context(), "there"); errors.Is(err, venuekey.ErrNotFound) || err != nil {
		t.Errorf("it is not at the new primary: %v", err)
	}
}
