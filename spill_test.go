package venuekey_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// rotations refuses what a renewal wants to save, and takes everything else.
func rotations(record venuekey.Record) error {
	if record.IntentAt.IsZero() && record.LeaseOwner == "" && record.Condition == venuekey.ConditionGood && strings.HasPrefix(record.Key, "token/") {
		return errDiskFull
	}
	return nil
}

// spills are the spill files in a folder, which also holds a reserve.
func spills(t *testing.T, folder string) []string { return filesIn(t, folder, "*.spill") }

func filesIn(t *testing.T, folder, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestARefusedTokenIsSpilledAndSavedByWhoeverComesNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{policy: venuekey.Policy{KillsAccess: true}}
		keeper, store := signedIn(t, venue)
		keeper.Spills = []string{filepath.Join(t.TempDir(), "spill")}
		program := func() *venuekey.Keeper {
			k := newKeeper(t, store, venue)
			k.Spills = keeper.Spills
			return k
		}
		store.turn(rotations)
		token, err := keeper.Refresh(t.Context(), alice)
		if err != nil || token.Access != "access-2" {
			t.Fatalf("the token is durable and was not given: %v", err)
		}
		files := spills(t, keeper.Spills[0])
		if len(files) != 1 {
			t.Fatal(files)
		}
		if text, _ := os.ReadFile(files[0]); strings.Contains(string(text), "access-2") || strings.Contains(string(text), "alice@") {
			t.Fatal("the spill file is not sealed")
		}
		if info, _ := os.Stat(files[0]); info.Mode().Perm() != 0o600 {
			t.Fatal(info.Mode())
		}
		mustToken(t, keeper, "access-2")
		time.Sleep(10 * time.Second)
		mustToken(t, keeper, "access-2")

		// The program dies; the next one finds the spill while the store still
		// refuses, and the one after it saves it.
		next := program()
		mustToken(t, next, "access-2")
		if status, err := next.Status(t.Context(), alice); err != nil || !status.Spilled || status.State != venuekey.StateFresh {
			t.Fatalf("%+v %v", status, err)
		}
		store.turn(nil)
		last := program()
		mustToken(t, last, "access-2")
		if files := spills(t, keeper.Spills[0]); len(files) != 0 {
			t.Fatal(files)
		}
		mustToken(t, newKeeper(t, store, venue), "access-2")
		if status, _ := last.Status(t.Context(), alice); status.Spilled {
			t.Fatal("the spill is gone and the status says otherwise")
		}
		if most, total := venue.shown(); most != 1 || total != 1 {
			t.Fatalf("%d presentations, one token up to %d times", total, most)
		}
	})
}

func TestASignInThatTheStoreRefusesIsSpilled(t *testing.T) {
	venue := &stageVenue{}
	store := &moodyStore{Store: &memory.Store{}}
	keeper := newKeeper(t, store, venue)
	keeper.Spills = []string{t.TempDir()}
	store.turn(rotations)
	if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
		t.Fatal(err)
	}
	store.turn(nil)
	next := newKeeper(t, store, venue)
	next.Spills = keeper.Spills
	mustToken(t, next, "access-1")
	mustToken(t, newKeeper(t, store, venue), "access-1")
}

func TestRunSavesWhatOthersSpilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{}
		keeper, store := signedIn(t, venue)
		keeper.Spills = []string{t.TempDir()}
		store.turn(rotations)
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		store.turn(nil)
		daemon := newKeeper(t, store, venue)
		daemon.Spills = keeper.Spills
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		_ = daemon.Run(ctx)
		if files := spills(t, keeper.Spills[0]); len(files) != 0 {
			t.Fatal(files)
		}
		mustToken(t, newKeeper(t, store, venue), "access-2")
	})
}

func TestASpillThatASignInOvertookIsDropped(t *testing.T) {
	venue := &stageVenue{}
	keeper, store := signedIn(t, venue)
	keeper.Spills = []string{t.TempDir()}
	store.turn(rotations)
	if _, err := keeper.Refresh(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	store.turn(nil)
	other := newKeeper(t, store, venue)
	if _, err := other.SignIn(t.Context(), alice, silent{}); err != nil {
		t.Fatal(err)
	}
	last := newKeeper(t, store, venue)
	last.Spills = keeper.Spills
	mustToken(t, last, "access-3")
	if files := spills(t, keeper.Spills[0]); len(files) != 0 {
		t.Fatal(files)
	}
}

// A spill that does not open may still be the only copy of a token: it stays,
// the old token is served, and nothing is presented twice.
func TestASpillThatDoesNotOpenStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{policy: venuekey.Policy{AfterLostAnswer: venuekey.RetryNever}}
		keeper, store := signedIn(t, venue)
		keeper.Spills = []string{t.TempDir()}
		store.turn(rotations)
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		file := spills(t, keeper.Spills[0])[0]
		if err := os.WriteFile(file, []byte(`{"Sealed":"AAAA"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		store.turn(nil)
		next := newKeeper(t, store, venue)
		next.Spills = keeper.Spills
		mustToken(t, next, "access-1")
		time.Sleep(2 * time.Minute) // the dead program's lease
		if _, err := next.Refresh(t.Context(), alice); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		mustState(t, next, venuekey.StateUncertain, "lost")
		if len(spills(t, keeper.Spills[0])) != 1 {
			t.Fatal("the spill file was deleted")
		}
		if most, _ := venue.shown(); most != 1 {
			t.Fatalf("presented %d times", most)
		}
	})
}

func TestTwoVaultsMayShareASpillFolder(t *testing.T) {
	folder := t.TempDir()
	var keepers []*venuekey.Keeper
	for i := range 2 {
		venue := &stageVenue{}
		store := &moodyStore{Store: &memory.Store{}}
		keeper := newKeeper(t, store, venue)
		keeper.Vault.Key, keeper.Spills = venuekey.SealKey{byte(i)}, []string{folder}
		if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
			t.Fatal(err)
		}
		store.turn(rotations)
		for range i + 1 {
			venue.serial += 10 // tokens that tell the vaults apart
		}
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		store.turn(nil)
		keepers = append(keepers, keeper)
	}
	if files := spills(t, folder); len(files) != 2 {
		t.Fatal(files)
	}
	mustToken(t, keepers[0], "access-12")
	mustToken(t, keepers[1], "access-22")
}
