package venuekey_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
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
		"never": {venuekey.Never, 2},
		"once":  {venuekey.Once, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				presented := 0
				venue := &stageVenue{policy: venuekey.Policy{AfterLostAnswer: row.policy}}
				venue.before = func(context.Context) error { presented++; return errCut }
				keeper, _ := signedIn(t, venue)
				run(t, keeper, 48*time.Hour)
				for range 3 {
					_, _ = keeper.Token(t.Context(), alice)
					_, _ = keeper.Refresh(t.Context(), alice)
				}
				if presented != row.most {
					t.Errorf("presented %d times, want %d", presented, row.most)
				}
				mustState(t, keeper, venuekey.StateNeedsSignIn, "")
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
				venue := &stageVenue{before: fails(venuekey.Refused, "denied")}
				store := &memory.Store{}
				app := venuekey.App{Venue: "stage", ClientID: "app", ClientSecret: "secret", Params: map[string]venuekey.Secret{"sec": "secret"}}
				program := func() *venuekey.Keeper {
					keeper := newKeeper(t, store, venue)
					keeper.Apps = func(context.Context, string) (venuekey.App, error) { return app, nil }
					return keeper
				}
				keeper := program()
				if _, err := keeper.SignIn(t.Context(), alice, silent{}); err != nil {
					t.Fatal(err)
				}
				if _, err := keeper.Refresh(t.Context(), alice); !venuekey.NeedsSignIn(err) {
					t.Fatal(err)
				}
				mend(&app)
				venue.before = nil
				keeper = program()
				run(t, keeper, time.Minute)
				mustState(t, keeper, venuekey.StateFresh, "")
			})
		})
	}
}
