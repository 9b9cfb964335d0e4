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
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// An older copy of the vault is put back: the store alone cannot tell, the marks
// of this machine can.

func TestAnOlderCopyOfTheVaultIsNotPresented(t *testing.T) {
	for name, policy := range map[string]venuekey.Policy{"never": {AfterLostAnswer: venuekey.RetryNever}, "once": {AfterLostAnswer: venuekey.RetryOnce}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{Terms: policy}
				keeper := keepertest.OnOlderCopy(t, venue)
				keepertest.WantState(t, keeper, venuekey.StateUncertain, "the vault went back in time: generation ")
				if status, _ := keeper.Status(t.Context(), keepertest.Alice); !status.Behind {
					t.Error("the status is not behind")
				}
				keepertest.WantToken(t, keeper, "access-1") // it lives
				for range 2 {
					_, err := keeper.Refresh(t.Context(), keepertest.Alice)
					if !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "went back in time") {
						t.Fatalf("the used token: %v", err)
					}
				}
				time.Sleep(keepertest.Life)
				if _, err := keeper.Token(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "went back in time") {
					t.Fatalf("the dead token: %v", err)
				}
				keepertest.WantState(t, keeper, venuekey.StateNeedsSignIn, "went back in time")
				if most, total := venue.Shown(); most != 1 || total != 2 {
					t.Fatalf("%d presentations, one token up to %d times", total, most)
				}
				// Signing in again is one way out.
				if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
					t.Fatal(err)
				}
				if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
					t.Fatal(err)
				}
				keepertest.WantState(t, keeper, venuekey.StateFresh, "")
			})
		})
	}
}

func TestAnOlderCopyWhereReuseIsHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryUntilRefused}}
		keeper := keepertest.OnOlderCopy(t, venue)
		if status, _ := keeper.Status(t.Context(), keepertest.Alice); !status.Behind || status.State != venuekey.StateFresh {
			t.Errorf("%+v", status)
		}
		_, err := keeper.Refresh(t.Context(), keepertest.Alice)
		if !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "used already; the vault went back in time") {
			t.Fatalf("the cause is not named: %v", err)
		}
		keepertest.WantState(t, keeper, venuekey.StateNeedsSignIn, "went back in time")
	})
}

// The venue grants although the vault went back: it keeps used tokens alive.
// From then on nothing is amiss.
func TestAnOlderCopyThatTheVenueRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryFreely}}
		keeper := keepertest.OnOlderCopy(t, venue)
		venue.Alive = "refresh-1"
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		keepertest.WantState(t, keeper, venuekey.StateFresh, "")
		if status, _ := keeper.Status(t.Context(), keepertest.Alice); status.Behind {
			t.Error("still behind")
		}
	})
}

// The newest copy is put back, which is the other way out.
func TestTheNewestCopyOfTheVaultIsGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Marks = t.TempDir()
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		next := keepertest.New(t, keepertest.PutBack(t, keepertest.CopyOf(t, store)), venue)
		next.Marks = keeper.Marks
		if _, err := next.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
	})
}

// An older copy is put back while the newest token waits in a spill file, which
// then is saved over it.
func TestASpillOutlivesAnOlderCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills, keeper.Marks = []string{t.TempDir()}, t.TempDir()
		older := keepertest.CopyOf(t, store)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		next := keepertest.New(t, keepertest.PutBack(t, older), venue)
		next.Spills, next.Marks = keeper.Spills, keeper.Marks
		keepertest.WantToken(t, next, "access-3")
		keepertest.WantState(t, next, venuekey.StateFresh, "")
		if _, err := next.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
	})
}

// Two vaults of one machine, one that was deleted and made anew, and a sign-in
// that ended: nobody's marks are taken for another's.
func TestMarksOfOthersDoNotCount(t *testing.T) {
	marks := t.TempDir()
	program := func(t *testing.T, renewals int) *venuekey.Keeper {
		venue := &keepertest.Venue{}
		k := keepertest.New(t, &memory.Store{}, venue)
		k.Marks = marks
		if _, err := k.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		for range renewals {
			if _, err := k.Refresh(t.Context(), keepertest.Alice); err != nil {
				t.Fatal(err)
			}
		}
		return k
	}
	one, two := program(t, 5), program(t, 1)
	for _, k := range []*venuekey.Keeper{one, two} {
		if status, err := k.Status(t.Context(), keepertest.Alice); err != nil || status.Behind {
			t.Errorf("%+v %v", status, err)
		}
		if _, err := k.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Error(err)
		}
	}
	before, _ := one.Status(t.Context(), keepertest.Alice)
	three, _ := program(t, 0).Status(t.Context(), keepertest.Alice)
	if three.Generation <= before.Generation {
		t.Errorf("generation %d comes after %d", three.Generation, before.Generation)
	}
	if err := one.SignOut(t.Context(), keepertest.Alice, false); err != nil {
		t.Fatal(err)
	}
	for _, file := range keepertest.Files(t, marks, "*") {
		if text, _ := os.ReadFile(file); len(text) > 0 {
			t.Errorf("a sign-out leaves %s", text)
		}
	}
}

// Marks never lead, whoever writes them at the same time, and whatever else lies
// in their file.
func TestMarksAreWrittenByManyAtOnce(t *testing.T) {
	venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryFreely}}
	keeper, store := keepertest.SignedIn(t, venue)
	keeper.Marks = t.TempDir()
	var working sync.WaitGroup
	for range 4 {
		other := keepertest.New(t, store, venue)
		other.Marks = keeper.Marks
		working.Go(func() {
			for range 20 {
				if _, err := other.Refresh(t.Context(), keepertest.Alice); err != nil {
					t.Error(err)
				}
				if status, err := other.Status(t.Context(), keepertest.Alice); err != nil || status.Behind {
					t.Errorf("%+v %v", status, err)
				}
			}
		})
	}
	working.Wait()
	for _, file := range keepertest.Files(t, keeper.Marks, "*") {
		if strings.HasSuffix(file, ".new") {
			t.Errorf("a draft is left: %s", file)
		}
		if err := os.WriteFile(file, []byte("\x00\x00\nno mark\na b c d\na b -\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
		t.Fatal(err)
	}
	keeper.Marks = filepath.Join(keepertest.Files(t, keeper.Marks, "*")[0], "no", "folder")
	if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
		t.Fatal(err)
	}
}
