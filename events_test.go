package venuekey_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// silentStore is a store that does not tell of changes.
type silentStore struct{ venuekey.Store }

// One program listens; another one, which knows nothing of it, renews, meets the
// revocation, and a third signs in again.
func TestTroubleIsToldWhoeverFindsIt(t *testing.T) {
	for name, hide := range map[string]bool{"a store that tells of changes": false, "one that does not": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{}
				var store venuekey.Store = &memory.Store{}
				if hide {
					store = silentStore{store}
				}
				seen := func() {
					if hide {
						time.Sleep(6 * time.Second)
					}
				}
				listener := keepertest.New(t, store, venue)
				events := keepertest.Listen(t, listener)
				bot := keepertest.New(t, store, venue)
				if _, err := bot.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
					t.Fatal(err)
				}
				seen()
				events.Want("signed in fresh")
				if _, err := bot.Refresh(t.Context(), keepertest.Alice); err != nil {
					t.Fatal(err)
				}
				seen()
				events.Want("renewed fresh")
				venue.Kill()
				for range 3 {
					if _, err := bot.Refresh(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
						t.Fatal(err)
					}
					seen()
				}
				told := events.Want("trouble needs sign-in")[0]
				if told.Remedy != "venuekey login stage/alice" || !strings.Contains(told.Reason, "used already") {
					t.Fatalf("%q, %q", told.Reason, told.Remedy)
				}
				// Who begins to listen now hears of it as well, once.
				late := keepertest.Listen(t, keepertest.New(t, store, venue), keepertest.Alice)
				seen()
				late.Want("trouble needs sign-in")
				if _, err := keepertest.New(t, store, venue).SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
					t.Fatal(err)
				}
				seen()
				events.Want("recovered fresh")
				if err := bot.SignOut(t.Context(), keepertest.Alice, false); err != nil {
					t.Fatal(err)
				}
				seen()
				events.Want("signed out")
				late.Want("recovered fresh", "signed out")
			})
		})
	}
}

// An older copy of the vault was put back: its sign-in looks good, and its refresh
// token is used up.
func TestAVaultThatWentBackIsTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper := keepertest.OnOlderCopy(t, &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryUntilRefused}})
		events := keepertest.Listen(t, keeper)
		told := events.Want("trouble fresh")[0]
		if !strings.Contains(told.Reason, "went back in time") || !strings.Contains(told.Remedy, "the newest copy of the vault") {
			t.Fatalf("%q, %q", told.Reason, told.Remedy)
		}
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		events.Want("recovered fresh")
	})
}

func TestEventsOfTheNamedOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper := keepertest.New(t, &memory.Store{}, &keepertest.Metered{})
		ids := keepertest.Populate(t, keeper, 3)
		events := keepertest.Listen(t, keeper, ids[1])
		for _, id := range ids {
			if _, err := keeper.Refresh(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			events.Take()
		}
		for range 2 {
			for _, id := range ids {
				if _, err := keeper.Refresh(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, event := range events.Take() {
			if event.Status.ID != ids[1] {
				t.Errorf("told of %s", event.Status.ID)
			}
		}
	})
}

// Whoever is told can look: the outcome is written, nobody holds the record, and
// a listener that never ends is waited for by nobody.
func TestFirstDurableThenTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		venue.Before = fails(venuekey.ClassRefused, "revoked")
		told := make(chan venuekey.Record, 1)
		go func() {
			for event := range keeper.Events(t.Context()) {
				if event.Kind == venuekey.EventTrouble {
					record, _ := store.Get(t.Context(), "token/stage/alice")
					told <- record
					<-t.Context().Done()
				}
			}
		}()
		time.Sleep(keepertest.Life * 9 / 10)
		keepertest.WantToken(t, keeper, "access-1")
		if record := <-told; record.Leased() || record.Condition != venuekey.ConditionDead || !record.IntentAt.IsZero() {
			t.Fatalf("told while the record says %+v", record)
		}
		begun := time.Now()
		keepertest.WantToken(t, keepertest.New(t, store, venue), "access-1")
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		keepertest.WantToken(t, keeper, "access-2")
		if waited := time.Since(begun); waited > 0 {
			t.Fatalf("others waited %s for the listener", waited)
		}
	})
}

// A slow reader is told of the step from what it knew to what is true now.
func TestASlowReaderMissesNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, _ := keepertest.SignedIn(t, venue)
		told := make(chan venuekey.EventKind, 10)
		go func() {
			for event := range keeper.Events(t.Context()) {
				told <- event.Kind
				if event.Kind == venuekey.EventFound {
					time.Sleep(10 * time.Minute)
				}
			}
		}()
		for range 3 {
			time.Sleep(time.Minute)
			if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
				t.Fatal(err)
			}
		}
		venue.Before = fails(venuekey.ClassRefused, "revoked")
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err == nil {
			t.Fatal("not refused")
		}
		time.Sleep(11 * time.Minute)
		for _, want := range []venuekey.EventKind{venuekey.EventFound, venuekey.EventTrouble} {
			if got := <-told; got != want {
				t.Fatalf("told %q, want %q", got, want)
			}
		}
		if len(told) > 0 {
			t.Fatalf("told %q too", <-told)
		}
	})
}

// What the store did not tell of is found all the same.
func TestALostChangeIsFoundWithinAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := forgetful{&memory.Store{}}
		bot := keepertest.New(t, store, &keepertest.Monthly{})
		ids := keepertest.Populate(t, bot, 2)
		events := keepertest.Listen(t, keepertest.New(t, store, &keepertest.Monthly{}))
		events.Want("found fresh", "found fresh")
		if _, err := bot.Refresh(t.Context(), ids[0]); err != nil {
			t.Fatal(err)
		}
		if err := bot.SignOut(t.Context(), ids[1], false); err != nil {
			t.Fatal(err)
		}
		events.Want()
		time.Sleep(time.Hour + time.Minute)
		events.Want("renewed fresh", "signed out")
	})
}

// forgetful is a store that says once that there are changes, and then nothing.
type forgetful struct{ *memory.Store }

func (forgetful) Watch(ctx context.Context, changed func(string)) error {
	changed("")
	<-ctx.Done()
	return ctx.Err()
}

// A token that died because nobody asked for it is trouble only when it stays
// dead.
func TestWhatTimeAloneChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, store := keepertest.SignedIn(t, &keepertest.Venue{})
		events := keepertest.Listen(t, keeper)
		time.Sleep(keepertest.Life + 30*time.Second)
		events.Want("found fresh")
		time.Sleep(time.Minute)
		events.Want("trouble expired")
		late := keepertest.Listen(t, keepertest.New(t, store, &keepertest.Venue{}))
		late.Want("found expired")
		time.Sleep(2 * time.Minute)
		late.Want("trouble expired")
	})
}

func TestAStoreThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		store := &mute{Store: &memory.Store{}}
		if _, err := keepertest.New(t, store, venue).SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		store.set(true)
		events := keepertest.Listen(t, keepertest.New(t, store, venue))
		time.Sleep(time.Minute)
		events.Want()
		store.set(false)
		time.Sleep(10 * time.Second)
		events.Want("found fresh")
	})
}

// mute is a store that does not answer to a list while it is told to.
type mute struct {
	*memory.Store
	mu  sync.Mutex
	out bool
}

func (s *mute) set(out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = out
}

func (s *mute) List(ctx context.Context, prefix, after string, limit int) ([]venuekey.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out {
		return nil, errLost
	}
	return s.Store.List(ctx, prefix, after, limit)
}
