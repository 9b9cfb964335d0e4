package venuekey_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// Corners in which a sign-in was lost, or a token presented twice, that could have
// been kept: each needs two or three things to go wrong at once.

// sessions is a venue that renews with the living access token, and gives no
// refresh token.
type sessions struct{ keepertest.Venue }

func (v *sessions) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	token, err := v.Venue.Login(ctx, app, ui)
	token.Refresh = ""
	return token, err
}

func (v *sessions) Refresh(_ context.Context, _ venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if !token.Valid(time.Now()) {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Reason: "too late"}
	}
	got := v.Issue()
	got.Refresh = ""
	return got, nil
}

// Two programs were killed in the middle of renewing with a living access token.
// That uses nothing up, so the careful policy for a refresh token that is not there
// must not keep the sign-in from being renewed while it can.
func TestKilledProgramsAtAVenueWithoutRefreshTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &sessions{keepertest.Venue{Terms: venuekey.Policy{RenewsWith: venuekey.RenewWithAccessToken, AfterLostAnswer: venuekey.RetryOnce}}}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		_, record, err := keeper.Vault.Load(t.Context(), keepertest.Alice)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(keepertest.Life * 8 / 10)
		record.Attempt, record.IntentAt = 2, time.Now()
		record.LeaseOwner, record.LeaseUntil = "killed", time.Now().Add(time.Minute)
		if _, err := keeper.Vault.Store.Put(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		run(t, keeper, keepertest.Life)
		keepertest.WantState(t, keeper, venuekey.StateFresh, "")
	})
}

// The only copy of a renewed token is in memory, and one goroutine tries to save it
// when another asks for the token. It must not find the old one and present that.
func TestATokenThatIsBeingSavedIsHeldAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryUntilRefused}}
		keeper, store := keepertest.SignedIn(t, venue)
		time.Sleep(keepertest.Life * 8 / 10)
		full := func(venuekey.Record) error { return keepertest.ErrDiskFull }
		venue.After = func(context.Context) error { store.Refuse(full); return nil }
		keepertest.WantToken(t, keeper, "access-1")
		time.Sleep(time.Minute) // nothing took it, and it is held
		var running sync.WaitGroup
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		running.Go(func() { _ = keeper.Run(ctx) })
		time.Sleep(7300 * time.Millisecond) // Run is between two tries to save it
		if len(keeper.Held()) != 1 {
			t.Error("a token that is being saved is not told as held")
		}
		store.Refuse(nil)
		keepertest.WantToken(t, keeper, "access-1")
		running.Wait()
		keepertest.WantToken(t, keeper, "access-2")
		if most, _ := venue.Shown(); most != 1 {
			t.Errorf("one token was presented %d times", most)
		}
	})
}

// The venue forgives a second presentation for ten seconds, and connecting takes
// longer. What would come too late is not sent.
func TestTheGraceWindowEndsWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce, Grace: 10 * time.Second}}
		keeper, _ := keepertest.SignedIn(t, venue)
		time.Sleep(keepertest.Life * 8 / 10)
		var sent []time.Time
		venue.Before = func(ctx context.Context) error {
			if len(sent) > 0 {
				time.Sleep(20 * time.Second)
			}
			if err := venuekey.BeforeSending(ctx); err != nil {
				return err
			}
			if sent = append(sent, time.Now()); len(sent) == 1 {
				return errCut
			}
			return nil
		}
		run(t, keeper, keepertest.Life/10)
		if len(sent) != 1 {
			t.Fatalf("presented again after %s", sent[1].Sub(sent[0]))
		}
		run(t, keeper, keepertest.Life) // the last chance
		keepertest.WantState(t, keeper, venuekey.StateFresh, "")
	})
}

// A venue states the end of its refresh token at the sign-in only, repeats the token
// and prolongs it without a word. An end that has passed must not make the token due
// every second.
func TestARefreshTokenThatOutlivesItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &repeats{}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		token, record, err := keeper.Vault.Load(t.Context(), keepertest.Alice)
		if err != nil {
			t.Fatal(err)
		}
		token.RefreshExpires = time.Now().Add(5 * time.Hour)
		if _, err := keeper.Vault.Save(t.Context(), record, token); err != nil {
			t.Fatal(err)
		}
		run(t, keeper, 10*time.Hour)
		token, _, err = keeper.Vault.Load(t.Context(), keepertest.Alice)
		if renewals := strings.Count(string(token.Access), "+"); err != nil || renewals > 40 {
			t.Fatalf("%d renewals in ten hours, %v", renewals, err)
		}
	})
}

// A human insists on a dead sign-in while the venue is away. Nothing was presented,
// so what is known of it stays.
func TestWhoInsistsInVainLosesNoReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Before: fails(venuekey.ClassRefused, "revoked by the user")}
		keeper, _ := keepertest.SignedIn(t, venue)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		venue.Unseen = func() error { return errCut }
		if _, err := keeper.RefreshAgain(t.Context(), keepertest.Alice); !venuekey.Temporary(err) || strings.Contains(err.Error(), "was lost") {
			t.Fatalf("no answer was lost, but: %v", err)
		}
		run(t, keeper, 10*time.Minute)
		keepertest.WantState(t, keeper, venuekey.StateNeedsSignIn, "revoked by the user")
	})
}

// Two programs save the same spill. While one of them waits for the store the other
// renews once more, and its token has to be spilled too: under the same name.
func TestALaterSpillOutlivesTheSaveOfAnEarlierOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		store, folder := &memory.Store{}, t.TempDir()
		full := false
		program := func(refuse func(venuekey.Record) error) *venuekey.Keeper {
			keeper := keepertest.New(t, &keepertest.Store{Store: store, Refuses: refuse}, venue)
			keeper.Spills = []string{folder}
			return keeper
		}
		disk := func(venuekey.Record) error {
			if full {
				return keepertest.ErrDiskFull
			}
			return nil
		}
		first := program(disk)
		if _, err := first.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		renewAndSpill := func(keeper *venuekey.Keeper) {
			venue.After = func(context.Context) error { full = true; return nil }
			if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
				t.Error(err)
			}
			venue.After, full = nil, false
		}
		renewAndSpill(first)
		second := program(disk)
		slow := program(func(record venuekey.Record) error {
			if record.Generation > 1 && second != nil {
				other := second
				second = nil
				keepertest.WantToken(t, other, "access-2") // saved
				renewAndSpill(other)
			}
			return nil
		})
		if _, err := slow.Token(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		keepertest.WantToken(t, program(disk), "access-3")
	})
}

// Somebody gives the app another secret at the moment at which a sign-in finds
// something out about it. What was found out is kept, and the secret is the new one.
func TestLearningUndoesNoOtherChange(t *testing.T) {
	store := &interrupted{Store: &memory.Store{}}
	keeper := keepertest.New(t, store, &learner{})
	keeper.Apps = nil
	app := venuekey.App{Venue: "stage", ClientSecret: "old"}
	if err := keeper.Vault.SaveApp(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	reads := 0
	store.read = func(key string) {
		if key != "app/stage" {
			return
		}
		if reads++; reads == 2 { // the first was for the sign-in itself
			app.ClientSecret = "new"
			if err := keeper.Vault.SaveApp(t.Context(), app); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
		t.Fatal(err)
	}
	got, err := keeper.Vault.App(t.Context(), "stage")
	if err != nil || got.ClientSecret != "new" || got.Param("method") != "GET" {
		t.Fatalf("the secret is new: %t; the method is %q, %v", got.ClientSecret == "new", string(got.Param("method")), err)
	}
}

// interrupted is a store in which something happens right after a read.
type interrupted struct {
	venuekey.Store
	read func(key string)
}

func (s *interrupted) Get(ctx context.Context, key string) (venuekey.Record, error) {
	record, err := s.Store.Get(ctx, key)
	if s.read != nil {
		s.read(key)
	}
	return record, err
}

// Five hundred answers were lost, and the venue is away. It is looked at for all of
// them together; each looking for itself would be an attack.
func TestOneLookDoesForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce}}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		ids := keepertest.Populate(t, keeper, 500)
		time.Sleep(keepertest.Life * 7 / 10)
		for _, id := range ids {
			_, record, err := keeper.Vault.Load(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			record.Attempt, record.IntentAt, record.Condition, record.NextRefresh = 1, time.Now(), venuekey.ConditionUncertain, time.Now()
			if _, err := keeper.Vault.Store.Put(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		var looks atomic.Int64
		venue.Unseen = func() error {
			time.Sleep(50 * time.Millisecond)
			looks.Add(1)
			return errCut
		}
		run(t, keeper, 10*time.Minute)
		if n := looks.Load(); n < 10 || n > 130 {
			t.Errorf("%d looks in ten minutes", n)
		}
	})
}

// The venue was seen, and then the renewal waited for its turn in the budget. The
// venue is looked at again before the one chance is used.
func TestALookThatIsOldIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce, Pace: 20 * time.Second, Burst: 1}}
		keeper, _ := keepertest.SignedIn(t, venue)
		other := keepertest.Populate(t, keeper, 1)[0]
		time.Sleep(keepertest.Life * 8 / 10)
		venue.Before = func(context.Context) error { return errCut }
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); !venuekey.Temporary(err) {
			t.Fatal(err)
		}
		if _, err := keeper.Token(t.Context(), other); err != nil { // which takes the permit
			t.Fatal(err)
		}
		presented := 0
		venue.Before = func(context.Context) error { presented++; return errCut }
		seen := time.Now()
		venue.Unseen = func() error {
			if time.Since(seen) > 10*time.Second {
				return errCut // away again
			}
			return nil
		}
		time.Sleep(2 * time.Second)
		keepertest.WantToken(t, keeper, "access-1")
		time.Sleep(time.Minute)
		if presented != 0 {
			t.Error("the one chance was used on a venue that was away again")
		}
	})
}

// leisurely is a venue that takes its time.
type leisurely struct {
	repeats
	takes time.Duration
}

func (v *leisurely) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if pause(ctx, v.takes) != nil {
		return venuekey.Token{}, errCut
	}
	return v.repeats.Refresh(ctx, app, token)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A renewal that waited long, for the leases of two other programs that were killed,
// is given all the time that a venue may take.
func TestALongWaitDoesNotShortenTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &leisurely{takes: 25 * time.Second}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		token, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(keepertest.Life * 8 / 10)
		lease := func() {
			_, record, err := keeper.Vault.Load(t.Context(), keepertest.Alice)
			if err != nil {
				t.Fatal(err)
			}
			record.LeaseOwner, record.LeaseUntil = "killed", time.Now().Add(time.Minute)
			if _, err := keeper.Vault.Store.Put(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		lease()
		time.AfterFunc(45*time.Second, lease)
		keepertest.WantToken(t, keeper, string(token.Access)) // the renewal goes on
		time.Sleep(3 * time.Minute)
		keepertest.WantToken(t, keeper, string(token.Access)+"+")
	})
}
