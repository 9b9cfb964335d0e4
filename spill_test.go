package venuekey_test

import (
	"context"
	"os"
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

func TestARefusedTokenIsSpilledAndSavedByWhoeverComesNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{KillsAccess: true}}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills = []string{filepath.Join(t.TempDir(), "spill")}
		program := func() *venuekey.Keeper {
			k := keepertest.New(t, store, venue)
			k.Spills = keeper.Spills
			return k
		}
		store.Refuse(keepertest.Rotations)
		token, err := keeper.Refresh(t.Context(), keepertest.Alice)
		if err != nil || token.Access != "access-2" {
			t.Fatalf("the token is durable and was not given: %v", err)
		}
		files := keepertest.Spills(t, keeper.Spills[0])
		if len(files) != 1 {
			t.Fatal(files)
		}
		if text, _ := os.ReadFile(files[0]); strings.Contains(string(text), "access-2") || strings.Contains(string(text), "alice@") {
			t.Fatal("the spill file is not sealed")
		}
		if info, _ := os.Stat(files[0]); info.Mode().Perm() != 0o600 {
			t.Fatal(info.Mode())
		}
		keepertest.WantToken(t, keeper, "access-2")
		time.Sleep(10 * time.Second)
		keepertest.WantToken(t, keeper, "access-2")

		// The program dies; the next one finds the spill while the store still
		// refuses, and the one after it saves it.
		next := program()
		keepertest.WantToken(t, next, "access-2")
		if status, err := next.Status(t.Context(), keepertest.Alice); err != nil || !status.Spilled || status.State != venuekey.StateFresh {
			t.Fatalf("%+v %v", status, err)
		}
		store.Refuse(nil)
		last := program()
		keepertest.WantToken(t, last, "access-2")
		if files := keepertest.Spills(t, keeper.Spills[0]); len(files) != 0 {
			t.Fatal(files)
		}
		keepertest.WantToken(t, keepertest.New(t, store, venue), "access-2")
		if status, _ := last.Status(t.Context(), keepertest.Alice); status.Spilled {
			t.Fatal("the spill is gone and the status says otherwise")
		}
		if most, total := venue.Shown(); most != 1 || total != 1 {
			t.Fatalf("%d presentations, one token up to %d times", total, most)
		}
	})
}

func TestASignInThatTheStoreRefusesIsSpilled(t *testing.T) {
	venue := &keepertest.Venue{}
	store := &keepertest.Store{Store: &memory.Store{}}
	keeper := keepertest.New(t, store, venue)
	keeper.Spills = []string{t.TempDir()}
	store.Refuse(keepertest.Rotations)
	if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
		t.Fatal(err)
	}
	store.Refuse(nil)
	next := keepertest.New(t, store, venue)
	next.Spills = keeper.Spills
	keepertest.WantToken(t, next, "access-1")
	keepertest.WantToken(t, keepertest.New(t, store, venue), "access-1")
}

func TestRunSavesWhatOthersSpilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills = []string{t.TempDir()}
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		store.Refuse(nil)
		daemon := keepertest.New(t, store, venue)
		daemon.Spills = keeper.Spills
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		_ = daemon.Run(ctx)
		if files := keepertest.Spills(t, keeper.Spills[0]); len(files) != 0 {
			t.Fatal(files)
		}
		keepertest.WantToken(t, keepertest.New(t, store, venue), "access-2")
	})
}

func TestASpillThatASignInOvertookIsDropped(t *testing.T) {
	venue := &keepertest.Venue{}
	keeper, store := keepertest.SignedIn(t, venue)
	keeper.Spills = []string{t.TempDir()}
	store.Refuse(keepertest.Rotations)
	if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
		t.Fatal(err)
	}
	store.Refuse(nil)
	other := keepertest.New(t, store, venue)
	if _, err := other.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
		t.Fatal(err)
	}
	last := keepertest.New(t, store, venue)
	last.Spills = keeper.Spills
	keepertest.WantToken(t, last, "access-3")
	if files := keepertest.Spills(t, keeper.Spills[0]); len(files) != 0 {
		t.Fatal(files)
	}
}

// A spill that does not open may still be the only copy of a token: it stays,
// the old token is served, and nothing is presented twice.
func TestASpillThatDoesNotOpenStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryNever}}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills = []string{t.TempDir()}
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		file := keepertest.Spills(t, keeper.Spills[0])[0]
		if err := os.WriteFile(file, []byte(`{"Sealed":"AAAA"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		store.Refuse(nil)
		next := keepertest.New(t, store, venue)
		next.Spills = keeper.Spills
		keepertest.WantToken(t, next, "access-1")
		time.Sleep(2 * time.Minute) // the dead program's lease
		if _, err := next.Refresh(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		keepertest.WantState(t, next, venuekey.StateUncertain, "lost")
		if len(keepertest.Spills(t, keeper.Spills[0])) != 1 {
			t.Fatal("the spill file was deleted")
		}
		if most, _ := venue.Shown(); most != 1 {
			t.Fatalf("presented %d times", most)
		}
	})
}

func TestTwoVaultsMayShareASpillFolder(t *testing.T) {
	folder := t.TempDir()
	var keepers []*venuekey.Keeper
	for i := range 2 {
		venue := &keepertest.Venue{}
		store := &keepertest.Store{Store: &memory.Store{}}
		keeper := keepertest.New(t, store, venue)
		keeper.Vault.Key, keeper.Spills = venuekey.SealKey{byte(i)}, []string{folder}
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		store.Refuse(keepertest.Rotations)
		for range i + 1 {
			venue.Serial += 10 // tokens that tell the vaults apart
		}
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		store.Refuse(nil)
		keepers = append(keepers, keeper)
	}
	if files := keepertest.Spills(t, folder); len(files) != 2 {
		t.Fatal(files)
	}
	keepertest.WantToken(t, keepers[0], "access-12")
	keepertest.WantToken(t, keepers[1], "access-22")
}

// A spill that is written while others wait: whoever waits for a lease must not
// present the token whose successor lies in the spill folder by then.

func TestWhoWaitsForALeaseFindsTheSpill(t *testing.T) {
	for name, policy := range map[string]venuekey.Policy{
		"never":         {AfterLostAnswer: venuekey.RetryNever},
		"once":          {AfterLostAnswer: venuekey.RetryOnce},
		"until refused": {AfterLostAnswer: venuekey.RetryUntilRefused},
	} {
		for _, answers := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					venue := &keepertest.Venue{Terms: policy}
					keeper, store := keepertest.SignedIn(t, venue)
					keeper.Spills = []string{t.TempDir()}
					waiter := keepertest.New(t, store, venue)
					waiter.Spills = keeper.Spills

					// The venue has answered and the store is locked; then the other
					// program begins to wait for the lease.
					var got *venuekey.Token
					var failed error
					var waiting sync.WaitGroup
					keepertest.AtFirst(keeper, "sealed", func() {
						store.Refuse(keepertest.Rotations)
						waiting.Go(func() { got, failed = waiter.Refresh(t.Context(), keepertest.Alice) })
						time.Sleep(time.Second)
					})
					if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
						t.Fatal(err)
					}
					if answers {
						store.Refuse(nil)
					}
					waiting.Wait()
					if failed != nil || got.Access != "access-2" {
						t.Fatalf("the waiter: %v", failed)
					}
					if most, total := venue.Shown(); most != 1 || total != 1 {
						t.Fatalf("%d presentations, one token up to %d times", total, most)
					}
				})
			})
		}
	}
}

// getting is a store that tells when a record was read and not yet handed over.
type getting struct {
	venuekey.Store
	read func()
}

func (s getting) Get(ctx context.Context, key string) (venuekey.Record, error) {
	record, err := s.Store.Get(ctx, key)
	if strings.HasPrefix(key, "token/") {
		s.read()
	}
	return record, err
}

// The last moment: the spill appears while the record with the lapsed lease is
// being read.
func TestASpillThatAppearsRightBeforeTheClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce}}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills = []string{t.TempDir()}
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		store.Refuse(nil)
		file, hidden := keepertest.Spills(t, keeper.Spills[0])[0], filepath.Join(t.TempDir(), "hidden")
		if err := os.Rename(file, hidden); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute) // the lease has lapsed
		reads := 0
		next := keepertest.New(t, getting{store, func() {
			// The first read is Refresh's own, the second is the renewal's.
			if reads++; reads == 2 {
				if err := os.Rename(hidden, file); err != nil {
					t.Error(err)
				}
			}
		}}, venue)
		next.Spills = keeper.Spills
		if token, err := next.Refresh(t.Context(), keepertest.Alice); err != nil || token.Access != "access-2" {
			t.Errorf("the next program: %v", err)
		}
		if most, total := venue.Shown(); most != 1 || total != 1 {
			t.Fatalf("%d presentations, one token up to %d times", total, most)
		}
	})
}
