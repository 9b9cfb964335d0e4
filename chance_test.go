package venuekey_test

import (
	"context"
	"errors"
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

// What is done with the chances that a policy leaves after a lost answer.

var errCut = &venuekey.Error{Class: venuekey.ClassUnknown, Reason: "the connection was cut"}

// A load balancer restarts: every connection is cut for a while, and the venue
// never sees a request. Where reuse is merely refused, that costs nothing,
// however long it lasts.
func TestCutConnectionsDoNotLoseASignIn(t *testing.T) {
	for _, outage := range []time.Duration{3 * time.Second, 5 * time.Minute, 3 * keepertest.Life} {
		synctest.Test(t, func(t *testing.T) {
			venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryUntilRefused}}
			keeper, _ := keepertest.SignedIn(t, venue)
			time.Sleep(keepertest.Life * 8 / 10)
			end := time.Now().Add(outage)
			venue.Before = func(context.Context) error {
				if time.Now().Before(end) {
					return errCut
				}
				return nil
			}
			run(t, keeper, outage+10*time.Minute)
			keepertest.WantState(t, keeper, venuekey.StateFresh, "")
			if most, _ := venue.Shown(); most != 1 {
				t.Fatalf("the venue saw one token %d times", most)
			}
		})
	}
}

// run keeps everything fresh for a while.
func run(t *testing.T, keeper *venuekey.Keeper, d time.Duration) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	if err := keeper.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

// Where reuse is punished, the one chance is kept until the venue is seen to
// answer, and is used before the access token dies.
func TestTheOneChanceWaitsForTheVenue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce, RefreshAt: 0.5}}
		keeper, _ := keepertest.SignedIn(t, venue)
		time.Sleep(keepertest.Life / 2)
		end := time.Now().Add(4 * time.Minute)
		asked := 0
		venue.Before = func(context.Context) error {
			asked++
			if time.Now().Before(end) {
				return errCut
			}
			return nil
		}
		venue.Unseen = func() error {
			if time.Now().Before(end) {
				return &venuekey.Error{Class: venuekey.ClassUnknown, Reason: "a page in place of JSON"}
			}
			return nil
		}
		run(t, keeper, 2*time.Minute)
		keepertest.WantState(t, keeper, venuekey.StateUncertain, "does not answer yet: a page in place of JSON")
		keepertest.WantToken(t, keeper, "access-1")
		run(t, keeper, 10*time.Minute)
		keepertest.WantToken(t, keeper, "access-2")
		if asked != 2 {
			t.Fatalf("presented %d times, want once in vain and once when the venue was seen", asked)
		}
	})
}

// A venue forgives a second presentation for ten seconds. Inside them the chance
// is used as soon as the venue is seen; after them it is not used while the access
// token lives, since it would end the sign-in.
func TestTheOneChanceKeepsToTheGraceWindow(t *testing.T) {
	for _, row := range []struct {
		name   string
		outage time.Duration
		within time.Duration // of the first presentation
		after  time.Duration
	}{
		{"short", 4 * time.Second, 8 * time.Second, 4 * time.Second},
		{"long", 15 * time.Second, keepertest.Life, keepertest.Life / 10},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce, Grace: 10 * time.Second}}
				keeper, _ := keepertest.SignedIn(t, venue)
				time.Sleep(keepertest.Life * 8 / 10)
				end := time.Now().Add(row.outage)
				var at []time.Time
				away := func() error {
					if time.Now().Before(end) {
						return errCut
					}
					return nil
				}
				venue.Before = func(context.Context) error { at = append(at, time.Now()); return away() }
				venue.Unseen = away
				for range 2 * keepertest.Life / time.Second {
					_, _ = keeper.Token(t.Context(), keepertest.Alice)
					time.Sleep(time.Second)
					if len(at) > 1 {
						break
					}
				}
				if len(at) != 2 {
					t.Fatalf("presented %d times", len(at))
				}
				if gap := at[1].Sub(at[0]); gap > row.within || gap < row.after {
					t.Fatalf("presented again after %s, want %s to %s", gap, row.after, row.within)
				}
				keepertest.WantToken(t, keeper, "access-2")
			})
		})
	}
}

// Under any policy: where the access token is dead and a human is needed anyway,
// one more presentation can only win. It is one.
func TestTheLastChance(t *testing.T) {
	for _, row := range []struct {
		name     string
		policy   venuekey.LostAnswer
		arrived  bool // the first request did, and the venue rotated
		mostSeen int
	}{
		{"never, and nothing arrived", venuekey.RetryNever, false, 1},
		{"never, and it arrived", venuekey.RetryNever, true, 2},
		{"once, and nothing arrived", venuekey.RetryOnce, false, 1},
		{"once, and it arrived", venuekey.RetryOnce, true, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: row.policy}}
				keeper, _ := keepertest.SignedIn(t, venue)
				time.Sleep(keepertest.Life * 8 / 10)
				lost := func(context.Context) error { return errCut }
				if row.arrived {
					venue.After = lost
				} else {
					venue.Before = lost
				}
				run(t, keeper, keepertest.Life/10) // a first time, and the retry of a policy that has one
				venue.Before, venue.After = nil, nil
				if row.policy == venuekey.RetryNever {
					keepertest.WantToken(t, keeper, "access-1")
					keepertest.WantState(t, keeper, venuekey.StateUncertain, "cut")
				}
				run(t, keeper, 2*keepertest.Life)
				status, err := keeper.Status(t.Context(), keepertest.Alice)
				if err != nil || row.arrived != (status.State == venuekey.StateNeedsSignIn) {
					t.Fatalf("%+v %v", status, err)
				}
				if most, _ := venue.Shown(); most > row.mostSeen {
					t.Fatalf("the venue saw one token %d times, want at most %d", most, row.mostSeen)
				}
			})
		})
	}
}

// The clock that bounds a connection stands still in a suspend. Who wakes with
// the first byte still unsent sends nothing.
func TestWhoSleepsBeforeTheFirstByteDoesNotPresent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryNever}}
		sleeper, store := keepertest.SignedIn(t, venue)
		venue.Before = func(ctx context.Context) error {
			venue.Before = nil
			time.Sleep(10 * time.Minute) // connecting, and a suspend in the middle of it
			return venuekey.BeforeSending(ctx)
		}
		done := make(chan error)
		go func() {
			_, err := sleeper.Refresh(t.Context(), keepertest.Alice)
			done <- err
		}()
		time.Sleep(5 * time.Minute)
		other := keepertest.New(t, store, venue)
		keepertest.WantToken(t, other, "access-1")
		if _, err := other.Refresh(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
			t.Fatalf("another program takes the open intent for a lost answer, but said %v", err)
		}
		if err := <-done; !venuekey.Temporary(err) {
			t.Fatal(err)
		}
		if _, total := venue.Shown(); total != 0 {
			t.Fatal("the sleeper presented")
		}
		// It knows better than the other: nothing was sent.
		if _, err := other.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		keepertest.WantToken(t, other, "access-2")
	})
}

func TestBeforeSendingOutsideARenewal(t *testing.T) {
	if err := venuekey.BeforeSending(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// picky is a venue that refuses everybody who has the wrong secret, in the same
// words as it refuses a used token.
type picky struct{ keepertest.Venue }

func (v *picky) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if app.ClientSecret != "right" {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Code: "ACCESS_DENIED", Reason: "access denied"}
	}
	return v.Venue.Refresh(ctx, app, token)
}

// A refusal may have been about the app. The sign-in gets one more chance when the
// app's credentials change, whoever looks first: a program that asks for the token,
// or Run; and one more when a human insists.
func TestARefusalThatWasAboutTheApp(t *testing.T) {
	for name, mend := range map[string]func(*testing.T, *venuekey.Keeper){
		"a program asks": func(t *testing.T, keeper *venuekey.Keeper) { keepertest.WantToken(t, keeper, "access-2") },
		"run":            func(t *testing.T, keeper *venuekey.Keeper) { run(t, keeper, time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &picky{}
				keeper := keepertest.New(t, &memory.Store{}, venue)
				app := venuekey.App{Venue: "stage", ClientID: "app", ClientSecret: "wrong"}
				keeper.Apps = func(context.Context, string) (venuekey.App, error) { return app, nil }
				if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
					t.Fatal(err)
				}
				if _, err := keeper.Refresh(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
					t.Fatal(err)
				}
				run(t, keeper, time.Minute)
				keepertest.WantState(t, keeper, venuekey.StateNeedsSignIn, "denied")
				app.ClientSecret = "right"
				mend(t, keeper)
				keepertest.WantToken(t, keeper, "access-2")
				keepertest.WantState(t, keeper, venuekey.StateFresh, "")
			})
		})
	}
}

// A running program that reads its apps from the vault hears of another secret.
func TestAnAppThatChangesInTheVault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &picky{}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		keeper.Apps = nil
		app := venuekey.App{Venue: "stage", ClientID: "app", ClientSecret: "wrong"}
		if err := keeper.Vault.SaveApp(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() { run(t, keeper, 10*time.Minute) })
		time.Sleep(time.Minute)
		app.ClientSecret = "right"
		if err := keeper.Vault.SaveApp(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		running.Wait()
		keepertest.WantState(t, keeper, venuekey.StateFresh, "")
	})
}

func TestAHumanInsists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Before: fails(venuekey.ClassRefused, "revoked")}
		keeper, _ := keepertest.SignedIn(t, venue)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		venue.Before = nil // the venue had said so by mistake
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); !venuekey.NeedsSignIn(err) {
			t.Fatalf("a refusal is the last word for programs: %v", err)
		}
		if _, err := keeper.RefreshAgain(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		keepertest.WantState(t, keeper, venuekey.StateFresh, "")
	})
}

// learner is a venue that finds out something about the app.
type learner struct{ keepertest.Venue }

func (v *learner) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	token, err := v.Venue.Login(ctx, app, ui)
	token.Learned, token.Notes = map[string]string{"method": "GET"}, []string{"it came late"}
	return token, err
}

func TestWhatASignInFindsOutAboutTheAppIsKept(t *testing.T) {
	keeper := keepertest.New(t, &memory.Store{}, &learner{})
	keeper.Apps = nil
	log := logged(keeper)
	if err := keeper.Vault.SaveApp(t.Context(), venuekey.App{Venue: "stage", Params: map[string]venuekey.Secret{"other": "stays"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err != nil {
		t.Fatal(err)
	}
	app, err := keeper.Vault.App(t.Context(), "stage")
	if err != nil || app.Param("method") != "GET" || app.Param("other") != "stays" {
		t.Fatalf("%+v %v", app, err)
	}
	if !strings.Contains(log.String(), "it came late") {
		t.Fatalf("the log does not say what was odd: %s", log.String())
	}
}

// repeats is a venue that gives the same refresh token again, without its end.
type repeats struct{ keepertest.Venue }

func (v *repeats) Refresh(_ context.Context, _ venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	now := time.Now()
	return venuekey.Token{Access: token.Access + "+", Refresh: token.Refresh, Issued: now, Expires: now.Add(keepertest.Life)}, nil
}

func TestTheEndOfARefreshTokenThatIsRepeatedStaysKnown(t *testing.T) {
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
		end := time.Now().Add(10 * 24 * time.Hour).UTC()
		token.RefreshExpires = end
		if _, err := keeper.Vault.Save(t.Context(), record, token); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
				t.Fatal(err)
			}
		}
		if status, err := keeper.Status(t.Context(), keepertest.Alice); err != nil || !status.RefreshExpires.Equal(end) {
			t.Fatalf("%s %v, want %s", status.RefreshExpires, err, end)
		}
	})
}

// After an outage thousands wait for the venue to be seen. One look a second is
// enough for all.
func TestALookAtTheVenueCountsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryOnce, Pace: time.Millisecond}}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		ids := keepertest.Populate(t, keeper, 500)
		venue.Before = func(context.Context) error { return errCut }
		var looks atomic.Int32
		venue.Unseen = func() error { looks.Add(1); return errCut }
		time.Sleep(keepertest.Life * 8 / 10)
		run(t, keeper, time.Minute)
		if n := looks.Load(); n < 2 || n > 61 {
			t.Fatalf("the venue was looked at %d times in a minute for %d sign-ins", n, len(ids))
		}
	})
}
