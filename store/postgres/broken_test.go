package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// broken_test.go owns what becomes of calls when connections break, servers
// crash, and another program holds a lock.

// warm opens a store whose statements are prepared, so that the next answer is
// that of the call itself.
func warm(t *testing.T, address string) (*Store, venuekey.Record) {
	t.Helper()
	store := openVault(t, address+" pool_max_conns=1")
	record := venuekey.Record{Key: "k", NextRefresh: time.Now().Add(time.Hour)}
	var err error
	for range 2 {
		if record.Version, err = store.Put(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Claim(t.Context(), "", "warm", aLease, 1); err != nil {
			t.Fatal(err)
		}
	}
	other, err := store.Put(t.Context(), venuekey.Record{Key: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(t.Context(), "other", other); err != nil {
		t.Fatal(err)
	}
	store.told.finish() // announcements would be swallowed first
	return store, record
}

// once swallows one answer and lets everything pass after it.
func (w *wire) once() {
	w.set(true, false)
	w.running.Go(func() {
		<-w.swallowed
		w.set(false, false)
	})
}

// A put whose answer is lost is found, and reported as what it is.
func TestLostAnswerToPut(t *testing.T) {
	t.Parallel()
	w, address := newWire(t, server.Database(t))
	store, record := warm(t, address)
	for i := range 5 {
		record.Generation, record.Text = int64(i+1), "mine"
		w.once()
		version, err := store.Put(t.Context(), record)
		if err != nil || version <= record.Version {
			t.Fatalf("put whose answer was lost: version %d after %d, %v", version, record.Version, err)
		}
		got, err := store.Get(t.Context(), "k")
		if err != nil || got.Version != version || got.Generation != record.Generation {
			t.Fatalf("get: generation %d at version %d, want %d at %d (%v)", got.Generation, got.Version, record.Generation, version, err)
		}
		record.Version = version
	}
	w.once()
	version, err := store.Put(t.Context(), venuekey.Record{Key: "new", Text: "mine"})
	if got, lost := store.Get(t.Context(), "new"); err != nil || lost != nil || got.Version != version {
		t.Errorf("creation whose answer was lost: version %d, %v; stored is %d, %v", version, err, got.Version, lost)
	}
}

// A put whose answer is lost and that lost the race too is a conflict.
func TestLostAnswerToConflict(t *testing.T) {
	t.Parallel()
	plain := server.Database(t)
	w, address := newWire(t, plain)
	store, record := warm(t, address)
	if _, err := openVault(t, plain).Put(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	w.once()
	if _, err := store.Put(t.Context(), record); !errors.Is(err, venuekey.ErrConflict) {
		t.Errorf("put of an old version whose answer was lost: %v, want a conflict", err)
	}
	w.once()
	if err := store.Delete(t.Context(), "k", record.Version); !errors.Is(err, venuekey.ErrConflict) {
		t.Errorf("delete of an old version whose answer was lost: %v, want a conflict", err)
	}
}

func TestLostAnswerToOthers(t *testing.T) {
	t.Parallel()
	w, address := newWire(t, server.Database(t))
	store, record := warm(t, address)
	w.once()
	if got, err := store.Get(t.Context(), "k"); err != nil || got.Version != record.Version {
		t.Errorf("get whose answer was lost: version %d, %v", got.Version, err)
	}
	w.once()
	if got, err := store.List(t.Context(), "", "", 10); err != nil || len(got) != 1 {
		t.Errorf("list whose answer was lost: %d records, %v", len(got), err)
	}
	record.NextRefresh = time.Now().Add(-time.Hour)
	var err error
	if record.Version, err = store.Put(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	store.told.finish()
	w.once()
	_, err = store.Claim(t.Context(), "", "a", aLease, 1)
	says(t, err, venuekey.ClassUnknown, "did not say whether it wrote", "read the record")
	if got, err := store.Get(t.Context(), "k"); err != nil || got.LeaseOwner != "a" || !got.Leased() {
		t.Errorf("record whose claim's answer was lost is leased to %q (%v), want a", got.LeaseOwner, err)
	} else {
		record.Version = got.Version
	}
	w.once()
	if err := store.Delete(t.Context(), "k", record.Version); err != nil {
		t.Errorf("delete whose answer was lost: %v", err)
	}
	if _, err := store.Get(t.Context(), "k"); !errors.Is(err, venuekey.ErrNotFound) {
		t.Errorf("get of the deleted: %v", err)
	}
}

// When the server stays away nobody knows, and nothing else is said. Whoever
// puts again finds out.
func TestLostForGood(t *testing.T) {
	needs.Time(t, "a connection is given up in real time")
	t.Parallel()
	w, address := newWire(t, server.Database(t))
	store, record := warm(t, address)
	w.set(true, false)
	w.running.Go(func() {
		<-w.swallowed
		w.set(false, true)
	})
	record.Text = "mine"
	_, err := store.Put(t.Context(), record)
	says(t, err, venuekey.ClassUnknown, "did not say whether it wrote", "read the record")
	_, err = store.Get(t.Context(), "k")
	if venuekey.ClassOf(err) != venuekey.ClassNotSent {
		t.Errorf("get without a server: %v", err)
	}
	w.set(false, false)
	if _, err := store.Put(t.Context(), record); !errors.Is(err, venuekey.ErrConflict) {
		t.Errorf("the same put again: %v, want a conflict", err)
	}
	if got, err := store.Get(t.Context(), "k"); err != nil || got.Text != "mine" {
		t.Errorf("get: %q, want what was put (%v)", got.Text, err)
	}
}

// blocked runs a call that waits for a lock on the record, ends the server's
// side of it meanwhile, and lets the lock go.
func blocked(t *testing.T, address, meanwhile string, call func(*Store)) {
	t.Helper()
	store := openVault(t, address+" application_name=victim pool_max_conns=1")
	if _, err := store.Get(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	holder, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.Background())
	if _, err := holder.Exec(t.Context(), "BEGIN; "+meanwhile, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { call(store) })
	for server.SQL(t, address, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = 'victim' AND wait_event_type = 'Lock'`) == "0" {
	}
	if _, err := holder.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// A backend that is ended in the middle of a write has not written, and the
// write is made on another.
func TestBackendEnded(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	record := venuekey.Record{Key: "k"}
	var err error
	if record.Version, err = openVault(t, address).Put(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	blocked(t, address, `SELECT FROM venuekey.record FOR UPDATE`, func(store *Store) {
		record.Text = "mine"
		version, err := store.Put(t.Context(), record)
		if err != nil || version <= record.Version {
			t.Errorf("put whose backend was ended: version %d after %d, %v", version, record.Version, err)
		}
		if got, err := store.Get(t.Context(), "k"); err != nil || got.Version != version || got.Text != "mine" {
			t.Errorf("get: %q at version %d, want mine at %d (%v)", got.Text, got.Version, version, err)
		}
		record.Version = version
	})
	blocked(t, address, `UPDATE venuekey.record SET version = nextval('venuekey.version'), reason = 'theirs'`, func(store *Store) {
		if _, err := store.Put(t.Context(), record); !errors.Is(err, venuekey.ErrConflict) {
			t.Errorf("put whose backend was ended, and which lost: %v, want a conflict", err)
		}
		if got, err := store.Get(t.Context(), "k"); err != nil || got.Text != "theirs" {
			t.Errorf("get: %q, want theirs (%v)", got.Text, err)
		}
	})
}

// Whoever waits for a lock, or for a connection, stops when the context ends,
// and leaves nothing behind.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	address := server.Database(t)
	store := openVault(t, address+" pool_max_conns=1 application_name=victim")
	held, err := store.Put(t.Context(), venuekey.Record{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	holder, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.Background())
	if _, err := holder.Exec(t.Context(), `BEGIN; SELECT FROM venuekey.record FOR UPDATE`, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for range 3 { // one has the connection, the others wait for it
		wg.Go(func() {
			begun := time.Now()
			_, err := store.Put(ctx, venuekey.Record{Key: "k", Version: held, Text: "late"})
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > callTimeout/2 {
				t.Errorf("put while the record is locked: %v after %v, want that the time is over", err, time.Since(begun))
			}
		})
	}
	wg.Wait()
	// The server is told to give up, too, and does so in its own time.
	for server.SQL(t, address, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND wait_event_type = 'Lock'`) != "0" {
	}
	if _, err := holder.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), venuekey.Record{Key: "k", Version: held}); err != nil {
		t.Errorf("put when the lock is gone: %v", err)
	}
}

// A server that crashes under load loses nothing that was acknowledged, no write
// succeeds twice, and everything goes on when it is back.
func TestCrashes(t *testing.T) {
	const writers = 8
	address := server.Database(t)
	store := openVault(t, address)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	acknowledged := make([]venuekey.Record, writers)
	progress := make(chan int, 1000)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			writeOn(ctx, t, store, fmt.Sprint("k", i), func(record venuekey.Record) {
				acknowledged[i] = record
				select {
				case progress <- i:
				default:
				}
			})
		})
	}
	everybody := func() {
		for seen := map[int]bool{}; len(seen) < writers; {
			select {
			case i := <-progress:
				seen[i] = true
			case <-time.After(30 * time.Second):
				t.Fatal("writers do not go on")
			}
		}
	}
	for range 2 {
		everybody()
		server.Restart(t, "immediate")
		for len(progress) > 0 {
			<-progress
		}
	}
	everybody()
	server.SQL(t, address, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'venuekey'`)
	everybody()
	cancel()
	wg.Wait()
	for _, want := range acknowledged {
		got, err := openVault(t, address).Get(t.Context(), want.Key)
		if err != nil || got.Generation < want.Generation || got.Version < want.Version {
			t.Errorf("record %q: generation %d at version %d, but %d at %d was acknowledged (%v)", want.Key, got.Generation, got.Version, want.Generation, want.Version, err)
		}
	}
}

// writeOn writes one record after another under a key until the context ends, and calls
// done for each that was acknowledged.
func writeOn(ctx context.Context, t *testing.T, store venuekey.Store, key string, done func(venuekey.Record)) {
	record := venuekey.Record{Key: key}
	for ctx.Err() == nil {
		record.Generation++
		record.Text = strconv.FormatInt(record.Generation, 10)
		version, err := store.Put(t.Context(), record)
		switch {
		case err == nil:
			record.Version = version
			done(record)
		case errors.Is(err, venuekey.ErrConflict):
			// Only after an answer that stayed lost; then it is our own.
			got, err := store.Get(t.Context(), record.Key)
			if err == nil && got.Generation != record.Generation && got.Generation != record.Generation-1 {
				t.Errorf("record %q: generation %d is stored, and %d was to be written", record.Key, got.Generation, record.Generation)
				return
			}
			if err == nil {
				record = got
			} else {
				record.Generation--
			}
		default:
			if class := venuekey.ClassOf(err); class != venuekey.ClassUnknown && class != venuekey.ClassNotSent {
				t.Errorf("put: %v (%v)", err, class)
			}
			record.Generation--
		}
	}
}

// While the server is away calls fail at once, and a store that was open before
// works when it is back.
func TestServerAway(t *testing.T) {
	address := server.Database(t)
	store, record := warm(t, address)
	server.Halt(t, "fast")
	_, put := store.Put(t.Context(), record)
	_, get := store.Get(t.Context(), "k")
	_, list := store.List(t.Context(), "", "", 1)
	_, claim := store.Claim(t.Context(), "", "a", aLease, 1)
	_, again := Open(t.Context(), address)
	server.Resume(t)
	for call, err := range map[string]error{"put": put, "get": get, "list": list, "claim": claim, "open": again} {
		if class := venuekey.ClassOf(err); err == nil || class != venuekey.ClassNotSent && class != venuekey.ClassUnknown {
			t.Errorf("%s without a server: %v (%v)", call, err, class)
		}
	}
	if _, err := store.Put(t.Context(), record); err != nil {
		t.Errorf("put when the server is back: %v", err)
	}
}
