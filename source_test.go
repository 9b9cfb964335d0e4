package venuekey_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

func TestAFreshTokenCostsNothing(t *testing.T) {
	keeper, store := keepertest.SignedIn(t, &keepertest.Venue{})
	source := keeper.Source(keepertest.Alice)
	if _, err := source.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	store.Close() // the store is not asked
	allocations := testing.AllocsPerRun(1000, func() {
		if _, err := source.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if allocations != 0 {
		t.Fatalf("%v allocations", allocations)
	}
}

// What takes a function, as openapi.Client does, takes these.
func TestASourceGivesAccessTokensAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
		source := keeper.Source(keepertest.Alice)
		var token func(context.Context) (venuekey.Secret, error) = source.Access
		var refused func(context.Context, venuekey.Secret) (venuekey.Secret, error) = source.Newer
		if access, err := token(t.Context()); err != nil || access != "access-1" {
			t.Fatal(access, err)
		}
		time.Sleep(time.Minute)
		if access, err := refused(t.Context(), "access-1"); err != nil || access != "access-2" {
			t.Fatal(access, err)
		}
		if access, err := keeper.Source(venuekey.ID{Venue: "stage", Name: "nobody"}).Access(t.Context()); err == nil || access != "" {
			t.Fatal(access, err)
		}
	})
}

func TestWhatAnotherProcessRenewedIsSeenWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		keepertest.WantToken(t, keeper, "access-1")
		if _, err := keepertest.New(t, store, venue).Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second + 1)
		keepertest.WantToken(t, keeper, "access-2")
	})
}

func TestAStoreThatFallsSilentDoesNotTakeAGoodTokenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, store := keepertest.SignedIn(t, &keepertest.Venue{})
		keepertest.WantToken(t, keeper, "access-1")
		store.Close()
		time.Sleep(keepertest.Life / 2)
		keepertest.WantToken(t, keeper, "access-1")
		time.Sleep(keepertest.Life)
		if _, err := keeper.Token(t.Context(), keepertest.Alice); err == nil || venuekey.NeedsSignIn(err) {
			t.Fatalf("after the end of the token: %v", err)
		}
	})
}

func TestStatusesTellOfADamagedRecordAndGoOn(t *testing.T) {
	keeper, store := keepertest.SignedIn(t, &keepertest.Venue{})
	if _, err := keeper.SignIn(t.Context(), venuekey.ID{Venue: "stage", Name: "bob"}, keepertest.NoUI{}); err != nil {
		t.Fatal(err)
	}
	record, _ := store.Get(t.Context(), "token/stage/alice")
	record.Sealed[len(record.Sealed)-1] ^= 1
	if _, err := store.Put(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	keeper = keepertest.New(t, store, &keepertest.Venue{}) // one that has nothing at hand
	var damaged, good int
	for status, err := range keeper.Statuses(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if venuekey.ClassOf(status.Err) == venuekey.ClassDamaged && status.ID == keepertest.Alice {
			damaged++
		} else if status.State == venuekey.StateFresh {
			good++
		}
	}
	if damaged != 1 || good != 1 {
		t.Fatalf("%d damaged, %d good", damaged, good)
	}
	if _, err := keeper.Token(t.Context(), keepertest.Alice); venuekey.ClassOf(err) != venuekey.ClassDamaged {
		t.Fatal(err)
	}
	if err := keeper.SignOut(t.Context(), keepertest.Alice, false); err != nil {
		t.Fatalf("a damaged record cannot be forgotten: %v", err)
	}
}

// To tell how thousands of sign-ins stand costs their seals and little beside: no
// look into the spill folder for each. Allocations tell, whatever the machine does.
func TestStatusesOfThousandsCostTheirSeals(t *testing.T) {
	const many = 500
	keeper := keepertest.New(t, &memory.Store{}, &keepertest.Venue{})
	keeper.Spills = []string{filepath.Join(t.TempDir(), "spill")}
	for i := range many {
		if _, err := keeper.SignIn(t.Context(), venuekey.ID{Venue: "stage", Name: fmt.Sprint("user", i)}, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
	}
	seals := testing.AllocsPerRun(3, func() {
		for record, err := range keeper.Vault.Records(t.Context()) {
			if err == nil {
				_, err = keeper.Vault.Open(record)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	statuses := testing.AllocsPerRun(3, func() {
		for status, err := range keeper.Statuses(t.Context()) {
			if err != nil || status.State != venuekey.StateFresh {
				t.Fatal(status, err)
			}
		}
	})
	if each := (statuses - seals) / many; each > 3 {
		t.Errorf("each status allocates %.1f times beside its seal, which takes %.1f", each, seals/many)
	}
}
