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
	"github.com/venuekey/venuekey/store/memory"
)

var errLost = errors.New("connection reset by peer")

func fails(class venuekey.Class, reason string) func(context.Context) error {
	return func(context.Context) error { return &venuekey.Error{Class: class, Reason: reason, Err: errLost} }
}

func TestATokenIsRenewedWhenItIsDueAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, _ := keepertest.SignedIn(t, venue)
		keepertest.WantToken(t, keeper, "access-1")
		keepertest.WantState(t, keeper, venuekey.StateFresh, "")
		time.Sleep(keepertest.Life * 7 / 10)
		keepertest.WantToken(t, keeper, "access-1")
		time.Sleep(keepertest.Life / 10)
		keepertest.WantState(t, keeper, venuekey.StateDue, "")
		keepertest.WantToken(t, keeper, "access-2")
		keepertest.WantState(t, keeper, venuekey.StateFresh, "")
	})
}

func TestTwoHundredCallersOfTwoKeepersCauseOneRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Before: func(ctx context.Context) error { time.Sleep(3 * time.Second); return nil }}
		one, store := keepertest.SignedIn(t, venue)
		two := keepertest.New(t, store, venue)
		time.Sleep(keepertest.Life * 9 / 10)
		venue.Terms.KillsAccess = true // callers wait for the outcome
		var callers sync.WaitGroup
		for i := range 200 {
			keeper := []*venuekey.Keeper{one, two}[i%2]
			callers.Go(func() { keepertest.WantToken(t, keeper, "access-2") })
		}
		callers.Wait()
		if most, total := venue.Shown(); most != 1 || total != 1 {
			t.Fatalf("%d presentations, one token up to %d times", total, most)
		}
	})
}

func TestACallerThatLeavesDoesNotEndTheRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Before: func(ctx context.Context) error { time.Sleep(3 * time.Second); return ctx.Err() }}
		keeper, _ := keepertest.SignedIn(t, venue)
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if _, err := keeper.Refresh(ctx, keepertest.Alice); !errors.Is(err, context.DeadlineExceeded) || !venuekey.Temporary(err) {
			t.Fatalf("the caller got %v", err)
		}
		if err := keeper.Close(); err != nil { // as a program does before it exits
			t.Fatal(err)
		}
		keepertest.WantToken(t, keeper, "access-2")
	})
}

func TestASlowVenueDoesNotKeepAGoodTokenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Before: func(ctx context.Context) error { time.Sleep(20 * time.Second); return nil }}
		keeper, _ := keepertest.SignedIn(t, venue)
		time.Sleep(keepertest.Life * 9 / 10)
		start := time.Now()
		keepertest.WantToken(t, keeper, "access-1")
		if waited := time.Since(start); waited > 6*time.Second {
			t.Fatalf("waited %s for a token that was at hand", waited)
		}
		time.Sleep(time.Minute)
		keepertest.WantToken(t, keeper, "access-2")
	})
}

// What every outcome of a renewal does: to the callers while the old token
// lives and after, to the record, and to the refresh token.
func TestOutcomes(t *testing.T) {
	lost := fails(venuekey.ClassUnknown, "the answer was lost")
	for _, row := range []struct {
		name          string
		policy        venuekey.LostAnswer
		before, after func(context.Context) error
		state         venuekey.State
		reason        string
		mends         bool // a later renewal succeeds once the venue does
		verdict       func(error) bool
		most          int // presentations of one refresh token
	}{
		{name: "not sent", before: fails(venuekey.ClassNotSent, "no route"), state: venuekey.StateDegraded, reason: "no route", mends: true, verdict: venuekey.Temporary, most: 1},
		{name: "later", before: fails(venuekey.ClassLater, "maintenance"), state: venuekey.StateDegraded, reason: "maintenance", mends: true, verdict: venuekey.Temporary, most: 1},
		{name: "misconfigured", before: fails(venuekey.ClassMisconfigured, "wrong secret"), state: venuekey.StateDegraded, reason: "wrong secret", mends: true, verdict: venuekey.Temporary, most: 1},
		{name: "refused", before: fails(venuekey.ClassRefused, "revoked"), state: venuekey.StateNeedsSignIn, reason: "revoked", verdict: venuekey.NeedsSignIn, most: 0},
		// Never is never while there is something to lose: the last chance comes when
		// the access token is dead.
		{name: "lost, never again", policy: venuekey.RetryNever, after: lost, state: venuekey.StateUncertain, reason: "lost", verdict: venuekey.NeedsSignIn, most: 2},
		{name: "lost, until refused", policy: venuekey.RetryUntilRefused, after: lost, state: venuekey.StateUncertain, reason: "lost", verdict: venuekey.NeedsSignIn, most: 2},
		{name: "lost before it arrived, until refused", policy: venuekey.RetryUntilRefused, before: lost, state: venuekey.StateUncertain, reason: "lost", mends: true, verdict: venuekey.NeedsSignIn, most: 1},
		{name: "lost, once more", policy: venuekey.RetryOnce, after: lost, state: venuekey.StateUncertain, reason: "lost", verdict: venuekey.NeedsSignIn, most: 2},
		{name: "lost before it arrived, once more", policy: venuekey.RetryOnce, before: lost, state: venuekey.StateUncertain, reason: "lost", mends: true, verdict: venuekey.NeedsSignIn, most: 1},
		{name: "lost before it arrived, freely", policy: venuekey.RetryFreely, before: lost, state: venuekey.StateDegraded, reason: "lost", mends: true, verdict: venuekey.Temporary, most: 1},
		{name: "an error of no known kind", before: func(context.Context) error { return errLost }, state: venuekey.StateUncertain, reason: "", verdict: venuekey.NeedsSignIn, most: 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: row.policy}, Before: row.before, After: row.after}
				keeper, _ := keepertest.SignedIn(t, venue)
				events := keepertest.Listen(t, keeper)
				time.Sleep(keepertest.Life * 9 / 10)
				keepertest.WantToken(t, keeper, "access-1") // the old one is served while it lives
				keepertest.WantState(t, keeper, row.state, row.reason)
				keepertest.WantToken(t, keeper, "access-1")
				events.Want("found fresh", "trouble "+string(row.state))
				if row.mends {
					venue.Before, venue.After = nil, nil
					time.Sleep(3 * time.Second)
					keepertest.WantToken(t, keeper, "access-2")
					keepertest.WantState(t, keeper, venuekey.StateFresh, "")
					events.Want("recovered fresh")
				} else {
					time.Sleep(keepertest.Life)
					for range 3 {
						if _, err := keeper.Token(t.Context(), keepertest.Alice); !row.verdict(err) {
							t.Fatalf("after the end: %v", err)
						}
					}
				}
				if most, _ := venue.Shown(); most != row.most {
					t.Fatalf("one refresh token was presented %d times, want %d", most, row.most)
				}
			})
		})
	}
}

// A process that died between presenting and saving leaves its intent open. The
// next one must not take the lapsed lease for a free record.
func TestAnIntentLeftByADeadProcess(t *testing.T) {
	for _, row := range []struct {
		policy venuekey.LostAnswer
		access string
		state  venuekey.State
	}{
		{venuekey.RetryNever, "access-1", venuekey.StateUncertain},
		{venuekey.RetryOnce, "access-2", venuekey.StateFresh},
	} {
		synctest.Test(t, func(t *testing.T) {
			venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: row.policy}}
			keeper, store := keepertest.SignedIn(t, venue)
			record, err := store.Get(t.Context(), "token/stage/alice")
			if err != nil {
				t.Fatal(err)
			}
			record.LeaseOwner, record.LeaseUntil = "the dead", time.Now().Add(time.Minute)
			record.IntentAt, record.Attempt = time.Now(), 1
			record.NextRefresh = time.Now()
			if _, err := store.Put(t.Context(), record); err != nil {
				t.Fatal(err)
			}
			fresh := keepertest.New(t, store, venue)
			keepertest.WantState(t, fresh, venuekey.StateRefreshing, "")
			keepertest.WantToken(t, fresh, "access-1")
			keeper.Close()
			time.Sleep(2 * time.Minute)
			keepertest.WantToken(t, fresh, row.access)
			keepertest.WantState(t, fresh, row.state, "")
		})
	}
}

func TestATokenIsDurableBeforeAnybodySeesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{KillsAccess: true}}
		keeper, store := keepertest.SignedIn(t, venue)
		rotated := func(record venuekey.Record) error {
			if record.IntentAt.IsZero() && record.LeaseOwner == "" && record.Condition == venuekey.ConditionGood {
				return keepertest.ErrDiskFull
			}
			return nil
		}
		store.Refuse(rotated)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); !errors.Is(err, keepertest.ErrDiskFull) {
			t.Fatalf("the store refused and the caller got %v", err)
		}
		keepertest.WantToken(t, keeper, "access-1")
		if keeper.Close() == nil {
			t.Fatal("closing lost a token without a word")
		}
		store.Refuse(nil)
		if err := keeper.Close(); err != nil {
			t.Fatal(err)
		}
		keepertest.WantToken(t, keepertest.New(t, store, venue), "access-2")
		if most, _ := venue.Shown(); most != 1 {
			t.Fatalf("the refresh token was presented %d times", most)
		}
	})
}

func TestASignInDuringARenewalWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{After: func(context.Context) error { time.Sleep(5 * time.Second); return nil }}
		keeper, store := keepertest.SignedIn(t, venue)
		other := keepertest.New(t, store, venue)
		go func() { _, _ = keeper.Refresh(t.Context(), keepertest.Alice) }()
		time.Sleep(time.Second)
		if _, err := other.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		keeper.Close()
		for _, k := range []*venuekey.Keeper{keeper, other, keepertest.New(t, store, venue)} {
			keepertest.WantToken(t, k, "access-3")
		}
	})
}

func TestARefusedTokenIsAnsweredWithAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		if _, err := keeper.Reject(t.Context(), keepertest.Alice, "access-1"); !venuekey.Temporary(err) {
			t.Fatalf("a token of this second was renewed again: %v", err)
		}
		time.Sleep(time.Minute)
		token, err := keeper.Reject(t.Context(), keepertest.Alice, "access-1")
		if err != nil || string(token.Access) != "access-2" {
			t.Fatalf("got %s, %v", string(token.Access), err)
		}
		// Whoever reports the old one later adopts what is there.
		token, err = keepertest.New(t, store, venue).Reject(t.Context(), keepertest.Alice, "access-1")
		if err != nil || string(token.Access) != "access-2" {
			t.Fatalf("got %s, %v", string(token.Access), err)
		}
		if _, total := venue.Shown(); total != 1 {
			t.Fatalf("%d renewals", total)
		}
	})
}

func TestRunKeepsEverythingFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, _ := keepertest.SignedIn(t, venue)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- keeper.Run(ctx) }()
		for range 100 {
			time.Sleep(keepertest.Life / 2)
			status, err := keeper.Status(t.Context(), keepertest.Alice)
			if err != nil || status.Left <= 0 {
				t.Fatalf("%+v %v", status, err)
			}
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if most, total := venue.Shown(); most != 1 || total < 60 || total > 68 {
			t.Fatalf("%d renewals in 50 hours, one token up to %d times", total, most)
		}
	})
}

func TestSigningOut(t *testing.T) {
	venue := &keepertest.Venue{}
	keeper, _ := keepertest.SignedIn(t, venue)
	if err := keeper.SignOut(t.Context(), keepertest.Alice, true); err != nil {
		t.Fatal(err)
	}
	if len(venue.Revoked) != 1 || venue.Revoked[0] != "refresh-1" {
		t.Fatalf("revoked %d", len(venue.Revoked))
	}
	if _, err := keeper.Token(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
		t.Fatal(err)
	}
	if err := keeper.SignOut(t.Context(), keepertest.Alice, false); !venuekey.NeedsSignIn(err) {
		t.Fatal(err)
	}
}

func TestGenerationsOnlyGrow(t *testing.T) {
	venue := &keepertest.Venue{}
	keeper, _ := keepertest.SignedIn(t, venue)
	before, _ := keeper.Status(t.Context(), keepertest.Alice)
	for range 3 {
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
	}
	if err := keeper.SignOut(t.Context(), keepertest.Alice, false); err != nil {
		t.Fatal(err)
	}
	if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
		t.Fatal(err)
	}
	if after, _ := keeper.Status(t.Context(), keepertest.Alice); after.Generation <= before.Generation+3 {
		t.Fatalf("generation %d after %d and three renewals", after.Generation, before.Generation)
	}
}

func TestASignInIsNotStartedWhereNothingCanBeKept(t *testing.T) {
	venue := &keepertest.Venue{}
	store := &keepertest.Store{Store: &memory.Store{}}
	store.Refuse(func(venuekey.Record) error { return keepertest.ErrDiskFull })
	if _, err := keepertest.New(t, store, venue).SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); !errors.Is(err, keepertest.ErrDiskFull) {
		t.Fatal(err)
	}
	if venue.Serial != 0 {
		t.Fatal("the user was sent to the venue all the same")
	}
}

func TestExtrasSurviveRenewals(t *testing.T) {
	venue := &keepertest.Venue{}
	keeper, _ := keepertest.SignedIn(t, venue)
	token, err := keeper.Refresh(t.Context(), keepertest.Alice)
	if err != nil || token.Extra("userId") != "7" {
		t.Fatalf("%s, %v", string(token.Extra("userId")), err)
	}
}

func TestAnUnknownVenueNamesTheKnownOnes(t *testing.T) {
	keeper := keepertest.New(t, &memory.Store{}, &keepertest.Venue{})
	_, err := keeper.SignIn(t.Context(), venuekey.ID{Venue: "nowhere", Name: "x"}, keepertest.NoUI{})
	if !venuekey.Misconfigured(err) || err.Error() != "nowhere/x: sign in: unknown venue; known are [stage]" {
		t.Fatal(err)
	}
}

// A machine is suspended between its claim and the venue, and another one renews
// meanwhile. When it wakes up it must not present what is used by now.
func TestWhoOversleepsDoesNotPresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce}}
		sleeper, store := keepertest.SignedIn(t, venue)
		var slept bool
		keepertest.OnStep(sleeper, func(step string) {
			if step == "claimed" && !slept {
				slept = true
				time.Sleep(10 * time.Minute)
			}
		})
		done := make(chan error)
		go func() {
			_, err := sleeper.Refresh(t.Context(), keepertest.Alice)
			done <- err
		}()
		time.Sleep(5 * time.Minute)
		other := keepertest.New(t, store, venue)
		if _, err := other.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !venuekey.Temporary(err) {
			t.Fatal(err)
		}
		keepertest.WantToken(t, sleeper, "access-2")
		if most, total := venue.Shown(); most != 1 || total != 1 {
			t.Fatalf("%d presentations, one token up to %d times", total, most)
		}
		// With nobody else there the next try is as good, and nothing looks uncertain.
		slept = false
		if _, err := sleeper.Refresh(t.Context(), keepertest.Alice); !venuekey.Temporary(err) {
			t.Fatal(err)
		}
		if _, err := sleeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		keepertest.WantState(t, sleeper, venuekey.StateFresh, "")
		keepertest.WantToken(t, sleeper, "access-3")
	})
}

// fastClock is a venue whose answers show this machine's clock to be wrong.
type fastClock struct{ *keepertest.Venue }

func (v fastClock) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	token, err := v.Venue.Login(ctx, app, ui)
	token.ClockAhead = time.Hour
	return token, err
}

// lookingUI looks into the vault when it is told something.
type lookingUI struct {
	keepertest.NoUI
	look func()
}

func (u lookingUI) Tell(string) { u.look() }

func TestASignInIsKeptBeforeTheUIHearsOfIt(t *testing.T) {
	keeper := keepertest.New(t, &memory.Store{}, fastClock{&keepertest.Venue{}})
	told := 0
	_, err := keeper.SignIn(t.Context(), keepertest.Alice, lookingUI{look: func() {
		told++
		if _, _, err := keeper.Vault.Load(t.Context(), keepertest.Alice); err != nil {
			t.Errorf("the UI is told while the vault says: %v", err)
		}
	}})
	if err != nil || told != 1 {
		t.Fatal(told, err)
	}
}
