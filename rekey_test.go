package venuekey_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// The stories of rotated keys: who follows, what is still opened, and what a
// program that knows too little is told.

var oldKey, newKey = venuekey.SealKey{1, 2, 3}, venuekey.SealKey{4, 5, 6}

// knows makes a Keeper's vault know both keys as soon as it asks.
func knows(keeper *venuekey.Keeper, keys ...venuekey.SealKey) *venuekey.Keeper {
	keeper.Vault.Reload = func() ([]venuekey.SealKey, error) { return keys, nil }
	return keeper
}

// rotator is the vault of a program that rotates the keys.
func rotator(store venuekey.Store) *venuekey.Vault {
	return &venuekey.Vault{Store: store, Key: oldKey, Keys: []venuekey.SealKey{oldKey, newKey}}
}

// sealedWith counts records by the key that they are sealed with.
func sealedWith(t *testing.T, store venuekey.Store) map[string]int {
	t.Helper()
	records, err := store.List(t.Context(), "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, record := range records {
		if len(record.Sealed) > 0 {
			found[record.KeyID()]++
		}
	}
	return found
}

func onlyNew(t *testing.T, store venuekey.Store) {
	t.Helper()
	if found := sealedWith(t, store); len(found) != 1 || found[newKey.ID()] == 0 {
		t.Fatalf("sealed with %v", found)
	}
}

func TestKeysAreRotatedWhileProgramsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory.Store{}
		venues := make([]*keepertest.Venue, 6)
		keepers := make([]*venuekey.Keeper, len(venues))
		for i := range venues {
			venues[i] = &keepertest.Venue{After: func(context.Context) error { time.Sleep(30 * time.Millisecond); return nil }}
			keepers[i] = knows(keepertest.New(t, store, venues[i]), oldKey, newKey)
			if _, err := keepers[i].SignIn(t.Context(), venuekey.ID{Venue: "stage", Name: fmt.Sprint("user", i)}, keepertest.NoUI{}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		var running sync.WaitGroup
		for i, keeper := range keepers {
			running.Go(func() {
				for id := (venuekey.ID{Venue: "stage", Name: fmt.Sprint("user", i)}); ctx.Err() == nil; time.Sleep(7 * time.Millisecond) {
					if _, err := keeper.Refresh(t.Context(), id); err != nil {
						t.Errorf("%v: %v", id, err)
						return
					}
				}
			})
		}
		time.Sleep(500 * time.Millisecond)
		done, err := rotator(store).Rekey(t.Context(), nil)
		if err != nil || done.Waiting != 0 || done.Damaged != 0 {
			t.Fatalf("%+v %v", done, err)
		}
		running.Wait()
		onlyNew(t, store)
		for _, venue := range venues {
			if most, total := venue.Shown(); most != 1 || total < 20 {
				t.Fatalf("%d presentations, one token up to %d times", total, most)
			}
		}
	})
}

func TestARotationThatWasInterruptedGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory.Store{}
		venue := &keepertest.Venue{}
		for i := range 10 {
			keeper := keepertest.New(t, store, venue)
			if _, err := keeper.SignIn(t.Context(), venuekey.ID{Venue: "stage", Name: fmt.Sprint("user", i)}, keepertest.NoUI{}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, interrupt := context.WithCancel(t.Context())
		_, err := rotator(store).Rekey(ctx, func(done venuekey.Rekeyed) {
			if done.Sealed == 4 {
				interrupt()
			}
		})
		// The memory store does not look at contexts, so it may come to its end.
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		// In between, everything opens for who knows both, by whichever is current.
		for _, current := range []venuekey.SealKey{oldKey, newKey} {
			vault := &venuekey.Vault{Store: store, Key: current, Keys: []venuekey.SealKey{oldKey, newKey}}
			for record, err := range vault.Records(t.Context()) {
				if err == nil {
					_, err = vault.Open(record)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		again, err := rotator(store).Rekey(t.Context(), nil)
		if err != nil || again.Sealed+again.Current != 10 {
			t.Fatalf("%+v %v", again, err)
		}
		onlyNew(t, store)
	})
}

// What is new is sealed with the new key also by a program that has read
// nothing since, and one that does not have the new key is told so.
func TestWhatIsNewFollowsTheRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		knows(keeper, oldKey, newKey)
		if _, err := rotator(store).Rekey(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if err := keeper.Vault.SaveApp(t.Context(), venuekey.App{Venue: "stage", ClientID: "x"}); err != nil {
			t.Fatal(err)
		}
		if _, err := keeper.SignIn(t.Context(), venuekey.ID{Venue: "stage", Name: "bob"}, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		onlyNew(t, store)

		left := keepertest.New(t, store, venue)
		err := left.Vault.SaveApp(t.Context(), venuekey.App{Venue: "other", ClientID: "x"})
		if err == nil || venuekey.ClassOf(err) != venuekey.ClassDamaged || !strings.Contains(err.Error(), newKey.ID()) {
			t.Fatalf("a program without the new key: %v", err)
		}
		if _, err := left.Token(t.Context(), keepertest.Alice); err == nil || !strings.Contains(err.Error(), "another key") {
			t.Fatalf("a program without the new key: %v", err)
		}
		onlyNew(t, store)
	})
}

// A program that was given its keys once serves what it has while that lives, and
// says what is wrong: not that the store is silent, but that keys were rotated.
func TestAProgramThatCannotFollowIsToldOfTheRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		follows, store := keepertest.SignedIn(t, venue)
		knows(follows, oldKey, newKey)
		var log bytes.Buffer
		left := keepertest.New(t, store, venue)
		left.Log = slog.New(slog.NewTextHandler(&log, nil))
		keepertest.WantToken(t, left, "access-1")

		if _, err := rotator(store).Rekey(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := follows.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		keepertest.WantToken(t, left, "access-1")
		if told := log.String(); !strings.Contains(told, "keys were rotated") || strings.Contains(told, "does not answer") {
			t.Errorf("the log says: %s", told)
		}

		time.Sleep(keepertest.Life)
		_, err := left.Token(t.Context(), keepertest.Alice)
		var told *venuekey.Error
		if !errors.As(err, &told) || told.Class != venuekey.ClassDamaged || !strings.Contains(told.Reason, newKey.ID()) || !strings.Contains(told.Remedy, "restart this program") {
			t.Fatalf("after its end: %+v", told)
		}
		left.Vault.Reload = func() ([]venuekey.SealKey, error) { return []venuekey.SealKey{oldKey}, nil }
		if _, err := left.Token(t.Context(), keepertest.Alice); !errors.As(err, &told) || !strings.Contains(told.Remedy, "venuekey key export") {
			t.Fatalf("on a machine that the new key was not brought to: %+v", told)
		}
	})
}

// A spill that was written under the old key is saved by a program that seals
// with the new one.
func TestASpillOutlivesARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills = []string{filepath.Join(t.TempDir(), "spill")}
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		store.Refuse(nil)
		time.Sleep(5 * time.Minute) // the lease ends, and the one who held it is gone
		if _, err := rotator(store).Rekey(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		next := keepertest.New(t, store, venue)
		next.Vault.Key, next.Vault.Keys, next.Spills = newKey, []venuekey.SealKey{oldKey, newKey}, keeper.Spills
		keepertest.WantToken(t, next, "access-2")
		if files := keepertest.Spills(t, keeper.Spills[0]); len(files) != 0 {
			t.Fatal(files)
		}
		if done, err := rotator(store).Rekey(t.Context(), nil); err != nil || done.Sealed != 1 {
			t.Fatalf("%+v %v", done, err)
		}
		onlyNew(t, store)
		keepertest.WantToken(t, next, "access-2")
	})
}
