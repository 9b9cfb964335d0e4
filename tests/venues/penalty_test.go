package venues_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/keepertest"
)

// penalty_test.go tests time penalties and failed sign-ins at Tradovate, with the venue's
// own policy: a penalty is waited out once, and nobody is locked out.

// listening is a user who signs in and keeps what was told.
type listening struct {
	keepertest.Paster
	mu   sync.Mutex
	told []string
}

func (u *listening) Tell(line string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.told = append(u.told, line)
}

func (u *listening) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return map[string]venuekey.Secret{"name": venuekey.Secret(u.Person.Name), "password": venuekey.Secret(u.Person.Password)}, nil
}

// user returns a user of the emulator's who types a password.
func (d *desk) user(password venuekey.Secret) *listening {
	person := emulator.Person{Name: "alice", Password: string(password), Client: &http.Client{Transport: d.way.venue}}
	return &listening{Paster: keepertest.Paster{Person: person, URL: make(chan string, 1)}}
}

var alice = venuekey.ID{Venue: "tradovate", Name: "alice"}

// penalised has the next sign-in by password penalised once.
var penalised = tradovateemu.Knobs{Penalties: 1, PenaltyOn: emulator.AtLogin, PenaltyWait: 40 * time.Second}

func TestAPenalisedSignInGoesOnByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, penalised)
		begun, user := time.Now(), d.user("wonderland")
		if _, err := d.keeper.SignIn(t.Context(), alice, user); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 40*time.Second || took > 45*time.Second {
			t.Errorf("it took %s", took)
		}
		if told := strings.Join(user.told, "\n"); !strings.Contains(told, "wait of 40s") || !strings.Contains(told, "Still 30s.") || !strings.Contains(told, "Still 5s.") {
			t.Error(told)
		}
		d.wantPenalties(1)
	})
}

// A sign-in that is interrupted in its wait leaves the ticket to the next one, in whatever
// program, which waits for the rest only. The ticket is sealed.
func TestAnInterruptedWaitGoesOnInTheNextSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, penalised)
		ctx, stop := context.WithTimeout(t.Context(), 15*time.Second)
		defer stop()
		if _, err := d.keeper.SignIn(ctx, alice, d.user("wonderland")); err == nil {
			t.Fatal("it did not wait")
		}
		records, err := d.store.List(t.Context(), "ticket/", "", 10)
		if err != nil || len(records) != 1 || len(records[0].Sealed) == 0 || records[0].Text != "" {
			t.Fatalf("%v %v", records, err)
		}
		begun := time.Now()
		if _, err := d.program().SignIn(t.Context(), alice, d.user("wonderland")); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 25*time.Second || took > 30*time.Second {
			t.Errorf("it took %s", took)
		}
		d.wantPenalties(1)
		if records, _ := d.store.List(t.Context(), "ticket/", "", 10); len(records) != 0 {
			t.Error("the ticket is still there")
		}
	})
}

// Two programs that sign the same user in join one wait, and one of them presents the
// ticket. Afterwards the other is a sign-in like any.
func TestTwoSignInsJoinOneWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, penalised)
		var both sync.WaitGroup
		for i := range 2 {
			both.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Second)
				if _, err := d.program().SignIn(t.Context(), alice, d.user("wonderland")); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		d.wantPenalties(1)
	})
}

// The ticket of one password is not presented with another.
func TestAnotherPasswordGoesOutWithoutTheTicket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, penalised)
		ctx, stop := context.WithTimeout(t.Context(), 15*time.Second)
		defer stop()
		_, _ = d.keeper.SignIn(ctx, alice, d.user("wrong"))
		user := d.user("wonderland")
		if _, err := d.keeper.SignIn(t.Context(), alice, user); err != nil {
			t.Fatal(err)
		}
		if told := strings.Join(user.told, "\n"); !strings.Contains(told, "another request") {
			t.Error(told)
		}
	})
}

// A captcha is nothing for a program: for an hour every sign-in says so without asking.
func TestACaptchaIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		knobs := penalised
		knobs.PenaltyCaptcha = true
		d := openDesk(t, false, knobs)
		for range 3 {
			_, err := d.keeper.SignIn(t.Context(), alice, d.user("wonderland"))
			if venuekey.ClassOf(err) != venuekey.ClassLater || !strings.Contains(err.Error(), "captcha") {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		d.wantPenalties(1)
		time.Sleep(time.Hour)
		if _, err := d.keeper.SignIn(t.Context(), alice, d.user("wonderland")); err != nil {
			t.Fatal(err)
		}
	})
}

// A penalised refresh was not executed: it is sent again with the ticket, and nothing is
// lost or uncertain.
func TestAPenalisedRefreshIsSentAgainWithItsTicket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, true, tradovateemu.Knobs{})
		id := d.signIn("alice")
		time.Sleep(90 * time.Minute) // the access token is dead
		d.server.Tune(func(k *tradovateemu.Knobs) {
			k.Penalties, k.PenaltyOn, k.PenaltyWait = 1, emulator.AtToken, 40*time.Second
		})
		d.run(3 * time.Minute)
		d.wantGood(id, "after the penalty")
		d.wantPenalties(1)
		if n := d.server.Log().Count(emulator.EventRefreshGranted); n != 1 {
			t.Errorf("%d refreshes", n)
		}
	})
}

// A loop that signs in with a wrong password, in two programs, is stopped before the venue
// stops it, and says until when.
func TestACrashLoopOfSignInsIsNeverLockedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{PenaltyAfter: 5})
		programs := []*venuekey.Keeper{d.keeper, d.program()}
		for i := range 40 {
			_, err := programs[i%2].SignIn(t.Context(), alice, d.user("wrong"))
			if class := venuekey.ClassOf(err); i < 4 && class != venuekey.ClassRefused || i >= 4 && class != venuekey.ClassLater {
				t.Fatalf("attempt %d: %v", i, err)
			}
			if i >= 4 && !strings.Contains(err.Error(), "4 sign-ins have failed") {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := d.server.Log().Count(emulator.EventLoginRefused); n != 4 {
			t.Errorf("%d wrong passwords arrived", n)
		}
		d.wantPenalties(0)
		time.Sleep(time.Hour)
		if _, err := d.keeper.SignIn(t.Context(), alice, d.user("wonderland")); err != nil {
			t.Fatal(err)
		}
	})
}

// Sign-ins that go well use nothing up.
func TestGoodSignInsAreNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		for range 10 {
			d.signIn("alice")
		}
	})
}

func (d *desk) wantPenalties(want int) {
	d.t.Helper()
	if n := d.server.Log().Count(emulator.EventPenalty); n != want {
		d.t.Errorf("%d penalties, want %d\n%s", n, want, d.told(12))
	}
}
