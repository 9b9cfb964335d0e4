package venues_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
)

// rivals_test.go tests sign-ins that end others of the same user: the user is asked before
// anything is sent, and whoever lost a session hears of it.

// answering is a user who is asked, and says yes or no.
type answering struct {
	*listening
	yes   bool
	asked []string
}

func (u *answering) Confirm(_ context.Context, question string) (bool, error) {
	u.asked = append(u.asked, question)
	return u.yes, nil
}

// at returns an ID at Tradovate.
func at(name string) venuekey.ID { return venuekey.ID{Venue: "tradovate", Name: name} }

// anyway signs in whatever that ends.
var anyway = venuekey.SignInOptions{EndOldest: true}

// A third sign-in of a user ends the oldest: its status says so at once, and its programs
// hear of it within a minute, while those of the others go on.
func TestTheOldestSessionIsKnownToHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		first, second := d.signIn("first"), d.signIn("second")
		user, third := d.user("wonderland"), at("third")
		if _, err := d.keeper.SignInWith(t.Context(), third, user, anyway); err != nil {
			t.Fatal(err)
		}
		if told := strings.Join(user.told, "\n"); !strings.Contains(told, "tradovate/first") || strings.Contains(told, "tradovate/second") {
			t.Error(told)
		}
		status, err := d.keeper.Status(t.Context(), first)
		if err != nil || !strings.Contains(status.Reason, "tradovate/third has just begun another") {
			t.Errorf("%+v %v", status, err)
		}
		d.run(time.Minute)
		if _, err := d.keeper.Token(t.Context(), first); !venuekey.NeedsSignIn(err) {
			t.Error(err)
		}
		d.wantGood(second, "the second")
		d.wantGood(third, "the third")
	})
}

// Without a yes nothing is sent, and every sign-in is as good as before.
func TestASignInThatWouldEndAnotherAsksFirst(t *testing.T) {
	for _, row := range []struct {
		name string
		ui   func(d *desk) venuekey.UI
		sent bool
	}{
		{"nobody can be asked", func(d *desk) venuekey.UI { return d.user("wonderland") }, false},
		{"no", func(d *desk) venuekey.UI { return &answering{listening: d.user("wonderland")} }, false},
		{"yes", func(d *desk) venuekey.UI { return &answering{listening: d.user("wonderland"), yes: true} }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openDesk(t, false, tradovateemu.Knobs{})
				first, second := d.signIn("first"), d.signIn("second")
				d.run(2 * time.Hour) // whatever was renewed meanwhile
				ui := row.ui(d)
				_, err := d.keeper.SignIn(t.Context(), at("third"), ui)
				if errors.Is(err, venuekey.ErrEndsOldest) == row.sent || row.sent != (err == nil) {
					t.Fatal(err)
				}
				if to, ok := ui.(*answering); ok && (len(to.asked) != 1 || !strings.Contains(to.asked[0], "ends tradovate/first")) {
					t.Errorf("asked %q", to.asked)
				}
				if granted, refused := d.logins(); granted != 2 && !row.sent || refused != 0 {
					t.Errorf("%d sign-ins arrived", granted)
				}
				d.wantGood(second, "the second")
				if !row.sent {
					d.wantGood(first, "the first")
				}
			})
		})
	}
}

// Who signs in again under the same ID has two sessions too, of which the vault knows one; the
// oldest of all may be another's.
func TestASignInUnderTheSameIDCountsTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		other := d.signIn("other")
		time.Sleep(time.Minute)
		id := d.signIn("bot")
		ui := &answering{listening: d.user("wonderland")}
		if _, err := d.keeper.SignIn(t.Context(), id, ui); !errors.Is(err, venuekey.ErrEndsOldest) || len(ui.asked) != 1 || !strings.Contains(ui.asked[0], "ends tradovate/other") {
			t.Fatalf("%v, asked %q", err, ui.asked)
		}
		d.wantGood(other, "the other")
		if _, err := d.keeper.SignInWith(t.Context(), id, d.user("wonderland"), anyway); err != nil {
			t.Fatal(err)
		}
		d.run(time.Minute)
		if _, err := d.keeper.Token(t.Context(), other); !venuekey.NeedsSignIn(err) {
			t.Error("nobody told the other:", err)
		}
		// The oldest is this ID's own earlier one now, which nobody misses.
		if _, err := d.keeper.SignIn(t.Context(), id, d.user("wonderland")); err != nil {
			t.Error(err)
		}
		d.wantGood(id, "the bot")
	})
}

// Other users, dead sign-ins and sign-ins at venues that count no sessions are no rivals.
func TestWhoIsNoRival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		for i, name := range []string{"alice", "user0", "user1", "user2"} {
			d.server.Users = append(d.server.Users, emulator.User{Name: name, Password: "wonderland", ID: int64(1001 + i)})
		}
		d.crowd(3)
		if _, err := d.keeper.SignIn(t.Context(), at("alice"), d.user("wonderland")); err != nil {
			t.Error("beside three other users:", err)
		}
		d.signIn("second")
		time.Sleep(3 * time.Hour) // all have expired
		if _, err := d.keeper.SignIn(t.Context(), at("third"), d.user("wonderland")); err != nil {
			t.Error("beside two dead ones:", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a code says who signs in only afterwards
		d := openDesk(t, true, tradovateemu.Knobs{OAuthSessions: true})
		first := d.signIn("first")
		d.signIn("second")
		d.signIn("third")
		d.run(time.Hour) // its refresh token is in doubt for a quarter of an hour
		if _, err := d.keeper.Token(t.Context(), first); !venuekey.NeedsSignIn(err) {
			t.Error(err)
		}
	})
}

// A program does not sign in with a kept password if that ends another sign-in of the user.
func TestAKeptPasswordEndsNoOtherSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		id := d.keep()
		time.Sleep(2 * time.Hour)
		second, third := d.signIn("second"), d.signIn("third")
		if _, err := d.keeper.Token(t.Context(), id); err == nil || !strings.Contains(err.Error(), "tradovate/second") {
			t.Fatal(err)
		}
		d.run(3 * time.Hour)
		d.wantGood(second, "the second")
		d.wantGood(third, "the third")
		if granted, _ := d.logins(); granted != 3 {
			t.Errorf("%d sign-ins", granted)
		}
	})
}
