package venuekey_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// heard is what a program was told, inside a bubble of virtual time.
type heard struct {
	t    *testing.T
	mu   sync.Mutex
	list []venuekey.Event
}

// listen begins to listen, and has heard how everything stands.
func listen(t *testing.T, keeper *venuekey.Keeper, only ...venuekey.ID) *heard {
	t.Helper()
	h := &heard{t: t}
	go func() {
		for event := range keeper.Events(t.Context(), only...) {
			h.mu.Lock()
			h.list = append(h.list, event)
			h.mu.Unlock()
		}
	}()
	synctest.Wait()
	return h
}

// take gives what was told since the last call, without what merely passes.
func (h *heard) take() (events []venuekey.Event) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range h.list {
		if event.Kind != venuekey.EventChanged {
			events = append(events, event)
		}
	}
	h.list = nil
	return events
}

// want checks what was told since the last call, as "kind state".
func (h *heard) want(want ...string) []venuekey.Event {
	h.t.Helper()
	events := h.take()
	var got []string
	for _, event := range events {
		got = append(got, strings.TrimSpace(string(event.Kind)+" "+string(event.Status.State)))
	}
	if !slices.Equal(got, want) {
		h.t.Fatalf("told %q, want %q", got, want)
	}
	return events
}

// silentStore is a store that does not tell of changes.
type silentStore struct{ venuekey.Store }

// One program listens; another one, which knows nothing of it, renews, meets the
// revocation, and a third signs in again.
func TestTroubleIsToldWhoeverFindsIt(t *testing.T) {
	for name, hide := range map[string]bool{"a store that tells of changes": false, "one that does not": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &stageVenue{}
				var store venuekey.Store = &memory.Store{}
				if hide {
					store = silentStore{store}
				}
				seen := func() {
					if hide {
						time.Sleep(6 * time.Second)
					}
				}
				listener := newKeeper(t, store, venue)
				events := listen(t, listener)
				bot := newKeeper(t, store, venue)
				if _, err := bot.SignIn(t.Context(), alice, silent{}); err != nil {
					t.Fatal(err)
				}
				seen()
				events.want("signed in fresh")
				if _, err := bot.Refresh(t.Context(), alice); err != nil {
					t.Fatal(err)
				}
				seen()
				events.want("renewed fresh")
				venue.mu.Lock()
				venue.alive = "revoked"
				venue.mu.Unlock()
				for range 3 {
					if _, err := bot.Refresh(t.Context(), alice); !venuekey.NeedsSignIn(err) {
						t.Fatal(err)
					}
					seen()
				}
				told := events.want("trouble needs sign-in")[0]
				if told.Remedy != "venuekey login stage/alice" || !strings.Contains(told.Reason, "used already") {
					t.Fatalf("%q, %q", told.Reason, told.Remedy)
				}
				// Who begins to listen now hears of it as well, once.
				late := listen(t, newKeeper(t, store, venue), alice)
				seen()
				late.want("trouble needs sign-in")
				if _, err := newKeeper(t, store, venue).SignIn(t.Context(), alice, silent{}); err != nil {
					t.Fatal(err)
				}
				seen()
				events.want("recovered fresh")
				if err := bot.SignOut(t.Context(), alice, false); err != nil {
					t.Fatal(err)
				}
				seen()
				events.want("signed out")
				late.want("recovered fresh", "signed out")
			})
		})
	}
}

// An older copy of the vault was put back: its sign-in looks good, and its refresh
// token is used up.
func TestAVaultThatWentBackIsTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper := onOlderCopy(t, &stageVenue{policy: venuekey.Policy{AfterLostAnswer: venuekey.RetryUntilRefused}})
		events := listen(t, keeper)
		told := events.want("trouble fresh")[0]
		if !strings.Contains(told.Reason, "went back in time") || !strings.Contains(told.Remedy, "the newest copy of the vault") {
			t.Fatalf("%q, %q", told.Reason, told.Remedy)
		}
		if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
			t.Fatal(err)
		}
		events.want("recovered fresh")
	})
}

func TestEventsOfTheNamedOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper := newKeeper(t, &memory.Store{}, &metered{})
		ids := populate(t, keeper, 3)
		events := listen(t, keeper, ids[1])
		for _, id := range ids {
			if _, err := keeper.Refresh(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			events.take()
		}
		for range 2 {
			for _, id := range ids {
				if _, err := keeper.Refresh(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, event := range events.take() {
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
		venue := &stageVenue{}
		keeper, store := signedIn(t, venue)
		venue.before = fails(venuekey.ClassRefused, "revoked")
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
		time.Sleep(life * 9 / 10)
		mustToken(t, keeper, "access-1")
		if record := <-told; record.Leased() || record.Condition != venuekey.ConditionDead || !record.IntentAt.IsZero() {
			t.Fatalf("told while the record says %+v", record)
		}
		begun := time.Now()
		mustToken(t, newKeeper(t, store, venue), "access-1")
		if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
			t.Fatal(err)
		}
		mustToken(t, keeper, "access-2")
		if waited := time.Since(begun); waited > 0 {
			t.Fatalf("others waited %s for the listener", waited)
		}
	})
}

// A slow reader is told of the step from what it knew to what is true now.
func TestASlowReaderMissesNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{}
		keeper, _ := signedIn(t, venue)
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
			if _, err := keeper.Refresh(t.Context(), alice); err != nil {
				t.Fatal(err)
			}
		}
		venue.before = fails(venuekey.ClassRefused, "revoked")
		if _, err := keeper.Refresh(t.Context(), alice); err == nil {
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
		bot := newKeeper(t, store, &monthly{})
		ids := populate(t, bot, 2)
		events := listen(t, newKeeper(t, store, &monthly{}))
		events.want("found fresh", "found fresh")
		if _, err := bot.Refresh(t.Context(), ids[0]); err != nil {
			t.Fatal(err)
		}
		if err := bot.SignOut(t.Context(), ids[1], false); err != nil {
			t.Fatal(err)
		}
		events.want()
		time.Sleep(time.Hour + time.Minute)
		events.want("renewed fresh", "signed out")
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
		keeper, store := signedIn(t, &stageVenue{})
		events := listen(t, keeper)
		time.Sleep(life + 30*time.Second)
		events.want("found fresh")
		time.Sleep(time.Minute)
		events.want("trouble expired")
		late := listen(t, newKeeper(t, store, &stageVenue{}))
		late.want("found expired")
		time.Sleep(2 * time.Minute)
		late.want("trouble expired")
	})
}

func TestAStoreThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &stageVenue{}
		store := &mute{Store: &memory.Store{}}
		if _, err := newKeeper(t, store, venue).SignIn(t.Context(), alice, silent{}); err != nil {
			t.Fatal(err)
		}
		store.set(true)
		events := listen(t, newKeeper(t, store, venue))
		time.Sleep(time.Minute)
		events.want()
		store.set(false)
		time.Sleep(10 * time.Second)
		events.want("found fresh")
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
