package venuekey_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// What a policy allows, and not once more; and what gives one more chance.

// Every answer is lost, for days. What a policy allows is used up, with the last
// chance, and then nothing is presented any more.
func TestTheLastChanceIsTheLast(t *testing.T) {
	for name, row := range map[string]struct {
		policy venuekey.LostAnswer
		most   int
	}{
		"never": {venuekey.RetryNever, 2},
		"once":  {venuekey.RetryOnce, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				presented := 0
				venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: row.policy}}
				venue.Before = func(context.Context) error { presented++; return errCut }
				keeper, _ := keepertest.SignedIn(t, venue)
				run(t, keeper, 48*time.Hour)
				for range 3 {
					_, _ = keeper.Token(t.Context(), keepertest.Alice)
					_, _ = keeper.Refresh(t.Context(), keepertest.Alice)
				}
				if presented != row.most {
					t.Errorf("presented %d times, want %d", presented, row.most)
				}
				keepertest.WantState(t, keeper, venuekey.StateNeedsSignIn, "")
			})
		})
	}
}

// Run itself gives a dead sign-in its chance when the app's credentials changed while
// no program ran, whichever of them it was: some venues' are parameters.
func TestRunReconsidersWhatTheAppWasRefusedFor(t *testing.T) {
	for name, mend := range map[string]func(*venuekey.App){
		"client id":     func(app *venuekey.App) { app.ClientID = "other" },
		"client secret": func(app *venuekey.App) { app.ClientSecret = "other" },
		"parameter":     func(app *venuekey.App) { app.Params = map[string]venuekey.Secret{"sec": "other"} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{Before: fails(venuekey.ClassRefused, "denied")}
				store := &memory.Store{}
				app := venuekey.App{Venue: "stage", ClientID: "app", ClientSecret: "secret", Params: map[string]venuekey.Secret{"sec": "secret"}}
				program := func() *venuekey.Keeper {
					keeper := keepertest.New(t, store, venue)
					keeper.Apps = func(context.Context, string) (venuekey.App, error) { return app, nil }
					return keeper
				}
				keeper := program()
				if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
					t.Fatal(err)
				}
				if _, err := keeper.Refresh(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
					t.Fatal(err)
				}
				mend(&app)
				venue.Before = nil
				keeper = program()
				run(t, keeper, time.Minute)
				keepertest.WantState(t, keeper, venuekey.StateFresh, "")
			})
		})
	}
}

// finder is a venue that finds something out about the app at each renewal.
type finder struct{ repeats }

func (v *finder) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	token, err := v.repeats.Refresh(ctx, app, token)
	token.Learned = map[string]string{"method": "GET"}
	return token, err
}

// What a renewal finds out about the app is written once, not at each renewal.
func TestWhatARenewalFindsOutIsWrittenOnce(t *testing.T) {
	writes := 0
	store := &keepertest.Store{Store: &memory.Store{}, Refuses: func(record venuekey.Record) error {
		if record.Key == "app/stage" {
			writes++
		}
		return nil
	}}
	keeper := keepertest.New(t, store, &finder{})
	keeper.Apps = nil
	if err := keeper.Vault.SaveApp(t.Context(), venuekey.App{Venue: "stage"}); err != nil {
		t.Fatal(err)
	}
	if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
	}
	if app, err := keeper.Vault.App(t.Context(), "stage"); err != nil || app.Param("method") != "GET" || writes != 2 {
		t.Fatalf("method %q, %d writes of the app, %v", string(app.Param("method")), writes, err)
	}
}

// A renewal's answer does not repeat who signed in and what the token may do.
func TestWhatARenewalDoesNotRepeatStaysKnown(t *testing.T) {
	keeper := keepertest.New(t, &memory.Store{}, &repeats{})
	now := time.Now()
	token := venuekey.Token{Access: "a", Refresh: "r", Issued: now, Expires: now.Add(keepertest.Life), User: "alice (user 7)", Scopes: []string{"trading"}}
	if _, err := keeper.Adopt(t.Context(), keepertest.Alice, token); err != nil {
		t.Fatal(err)
	}
	renewed, err := keeper.Refresh(t.Context(), keepertest.Alice)
	if err != nil || renewed.Access != "a+" || renewed.User != token.User || len(renewed.Scopes) != 1 {
		t.Fatalf("%q %q %v", renewed.User, renewed.Scopes, err)
	}
}

// A program saved a token without saying when it is due, and no program asks for it.
func TestRunFindsWhatWasSavedWithoutASchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper := keepertest.New(t, &memory.Store{}, &repeats{})
		now := time.Now()
		token := venuekey.Token{Access: "a", Refresh: "r", Issued: now, Expires: now.Add(keepertest.Life)}
		if _, err := keeper.Vault.Save(t.Context(), venuekey.Record{Key: "token/" + keepertest.Alice.String(), Generation: 1}, token); err != nil {
			t.Fatal(err)
		}
		run(t, keeper, keepertest.Life)
		if token, _, err := keeper.Vault.Load(t.Context(), keepertest.Alice); err != nil || token.Access != "a+" {
			t.Fatalf("%s, %v", string(token.Access), err)
		}
	})
}

// A program asks again and again for a token that is dead, while the venue wants to
// be left alone. That it is put off is written once.
func TestWhoAsksWhileTheBudgetIsClosedWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Metered{}
		writes := 0
		store := &keepertest.Store{Store: &memory.Store{}, Refuses: func(venuekey.Record) error { writes++; return nil }}
		keeper := keepertest.New(t, store, venue)
		ids := keepertest.Populate(t, keeper, 2)
		time.Sleep(2 * keepertest.Life)
		venue.Set(maintenance(10 * time.Hour))
		if _, err := keeper.Token(t.Context(), ids[0]); !venuekey.Temporary(err) {
			t.Fatal(err)
		}
		writes = 0
		for range 600 {
			if _, err := keeper.Token(t.Context(), ids[1]); !venuekey.Temporary(err) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if writes > 3 {
			t.Errorf("%d writes in ten minutes", writes)
		}
	})
}

// Of those whose turn did not come, the one with the least of its life left comes
// first.
func TestWhoHasLeastLeftIsPutOffForLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Metered{}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		old := keepertest.Populate(t, keeper, 1)[0]
		time.Sleep(keepertest.Life / 10)
		young := venuekey.ID{Venue: "stage", Name: "young"}
		if _, err := keeper.SignIn(t.Context(), young, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(keepertest.Life * 80 / 100)
		venue.Set(maintenance(100 * time.Second))
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); !venuekey.Temporary(err) {
			t.Fatal(err)
		}
		var next []time.Time
		for _, id := range []venuekey.ID{old, young} {
			if _, err := keeper.Token(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			status, err := keeper.Status(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			next = append(next, status.NextRefresh)
		}
		if between := next[1].Sub(next[0]); between < 2*time.Second || between > 4*time.Second {
			t.Errorf("the older one comes %s before the younger", between)
		}
	})
}

// A venue asks the policy before it goes another way to its endpoint.
func TestAnotherWayIsForHarmlessReuseOnly(t *testing.T) {
	for policy, want := range map[venuekey.LostAnswer]bool{venuekey.RetryNever: false, venuekey.RetryOnce: false, venuekey.RetryUntilRefused: true, venuekey.RetryFreely: true} {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: policy}}
		keeper, _ := keepertest.SignedIn(t, venue)
		may := !want
		venue.Before = func(ctx context.Context) error { may = venuekey.MayPresentTwice(ctx); return nil }
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil || may != want {
			t.Errorf("policy %d: %t, %v", policy, may, err)
		}
	}
}
