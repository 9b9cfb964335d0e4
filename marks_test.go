package venuekey_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// An older copy of the vault is put back: the store alone cannot tell, the marks
// of this machine can.

// copyOf reads every token of a store, to be put back later.
func copyOf(t *testing.T, store venuekey.Store) []venuekey.Record {
	t.Helper()
	records, err := store.List(t.Context(), "token/", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// putBack is a new store with what was copied from another.
func putBack(t *testing.T, records []venuekey.Record) *moodyStore {
	t.Helper()
	store := &moodyStore{Store: &memory.Store{}}
	for _, record := range records {
		record.Version = 0
		if _, err := store.Put(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// onOlderCopy signs alice in, renews her token, and starts a program on the copy
// that was made before that.
func onOlderCopy(t *testing.T, venue *stageVenue) *venuekey.Keeper {
	t.Helper()
	store := &moodyStore{Store: &memory.Store{}}
	keeper := newKeeper(t, store, venue)
	keeper.Marks = filepath.Join(t.TempDir(), "marks")
	if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
		t.Fatal(err)
	}
	older := copyOf(t, store)
	for range 2 {
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
	}
	next := newKeeper(t, putBack(t, older), venue)
	next.Marks = keeper.Marks
	return next
}

func TestAnOlderCopyOfTheVaultIsNotPresented(t *testing.T) {
	for name, policy := range map[string]venuekey.Policy{"never": {AfterLostAnswer: venuekey.RetryNever}, "once": {AfterLostAnswer: venuekey.RetryOnce}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &stageVenue{policy: policy}
				keeper := onOlderCopy(t, venue)
				mustState(t, keeper, venuekey.StateUncertain, "the vault went back in time: generation ")
				if status, _ := keeper.Status(t.Context(), alice); !status.Behind {
					t.Error("the status is not behind")
				}
				mustToken(t, keeper, "access-1") // it lives
				for range 2 {
					_, err := keeper.Refresh(t.Context(), alice)
					if !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "went back in time") {
						t.Fatalf("the used token: %v", err)
					}
				}
				time.Sleep(life)
				if _, err := keeper.Token(t.Context(), alice); !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "went back in time") {
					t.Fatalf("the dead token: %v", err)
				}
				mustState(t, keeper, venuekey.StateNeedsSignIn, "went back in time")
				if most, total := venue.shown(); most != 1 || total != 2 {
					t.Fatalf("%d presentations, one token up to %d times", total, most)
				}
				// Signing in again is one way out.
				if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
					t.Fatal(err)
				}
				if _, err := keeper.Refresh(t.Context(), alice); err != nil {
					t.Fatal(err)
				}
				mustState(t, keeper, venuekey.StateFresh, "")
			})
		})
	}
}

func TestAnOlderCopyWhereReuseIsHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{policy: venuekey.Policy{AfterLostAnswer: venuekey.RetryUntilRefused}}
		keeper := onOlderCopy(t, venue)
		if status, _ := keeper.Status(t.Context(), alice); !status.Behind || status.State != venuekey.StateFresh {
			t.Errorf("%+v", status)
		}
		_, err := keeper.Refresh(t.Context(), alice)
		if !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "used already; the vault went back in time") {
			t.Fatalf("the cause is not named: %v", err)
		}
		mustState(t, keeper, venuekey.StateNeedsSignIn, "went back in time")
	})
}

// The venue grants although the vault went back: it keeps used tokens alive.
// From then on nothing is amiss.
func TestAnOlderCopyThatTheVenueRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{policy: venuekey.Policy{AfterLostAnswer: venuekey.RetryFreely}}
		keeper := onOlderCopy(t, venue)
		venue.alive = "refresh-1"
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		mustState(t, keeper, venuekey.StateFresh, "")
		if status, _ := keeper.Status(t.Context(), alice); status.Behind {
			t.Error("still behind")
		}
	})
}

// The newest copy is put back, which is the other way out.
func TestTheNewestCopyOfTheVaultIsGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{}
		keeper, store := signedIn(t, venue)
		keeper.Marks = t.TempDir()
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		next := newKeeper(t, putBack(t, copyOf(t, store)), venue)
		next.Marks = keeper.Marks
		if _, err := next.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
	})
}

// An older copy is put back while the newest token waits in a spill file, which
// then is saved over it.
func TestASpillOutlivesAnOlderCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{}
		keeper, store := signedIn(t, venue)
		keeper.Spills, keeper.Marks = []string{t.TempDir()}, t.TempDir()
		older := copyOf(t, store)
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		store.turn(rotations)
		if _, err := keeper.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		next := newKeeper(t, putBack(t, older), venue)
		next.Spills, next.Marks = keeper.Spills, keeper.Marks
		mustToken(t, next, "access-3")
		mustState(t, next, venuekey.StateFresh, "")
		if _, err := next.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
	})
}

// Two vaults of one machine, one that was deleted and made anew, and a sign-in
// that ended: nobody's marks are taken for another's.
func TestMarksOfOthersDoNotCount(t *testing.T) {
	marks := t.TempDir()
	program := func(t *testing.T, renewals int) *venuekey.Keeper {
		venue := &stageVenue{}
		k := newKeeper(t, &memory.Store{}, venue)
		k.Marks = marks
		if _, err := k.SignIn(t.Context(), alice, silent{}); err != nil {
			t.Fatal(err)
		}
		for range renewals {
			if _, err := k.Refresh(t.Context(), alice); err != nil {
				t.Fatal(err)
			}
		}
		return k
	}
	one, two := program(t, 5), program(t, 1)
	for _, k := range []*venuekey.Keeper{one, two} {
		if status, err := k.Status(t.Context(), alice); err != nil || status.Behind {
			t.Errorf("%+v %v", status, err)
		}
		if _, err := k.Refresh(t.Context(), alice); err != nil {
			t.Error(err)
		}
	}
	before, _ := one.Status(t.Context(), alice)
	three, _ := program(t, 0).Status(t.Context(), alice)
	if three.Generation <= before.Generation {
		t.Errorf("generation %d comes after %d", three.Generation, before.Generation)
	}
	if err := one.SignOut(t.Context(), alice, false); err != nil {
		t.Fatal(err)
	}
	for _, file := range filesIn(t, marks, "*") {
		if text, _ := os.ReadFile(file); len(text) > 0 {
			t.Errorf("a sign-out leaves %s", text)
		}
	}
}

// Marks never lead, whoever writes them at the same time, and whatever else lies
// in their file.
func TestMarksAreWrittenByManyAtOnce(t *testing.T) {
	venue := &stageVenue{policy: venuekey.Policy{AfterLostAnswer: venuekey.RetryFreely}}
	keeper, store := signedIn(t, venue)
	keeper.Marks = t.TempDir()
	var working sync.WaitGroup
	for range 4 {
		other := newKeeper(t, store, venue)
		other.Marks = keeper.Marks
		working.Go(func() {
			for range 20 {
				if _, err := other.Refresh(t.Context(), alice); err != nil {
					t.Error(err)
				}
				if status, err := other.Status(t.Context(), alice); err != nil || status.Behind {
					t.Errorf("%+v %v", status, err)
				}
			}
		})
	}
	working.Wait()
	for _, file := range filesIn(t, keeper.Marks, "*") {
		if strings.HasSuffix(file, ".new") {
			t.Errorf("a draft is left: %s", file)
		}
		if err := os.WriteFile(file, []byte("\x00\x00\nno mark\na b c d\na b -\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := keeper.Refresh(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	keeper.Marks = filepath.Join(filesIn(t, keeper.Marks, "*")[0], "no", "folder")
	if _, err := keeper.Refresh(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
}
