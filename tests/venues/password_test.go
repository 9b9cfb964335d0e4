package venues_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// password_test.go tests sign-ins that a program repeats with a kept password, with the
// venue's own policy: they outlast a weekend, and never lock anybody out.

// keep signs alice in and has her password kept.
func (d *desk) keep() venuekey.ID {
	d.t.Helper()
	if _, err := d.keeper.SignInWith(d.t.Context(), alice, d.user("wonderland"), venuekey.SignInOptions{KeepPassword: true}); err != nil {
		d.t.Fatal(err)
	}
	return alice
}

// logins counts the sign-ins by password that arrived at the venue.
func (d *desk) logins() (granted, refused int) {
	return d.server.Log().Count(emulator.EventLoginGranted), d.server.Log().Count(emulator.EventLoginRefused)
}

// answering has every sign-in by password answered in the venue's place until it is mended.
func (d *desk) answering(status int, body string, each func()) (mended func()) {
	whole := d.way.venue
	d.way.venue = keepertest.InProcess{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(strings.ToLower(r.URL.Path), "/accesstokenrequest") {
			whole.Handler.ServeHTTP(w, r)
			return
		}
		each()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})}
	return func() { d.way.venue = whole }
}

// sleepUntil sleeps until a time of the venue's clock in the first week of 2000.
func sleepUntil(t *testing.T, day, hour int) {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(time.Date(2000, 1, day, hour, 0, 0, 0, zone)))
}

// From Friday noon to Monday noon the venue answers nothing in its own windows, and the token
// dies in the one of Friday evening. With a kept password the sign-in is alive soon after each
// window, by a single sign-in each time; without one it is over, and says so.
func TestAKeptPasswordOutlastsAWeekend(t *testing.T) {
	kinds := []string{"503"}
	if needs.Slow() {
		kinds = []string{"refused", "503", "HTML", "hanging", "cut after"}
	}
	for _, kind := range kinds {
		synctest.Test(t, func(t *testing.T) {
			d := openDesk(t, false, tradovateemu.Knobs{})
			sleepUntil(t, 7, 12) // Friday
			id := d.keep()
			windows := tradovate.Venue{}.Policy().Maintenance
			for end := time.Now().Add(72 * time.Hour); time.Now().Before(end); {
				w, _ := windows.Next(time.Now())
				d.run(time.Until(w.From))
				d.wantGood(id, "before maintenance")
				d.outage(kind, time.Until(w.To))
				d.run(time.Until(w.To) + 5*time.Minute)
				d.wantGood(id, "after maintenance")
			}
			if granted, refused := d.logins(); granted > 3 || refused > 0 {
				t.Errorf("%s: %d sign-ins, %d refused\n%s", kind, granted, refused, d.told(20))
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		sleepUntil(t, 7, 12)
		id := d.signIn("alice")
		w, _ := tradovate.Venue{}.Policy().Maintenance.Next(time.Now())
		d.run(time.Until(w.From))
		d.outage("refused", time.Until(w.To))
		d.run(5 * time.Hour)
		if _, err := d.keeper.Token(t.Context(), id); !venuekey.NeedsSignIn(err) {
			t.Fatalf("without a kept password: %v", err)
		}
	})
}

// A program that was off for days signs in when it is asked for a token, and two programs do
// it once.
func TestAKeptPasswordSignsInOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		id := d.keep()
		time.Sleep(20 * time.Hour)
		tokens := make(chan *venuekey.Token, 2)
		for range 2 {
			program := d.program()
			go func() {
				token, err := program.Token(t.Context(), id)
				if err != nil {
					t.Error(err)
				}
				tokens <- token
			}()
		}
		if a, b := <-tokens, <-tokens; a == nil || b == nil || !a.Access.Equal(b.Access) || a.Password != "" || !d.server.Alive(string(a.Access)) {
			t.Fatal("the programs got no token, or two")
		}
		if granted, _ := d.logins(); granted != 2 {
			t.Errorf("%d sign-ins", granted)
		}
		if s, err := d.keeper.Status(t.Context(), id); err != nil || !s.KeptPassword || s.Ending != venuekey.EndNever {
			t.Errorf("%+v %v", s, err)
		}
	})
}

// A password that the venue refuses is not sent again, by any program, also after days: a user
// who changed it is not locked out.
func TestARefusedPasswordIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		id := d.keep()
		time.Sleep(20 * time.Hour)
		struck := 0
		d.answering(200, `{"errorText":"Incorrect username or password. Please try again."}`, func() { struck++ })
		for range 30 {
			_, err := d.program().Token(t.Context(), id)
			if !venuekey.NeedsSignIn(err) {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		d.run(48 * time.Hour)
		if s, err := d.keeper.Status(t.Context(), id); err != nil || s.KeptPassword || s.Remedy() != venuekey.RemedySignIn || !strings.Contains(s.Reason, "forgotten") || struck != 1 {
			t.Errorf("sent %d times, %+v %v", struck, s, err)
		}
	})
}

// Whatever else the venue answers to the sign-in, it is asked a few times an hour at most, and
// the sign-in is alive as soon as it answers again.
func TestAKeptPasswordAndTrouble(t *testing.T) {
	for _, row := range []struct {
		name, body string
		status     int
		mostAnHour int
	}{
		{"423", "", 423, 1},
		{"429", "", 429, 1},
		{"an app that is not registered", `{"errorText":"The app is not registered"}`, 200, 4},
		{"a lost answer", "<html>", 502, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openDesk(t, false, tradovateemu.Knobs{})
				id := d.keep()
				time.Sleep(3 * time.Hour)
				var sent []time.Time
				mended := d.answering(row.status, row.body, func() { sent = append(sent, time.Now()) })
				program := d.program()
				go func() {
					for end := time.Now().Add(4 * time.Hour); time.Now().Before(end); time.Sleep(20 * time.Second) {
						_, _ = program.Token(t.Context(), id)
					}
				}()
				d.run(4*time.Hour + time.Minute)
				for i, at := range sent {
					if i >= row.mostAnHour && at.Sub(sent[i-row.mostAnHour]) < time.Hour {
						t.Fatalf("more than %d sign-ins within an hour: %v", row.mostAnHour, sent)
					}
				}
				if s, err := d.keeper.Status(t.Context(), id); err != nil || len(sent) < 3 || !s.KeptPassword {
					t.Fatalf("%d sent, %+v %v", len(sent), s, err)
				}
				mended()
				d.run(61 * time.Minute)
				d.wantGood(id, "an hour after the trouble")
			})
		})
	}
}

// A captcha is for the user: no program signs in by itself after it, however long ago it was.
// Whoever asks for it tries the password once more, and a refusal within the hour sends nothing.
func TestAKeptPasswordAndACaptcha(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		id := d.keep()
		time.Sleep(3 * time.Hour)
		sent := 0
		mended := d.answering(200, `{"p-ticket":"ticket","p-time":15,"p-captcha":true}`, func() { sent++ })
		asked := func(want int) {
			t.Helper()
			if _, err := d.program().Token(t.Context(), id); !venuekey.NeedsSignIn(err) || sent != want {
				t.Fatalf("%d sent: %v", sent, err)
			}
		}
		asked(1)
		if _, err := d.program().RefreshAgain(t.Context(), id); err == nil || sent != 1 {
			t.Fatalf("%d sent within the hour: %v", sent, err)
		}
		d.run(24 * time.Hour)
		asked(1)
		s, err := d.keeper.Status(t.Context(), id)
		if err != nil || !s.KeptPassword || s.Remedy() != venuekey.RemedySignIn || !strings.Contains(s.Reason, "captcha") {
			t.Fatalf("%+v %v", s, err)
		}
		if _, err := d.program().RefreshAgain(t.Context(), id); err == nil || sent != 2 {
			t.Fatalf("%d sent when asked to: %v", sent, err)
		}
		mended()
		time.Sleep(61 * time.Minute)
		if _, err := d.program().RefreshAgain(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		d.wantGood(id, "after the captcha")
		time.Sleep(20 * time.Hour)
		d.wantGood(id, "by itself again")
	})
}

// Whatever ends the sessions all the time, a program signs in against it once an hour at most.
func TestAKeptPasswordStartsNoWar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{SessionLimit: 1})
		id := d.keep()
		elsewhere := &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{8}}, Venues: d.keeper.Venues, Apps: d.keeper.Apps, Spills: []string{t.TempDir()}}
		rivals := 0
		program := d.program()
		for range 6 * 60 {
			if token, err := program.Token(t.Context(), id); err == nil && d.server.Alive(string(token.Access)) {
				if _, err := elsewhere.SignIn(t.Context(), venuekey.ID{Venue: "tradovate", Name: "browser"}, d.user("wonderland")); err != nil {
					t.Fatal(err)
				}
				rivals++
				_, _ = program.Reject(t.Context(), id, token.Access)
			}
			d.run(time.Minute)
		}
		if granted, _ := d.logins(); granted-rivals > 8 || rivals < 3 {
			t.Errorf("%d sign-ins by the kept password in six hours, against %d\n%s", granted-rivals, rivals, d.told(20))
		}
	})
}

// A sign-in without the wish to keep it forgets the password; nothing but the record holds it,
// sealed.
func TestWhereAKeptPasswordLies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		id := d.keep()
		records, err := d.store.List(t.Context(), "", "", 100)
		for _, record := range records {
			if strings.Contains(record.Text, "wonderland") || strings.Contains(string(record.Sealed), "wonderland") {
				t.Errorf("%s holds the password", record.Key)
			}
		}
		if err != nil || len(records) == 0 {
			t.Fatal(err)
		}
		d.signIn("alice")
		if s, err := d.keeper.Status(t.Context(), id); err != nil || s.KeptPassword {
			t.Errorf("%+v %v", s, err)
		}
	})
}

// A venue that repeats what it was sent tells nobody the password: not the caller's error, not
// the record's plain columns, not the log.
func TestAttackAKeptPasswordThatIsRepeated(t *testing.T) {
	for _, answer := range []struct {
		status int
		body   string
	}{
		{200, `{"errorText":"alice may not use wonderland here"}`},
		{200, `{"error":"wonderland","error_description":"cGFzc3dvcmQ9d29uZGVybGFuZA"}`},
		{200, `{"violations":[{"constraint":"not wonderland","description":"776f6e6465726c616e64"}]}`},
		{200, `{"p-ticket":"wonderland","p-time":15,"p-captcha":true,"p-message":"wonderland"}`},
		{401, "wonderland"}, {502, "<html>wonderland"}, {423, `{"errorText":"wonderland"}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := openDesk(t, false, tradovateemu.Knobs{})
			id := d.keep()
			time.Sleep(3 * time.Hour)
			d.answering(answer.status, answer.body, func() {})
			var log bytes.Buffer
			program := d.program()
			program.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := program.Token(t.Context(), id)
			status, _ := program.Status(t.Context(), id)
			records, _ := d.store.List(t.Context(), "", "", 100)
			out := fmt.Sprintf("%v %+v %#v %+v %s", err, err, err, status, log.String())
			for _, record := range records {
				out += record.Key + record.Text + string(record.Sealed)
			}
			for _, trace := range []string{"wonderland", "d29uZGVybGFuZA", "776f6e64"} {
				if err == nil || strings.Contains(out, trace) {
					t.Errorf("%d %s: %s is in %s", answer.status, answer.body, trace, out)
				}
			}
		})
	}
}
