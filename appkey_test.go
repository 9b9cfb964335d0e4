package venuekey_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// keyed is a venue at which the app's own key signs in.
type keyed struct {
	renewals int
	failure  error
}

func (*keyed) Name() string { return "keyed" }

func (*keyed) Policy() venuekey.Policy {
	return venuekey.Policy{RenewsWith: venuekey.RenewWithAppKey, DefaultLife: 24 * time.Hour}
}

func (k *keyed) Login(context.Context, venuekey.App, venuekey.UI) (venuekey.Token, error) {
	now := time.Now()
	return venuekey.Token{Access: "access", Issued: now, Expires: now.Add(24 * time.Hour)}, nil
}

func (k *keyed) Refresh(ctx context.Context, app venuekey.App, _ venuekey.Token) (venuekey.Token, error) {
	if err := venuekey.BeforeSending(ctx); err != nil {
		return venuekey.Token{}, err
	}
	if k.failure != nil {
		return venuekey.Token{}, k.failure
	}
	k.renewals++
	return k.Login(ctx, app, nil)
}

// As long as the key is good, no outage ends the sign-in: nobody is asked.
func TestTheAppsOwnKeyRenewsAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue, app := &keyed{}, venuekey.App{Venue: "keyed"}
		keeper := &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}}, Venues: []venuekey.Venue{venue},
			Apps: func(context.Context, string) (venuekey.App, error) { return app, nil }}
		id := venuekey.ID{Venue: "keyed", Name: "alice"}
		if _, err := keeper.SignIn(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
		status, err := keeper.Status(t.Context(), id)
		if err != nil || status.NextRefresh.IsZero() || status.Ending != venuekey.EndNever {
			t.Fatalf("%+v %v", status, err)
		}

		time.Sleep(40 * time.Hour)
		venue.failure = &venuekey.Error{Class: venuekey.ClassUnknown, Reason: "no answer"}
		if _, err := keeper.Token(t.Context(), id); !venuekey.Temporary(err) {
			t.Fatalf("an answer that was lost: %v", err)
		}
		if status, _ = keeper.Status(t.Context(), id); status.State != venuekey.StateExpired {
			t.Errorf("%s: %s", status.State, status.Reason)
		}
		venue.failure = nil
		time.Sleep(10 * time.Minute)
		if token, err := keeper.Token(t.Context(), id); err != nil || !token.Valid(time.Now()) || venue.renewals != 1 {
			t.Fatalf("%v %d", err, venue.renewals)
		}

		time.Sleep(30 * time.Hour)
		venue.failure = &venuekey.Error{Class: venuekey.ClassRefused, Reason: "the key is not accepted"}
		if _, err := keeper.Token(t.Context(), id); !venuekey.NeedsSignIn(err) {
			t.Fatalf("a key that is dead: %v", err)
		}
		// Another key is another chance.
		venue.failure, app.Params = nil, map[string]venuekey.Secret{"key": "another"}
		if _, err := keeper.Token(t.Context(), id); err != nil {
			t.Fatalf("another key: %v", err)
		}
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
	})
}
