package venuekey_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// named_test.go tells stories of a name that is found out after a sign-in was kept.

func mustUser(t *testing.T, keeper *venuekey.Keeper, want string) {
	t.Helper()
	status, err := keeper.Status(t.Context(), keepertest.Alice)
	if err != nil || status.User != want {
		t.Errorf("user %q, %v; want %q", status.User, err, want)
	}
}

func TestANameIsKeptAndCarriedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		token, err := keeper.Token(t.Context(), keepertest.Alice)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := keeper.Named(t.Context(), keepertest.Alice, token, "1001"); err != nil {
				t.Fatal(err)
			}
		}
		other := keepertest.New(t, store, venue)
		mustUser(t, other, "1001")
		if _, err := other.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		mustUser(t, other, "1001")
		keepertest.WantToken(t, other, "access-2")
		if err := keeper.Named(t.Context(), keepertest.Alice, token, "1002"); err != nil {
			t.Error("a renewal is the same sign-in:", err)
		}
		mustUser(t, other, "1002")
	})
}

// A name waits for a renewal that is under way, and is lost rather than written
// into it.
func TestANameIsNotWrittenUnderARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{After: func(context.Context) error { time.Sleep(5 * time.Second); return nil }}
		keeper, store := keepertest.SignedIn(t, venue)
		token, err := keeper.Token(t.Context(), keepertest.Alice)
		if err != nil {
			t.Fatal(err)
		}
		var renewing sync.WaitGroup
		renewing.Go(func() { _, _ = keepertest.New(t, store, venue).Refresh(t.Context(), keepertest.Alice) })
		time.Sleep(time.Second)
		before, _ := store.Get(t.Context(), "token/stage/alice")
		short, cancel := context.WithTimeout(t.Context(), 990*time.Millisecond)
		defer cancel()
		if err := keeper.Named(short, keepertest.Alice, token, "1001"); venuekey.ClassOf(err) != venuekey.ClassLater {
			t.Error(err)
		}
		if after, _ := store.Get(t.Context(), "token/stage/alice"); after.Version != before.Version {
			t.Error("the record was written under a renewal")
		}
		if err := keeper.Named(t.Context(), keepertest.Alice, token, "1001"); err != nil {
			t.Error(err)
		}
		renewing.Wait()
		mustUser(t, keeper, "1001")
		keepertest.WantToken(t, keepertest.New(t, store, venue), "access-2")
	})
}

func TestANameIsNotGivenToAnotherSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		token, err := keeper.Token(t.Context(), keepertest.Alice)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := keepertest.New(t, store, venue).SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		if err := keeper.Named(t.Context(), keepertest.Alice, token, "1001"); !errors.Is(err, venuekey.ErrConflict) {
			t.Error(err)
		}
		mustUser(t, keeper, "")
		if err := keeper.SignOut(t.Context(), keepertest.Alice, false); err != nil {
			t.Fatal(err)
		}
		if err := keeper.Named(t.Context(), keepertest.Alice, token, "1001"); venuekey.ClassOf(err) != venuekey.ClassRefused {
			t.Error(err)
		}
	})
}

// Names and renewals at once: none of either loses a token.
func TestNamesAndRenewalsTakeTurns(t *testing.T) {
	venue := &keepertest.Venue{}
	keeper, store := keepertest.SignedIn(t, venue)
	token, err := keeper.Token(t.Context(), keepertest.Alice)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			k := keepertest.New(t, store, venue)
			defer k.Close()
			for range 20 {
				if _, err := k.Refresh(t.Context(), keepertest.Alice); err != nil {
					t.Error("renewal:", err)
				}
			}
		})
		all.Go(func() {
			k := keepertest.New(t, store, venue)
			for n := range 20 {
				if err := k.Named(t.Context(), keepertest.Alice, token, []string{"a", "b", "c"}[(i+n)%3]); err != nil {
					t.Error("name:", err)
				}
			}
		})
	}
	all.Wait()
	if most, _ := venue.Shown(); most != 1 {
		t.Errorf("a refresh token was presented %d times", most)
	}
	if _, err := keepertest.New(t, store, venue).Refresh(t.Context(), keepertest.Alice); err != nil {
		t.Error("the newest token is lost:", err)
	}
}
