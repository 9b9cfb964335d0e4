package venues_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// Tradovate's OAuth sign-ins in virtual time, with the venue's own policy and quotas: both
// tokens of a sign-in are kept alive, and neither takes the other with it. The emulator's
// log is the judge.

// desk is one emulated Tradovate, one machine, and what stands between them.
type desk struct {
	t      *testing.T
	server *tradovateemu.Server
	way    *between
	app    venuekey.App
	store  *memory.Store
	keeper *venuekey.Keeper
}

// openDesk opens a desk on a Tuesday; no maintenance is near.
func openDesk(t *testing.T, oauth bool, knobs tradovateemu.Knobs) *desk {
	t.Helper()
	time.Sleep(time.Until(time.Date(2000, 1, 4, 0, 0, 0, 0, time.UTC)))
	d := &desk{t: t, way: &between{}, store: &memory.Store{}, app: venuekey.App{Venue: "tradovate", URLs: map[string]string{"base": "http://localhost:1"},
		Params: map[string]venuekey.Secret{"cid": "42", "sec": "demo-sec", "app_id": "venuekey", "app_version": "1", "device_id": "d"}}}
	d.server = &tradovateemu.Server{Apps: []emulator.App{{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURIs: []string{"https://app.example/cb"}}}, Knobs: knobs}
	if oauth {
		d.app.ClientID, d.app.ClientSecret, d.app.RedirectURI, d.app.Params = "demo-client", "demo-secret", "https://app.example/cb", nil
	} else {
		d.server.Apps = nil
	}
	d.way.venue = keepertest.InProcess{Handler: d.server}
	d.keeper = d.program()
	return d
}

// program returns the Keeper of one more program at the desk.
func (d *desk) program() *venuekey.Keeper {
	return &venuekey.Keeper{Vault: &venuekey.Vault{Store: d.store, Key: venuekey.SealKey{7}}, Venues: []venuekey.Venue{tradovate.Venue{Transport: d.way}},
		Apps: func(context.Context, string) (venuekey.App, error) { return d.app, nil }, Spills: []string{d.t.TempDir()}}
}

// signIn signs the emulator's alice in.
func (d *desk) signIn(name string) venuekey.ID {
	d.t.Helper()
	id := venuekey.ID{Venue: "tradovate", Name: name}
	person := emulator.Person{Name: "alice", Password: "wonderland", Client: &http.Client{Transport: d.way.venue}}
	if _, err := d.keeper.SignIn(d.t.Context(), id, keepertest.Paster{Person: person, URL: make(chan string, 1)}); err != nil {
		d.t.Fatal(err)
	}
	return id
}

// run runs the Keeper for a while.
func (d *desk) run(length time.Duration) {
	ctx, stop := context.WithTimeout(d.t.Context(), length)
	defer stop()
	_ = d.keeper.Run(ctx)
}

// outage puts an outage between the desk and the venue, from now on.
func (d *desk) outage(name string, length time.Duration) {
	for _, kind := range outages() {
		if kind.name == name {
			d.way.mu.Lock()
			d.way.outage, d.way.end = kind, time.Now().Add(length)
			d.way.mu.Unlock()
			return
		}
	}
	d.t.Fatal("no such outage: " + name)
}

// wantGood fails unless the sign-in has a token that the venue accepts.
func (d *desk) wantGood(id venuekey.ID, when string) {
	d.t.Helper()
	token, err := d.keeper.Token(d.t.Context(), id)
	if err != nil || !d.server.Alive(string(token.Access)) {
		d.t.Fatalf("%s: %v\n%s", when, err, d.told(12))
	}
}

// told returns the last entries of the venue's log.
func (d *desk) told(last int) (text string) {
	events := d.server.Log().Events()
	for _, e := range events[max(0, len(events)-last):] {
		text += fmt.Sprintf("%s %s %d %s\n", e.At.Format(time.DateTime), e.Kind, e.Status, e.Detail)
	}
	return text
}

// After thirty hours of quiet, in which only the access token had to be renewed, the
// refresh token is young: an outage that outlasts the access token is survived.
func TestARefreshTokenDoesNotRotUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, true, tradovateemu.Knobs{})
		id := d.signIn("alice")
		d.run(30 * time.Hour)
		d.wantGood(id, "after thirty hours")
		if n := d.server.Log().Count(emulator.EventRefreshGranted); n != 2 {
			t.Errorf("the refresh token was renewed %d times, want 2: after about 13 and 26 hours", n)
		}
		d.outage("refused", 100*time.Minute)
		d.run(2 * time.Hour)
		d.wantGood(id, "after an outage of 100 minutes")
	})
}

// Whatever becomes of the one renewal of the refresh token, the access token goes on
// renewing the sign-in; and if the venue did not act, the refresh token is renewed later.
func TestALostAnswerAtTheRefreshTokenLosesNothing(t *testing.T) {
	for _, kind := range []string{"cut after", "cut before", "502", "HTML", "HTML, the venue acts", "hanging", "hanging, the venue acts", "429", "refused"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openDesk(t, true, tradovateemu.Knobs{})
				id := d.signIn("alice")
				struck := false
				d.way.before = func(r *http.Request) {
					if r.URL.Path == "/auth/oauthtoken" && !struck {
						struck = true
						d.outage(kind, time.Minute)
					}
				}
				d.run(14 * time.Hour)
				d.wantGood(id, "an hour after the refresh token was presented")
				if !struck {
					t.Fatal("it was not presented")
				}
				d.run(30 * time.Hour)
				d.wantGood(id, "a day later")
				acted := kind == "cut after" || kind == "HTML, the venue acts" || kind == "hanging, the venue acts"
				if granted := d.server.Log().Count(emulator.EventRefreshGranted); !acted && granted < 2 {
					t.Errorf("the refresh token was renewed %d times", granted)
				} else if presented := d.server.Log().Count(emulator.EventRefreshPresented); acted && presented > 4 {
					t.Errorf("a refresh token that the venue refuses was presented %d times", presented)
				}
			})
		})
	}
}

// Two answers to a refresh token that cannot be read do not end the sign-in, and nor does
// a refusal that passes, however long the program was off.
func TestARefusalIsBelievedOnceItHasLasted(t *testing.T) {
	for name, strike := range map[string]func(*desk){
		"two pages": func(d *desk) {
			d.server.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultStatusBefore, Status: 502, Body: "<html>", Times: 2, ContentType: "text/html"})
		},
		"three refusals":      func(d *desk) { d.server.Tune(func(k *tradovateemu.Knobs) { k.TransientRefusals = 3 }) },
		"refusals, then late": func(d *desk) { d.server.Tune(func(k *tradovateemu.Knobs) { k.TransientRefusals = 8 }) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openDesk(t, true, tradovateemu.Knobs{})
				id := d.signIn("alice")
				time.Sleep(10 * time.Hour)
				strike(d)
				d.run(20 * time.Minute)
				d.wantGood(id, "twenty minutes after it came back")
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // and what lasts is believed
		d := openDesk(t, true, tradovateemu.Knobs{})
		id := d.signIn("alice")
		time.Sleep(10 * time.Hour)
		d.server.RevokeUser("alice")
		d.run(10 * time.Minute)
		if _, err := d.keeper.Token(t.Context(), id); !venuekey.Temporary(err) {
			t.Fatalf("after ten minutes: %v", err)
		}
		d.run(11 * time.Minute)
		if _, err := d.keeper.Token(t.Context(), id); !venuekey.NeedsSignIn(err) {
			t.Fatalf("after twenty minutes: %v", err)
		}
	})
}
