package venues_test

import (
	"context"
	"errors"
	"fmt"
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
	policy *venuekey.Policy // instead of the venue's own, unless nil
}

// openDesk opens a desk on a Tuesday; no maintenance is near.
func openDesk(t *testing.T, oauth bool, knobs tradovateemu.Knobs) *desk {
	t.Helper()
	time.Sleep(time.Until(time.Date(2000, 1, 4, 0, 0, 0, 0, time.UTC)))
	d := &desk{t: t, way: &between{}, store: &memory.Store{}, app: venuekey.App{
		Venue: "tradovate", URLs: map[string]string{"base": "http://localhost:1"},
		Params: map[string]venuekey.Secret{"cid": "42", "sec": "demo-sec", "app_id": "venuekey", "app_version": "1", "device_id": "d"}}}
	apps := []emulator.App{{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURIs: []string{"https://app.example/cb"}}}
	d.server = &tradovateemu.Server{Apps: apps, Knobs: knobs}
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
	venue := venuekey.Venue(tradovate.Venue{Transport: d.way})
	if d.policy != nil {
		venue = underPolicy{venue, *d.policy}
	}
	return &venuekey.Keeper{Vault: &venuekey.Vault{Store: d.store, Key: venuekey.SealKey{7}}, Venues: []venuekey.Venue{venue},
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
	kinds := []string{"cut after", "HTML, the venue acts", "429"}
	if needs.Slow() {
		kinds = []string{"cut after", "cut before", "502", "HTML", "HTML, the venue acts", "hanging", "hanging, the venue acts", "429", "refused"}
	}
	for _, kind := range kinds {
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

// If the venue punished reuse, a refresh token whose answer was lost would not be presented
// again while the access token renews, for days; and when nothing else is left, once more.
func TestARefreshTokenInDoubtWaitsForItsLastChance(t *testing.T) {
	for _, acts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := openDesk(t, true, tradovateemu.Knobs{Rotation: emulator.RotationStrictFamilyRevoke})
			policy := tradovate.Venue{}.Policy()
			policy.AfterLostAnswer, policy.Doubt = venuekey.RetryNever, 0
			d.policy = &policy
			d.keeper = d.program()
			id := d.signIn("alice")
			d.way.before = func(r *http.Request) {
				if r.URL.Path == "/auth/oauthtoken" {
					d.way.before = nil
					d.outage(map[bool]string{false: "cut before", true: "cut after"}[acts], time.Second)
				}
			}
			d.run(20 * time.Hour)
			d.wantGood(id, "twenty hours later")
			presented := func() int { return d.server.Log().Count(emulator.EventRefreshPresented) }
			if want := map[bool]int{false: 0, true: 1}[acts]; d.way.before != nil || presented() != want {
				t.Fatalf("presented %d times", presented())
			}
			if n := d.server.Log().Count(emulator.EventRenewGranted); n > 20*60/12+2 {
				t.Errorf("%d renewals with the access token in twenty hours", n)
			}
			d.outage("refused", 80*time.Minute)
			before := presented()
			d.run(100 * time.Minute)
			if _, err := d.keeper.Token(t.Context(), id); presented() != before+1 || acts != venuekey.NeedsSignIn(err) {
				t.Errorf("presented %d times more, %v", presented()-before, err)
			}
		})
	}
}

// Two answers to a refresh token that cannot be read do not end the sign-in, and nor does
// a refusal that passes, however long the program was off.
func TestARefusalIsBelievedOnceItHasLasted(t *testing.T) {
	for name, strike := range map[string]func(*desk){
		"two pages": func(d *desk) {
			d.server.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultStatusBefore, Status: 502, Times: 2,
				Body: "<html>", ContentType: "text/html"})
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
		d.run(13 * time.Minute)
		if _, err := d.keeper.Token(t.Context(), id); !venuekey.NeedsSignIn(err) {
			t.Fatalf("after twenty minutes: %v", err)
		}
	})
}

// Two programs that are refused for another cause, such as a device that is not approved,
// ask for another token every few seconds, for two hours. The token is good, so it is not
// renewed; both programs learn why, and the venue is asked now and then only.
func TestWhoIsRefusedForAnotherCauseRenewsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		id := d.signIn("alice")
		told := make(chan string, 10000)
		for range 2 {
			program := d.program()
			go func() {
				for end := time.Now().Add(2 * time.Hour); time.Now().Before(end); time.Sleep(5 * time.Second) {
					token, err := program.Token(t.Context(), id)
					if err == nil {
						_, err = program.Reject(t.Context(), id, token.Access)
					}
					var known *venuekey.Error
					if !errors.As(err, &known) || known.Class != venuekey.ClassDeclined || !strings.Contains(known.Remedy, "device") {
						told <- fmt.Sprint(err)
					}
				}
			}()
		}
		d.run(2*time.Hour + time.Minute)
		close(told)
		for text := range told {
			t.Fatalf("a program was told: %s", text)
		}
		d.wantGood(id, "after two hours")
		renewals, looks := d.server.Log().Count(emulator.EventRenewGranted), d.server.Log().Count(tradovateemu.AccountsListed)
		if renewals > 11 || looks < 10 || looks > 25 || d.server.Log().Count(emulator.EventRenewRefused) > 0 {
			t.Errorf("%d renewals in two hours, %d examinations\n%s", renewals, looks, d.told(30))
		}
	})
}

// A program whose http.Client signs its requests learns from the answer why it was refused, and
// what helps: not every 401 is one that a sign-in helps.
func TestARefusedCallSaysWhy(t *testing.T) {
	for _, row := range []struct {
		name   string
		spoil  func(*desk)
		class  venuekey.Class
		remedy string
	}{
		{"a device that is not approved", func(d *desk) { d.server.Tune(func(k *tradovateemu.Knobs) { k.UnapprovedDevice = "d" }) }, venuekey.ClassDeclined, "device"},
		{"a session that was revoked", func(d *desk) { d.server.RevokeUser("alice") }, venuekey.ClassRefused, ""},
		{"an outage beside it", func(d *desk) {
			d.server.Tune(func(k *tradovateemu.Knobs) { k.OrdersDenied = true })
			d.server.Inject(emulator.Fault{On: tradovateemu.AccountList, Kind: emulator.FaultStatusBefore, Status: 503, Times: -1})
		}, venuekey.ClassLater, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openDesk(t, false, tradovateemu.Knobs{})
				id := d.signIn("alice")
				time.Sleep(10 * time.Minute)
				row.spoil(d)
				client := http.Client{Transport: &venuekey.Transport{Source: d.keeper.Source(id), Base: d.way}}
				order := `{"accountId":5002,"symbol":"ESZ6","action":"Buy","orderQty":1}`
				answer, err := client.Post("http://localhost:1/v1/order/placeorder", "application/json", strings.NewReader(order))
				if err != nil || answer.StatusCode != http.StatusUnauthorized {
					t.Fatal(answer, err)
				}
				answer.Body.Close()
				why := venuekey.RefusalOf(answer)
				var known *venuekey.Error
				if !errors.As(why, &known) || known.Class != row.class || !strings.Contains(known.Remedy, row.remedy) || venuekey.NeedsSignIn(why) != (row.class == venuekey.ClassRefused) {
					t.Errorf("%+v", known)
				}
				if n := d.server.Log().Count(emulator.EventRenewGranted); n != 0 {
					t.Errorf("%d renewals", n)
				}
			})
		})
	}
}

// closed signs in often enough that the venue ends the first session, whose access token
// then fails with a status that says nothing.
func (d *desk) closed(status int) venuekey.ID {
	d.server.Tune(func(k *tradovateemu.Knobs) { k.ClosedStatus = status })
	id := d.signIn("alice")
	d.signIn("b")
	elsewhere := d.program()
	elsewhere.Vault = &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{8}}
	if _, err := elsewhere.SignIn(d.t.Context(), venuekey.ID{Venue: "tradovate", Name: "c"}, d.user("wonderland")); err != nil {
		d.t.Fatal(err)
	}
	return id
}

// A session that was closed elsewhere is noticed within two minutes of the first answer that
// shows it, whether a renewal got it or a program; until then the venue is hardly asked. The
// sign-ins beside it go on.
func TestAClosedSessionIsNoticedSoon(t *testing.T) {
	for _, status := range []int{408, 429, 500} {
		for _, reported := range []bool{false, true} {
			t.Run(fmt.Sprint(status, reported), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := openDesk(t, false, tradovateemu.Knobs{})
					id := d.closed(status)
					events := keepertest.Listen(t, d.keeper, id)
					ctx, stop := context.WithCancel(t.Context())
					done := make(chan struct{})
					go func() { defer close(done); _ = d.keeper.Run(ctx) }()
					if reported {
						time.Sleep(10 * time.Minute)
						token, err := d.keeper.Token(t.Context(), id)
						if err != nil {
							t.Fatal(err)
						}
						if _, err := d.program().Reject(t.Context(), id, token.Access); !venuekey.Temporary(err) {
							t.Fatalf("at first: %v", err)
						}
					} else if s, err := d.keeper.Status(t.Context(), id); err == nil {
						time.Sleep(time.Until(s.NextRefresh))
					}
					time.Sleep(2 * time.Minute)
					_, err := d.keeper.Token(t.Context(), id)
					s, unread := d.keeper.Status(t.Context(), id)
					if !venuekey.NeedsSignIn(err) || unread != nil || s.State != venuekey.StateNeedsSignIn ||
						s.Remedy() != venuekey.RemedySignIn || s.Left > 0 {
						t.Fatalf("%v, %+v", err, s)
					}
					heard := events.Take()
					last := heard[len(heard)-1]
					if last.Kind != venuekey.EventTrouble || last.Status.State != venuekey.StateNeedsSignIn || !strings.Contains(last.Remedy, "login") {
						t.Errorf("the last event: %+v", last)
					}
					if renewals := d.server.Log().Count(emulator.EventRenewRefused); renewals != 1 {
						t.Errorf("%d renewals were refused\n%s", renewals, d.told(20))
					}
					time.Sleep(3 * time.Hour)
					d.wantGood(venuekey.ID{Venue: "tradovate", Name: "b"}, "beside it")
					stop()
					<-done
				})
			})
		}
	}
}

// What looks like a closed session may be an outage of some endpoints. Then the sign-in is
// good again as soon as that is over, whatever was reported meanwhile.
func TestAnOutageThatLooksLikeAClosedSessionEndsNothing(t *testing.T) {
	for _, oauth := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d := openDesk(t, oauth, tradovateemu.Knobs{})
			id := d.signIn("alice")
			d.run(11 * time.Minute) // the next renewal comes within five minutes
			whole := d.way.venue
			d.way.venue = keepertest.InProcess{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" {
					w.WriteHeader(http.StatusRequestTimeout)
					return
				}
				d.server.ServeHTTP(w, r)
			})}
			d.run(10 * time.Minute)
			if _, err := d.keeper.Token(t.Context(), id); oauth != (err == nil) || !oauth && !venuekey.NeedsSignIn(err) {
				t.Fatalf("OAuth %t: %v", oauth, err)
			}
			d.way.venue = whole
			d.run(15 * time.Minute)
			d.wantGood(id, "after the outage")
		})
	}
}

// A renewal that is refused says that this very access token is dead: nothing hands it out
// any more, and whoever listens hears of it at once.
func TestARefusedRenewalEndsItsAccessToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, false, tradovateemu.Knobs{})
		id := d.signIn("alice")
		source := d.program().Source(id)
		events := keepertest.Listen(t, d.keeper, id)
		d.run(10 * time.Minute)
		d.server.RevokeUser("alice")
		d.run(12 * time.Minute)
		events.Want("found fresh", "trouble needs sign-in")
		_, err := d.keeper.Token(t.Context(), id)
		if _, too := source.Token(t.Context()); !venuekey.NeedsSignIn(err) || !venuekey.NeedsSignIn(too) {
			t.Fatalf("%v, %v", err, too)
		}
		if s, err := d.keeper.Status(t.Context(), id); err != nil || s.Remedy() != venuekey.RemedySignIn || s.Left > 0 {
			t.Fatalf("%+v %v", s, err)
		}
		d.signIn("alice")
		d.wantGood(id, "signed in again")
	})
	synctest.Test(t, func(t *testing.T) { // while something answers in the venue's place, nothing is believed
		d := openDesk(t, false, tradovateemu.Knobs{})
		id := d.signIn("alice")
		d.server.Inject(emulator.Fault{On: emulator.AtRenew, Kind: emulator.FaultStatusBefore, Status: 401, Times: 2})
		d.run(55 * time.Minute)
		d.wantGood(id, "after two refusals that were not about the token")
	})
	synctest.Test(t, func(t *testing.T) { // an OAuth sign-in has another way
		d := openDesk(t, true, tradovateemu.Knobs{RenewKillsOld: true})
		id := d.signIn("alice")
		d.server.Inject(emulator.Fault{On: emulator.AtRenew, Kind: emulator.FaultStatusBefore, Status: 401, Times: -1})
		d.server.Inject(emulator.Fault{On: tradovateemu.AccountList, Kind: emulator.FaultStatusBefore, Status: 401, Times: -1})
		d.server.Inject(emulator.Fault{On: emulator.AtMe, Kind: emulator.FaultStatusBefore, Status: 401, Times: -1})
		d.run(50 * time.Minute)
		d.wantGood(id, "by its refresh token")
		if n := d.server.Log().Count(emulator.EventRefreshGranted); n != 1 {
			t.Errorf("%d refreshes", n)
		}
	})
}

// A password sign-in that expired while no program ran cannot be renewed, and its status
// does not advise it.
func TestTheStatusOfAnExpiredPasswordSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, oauth := range []bool{false, true} {
			d := openDesk(t, oauth, tradovateemu.Knobs{})
			id := d.signIn("alice")
			time.Sleep(3 * time.Hour)
			want := map[bool]venuekey.Remedy{false: venuekey.RemedySignIn, true: venuekey.RemedyRefresh}[oauth]
			if s, err := d.keeper.Status(t.Context(), id); err != nil || s.Remedy() != want {
				t.Fatalf("OAuth %t: %q, %+v %v", oauth, s.Remedy(), s, err)
			}
		}
	})
}

// Thirty OAuth sign-ins on one address need more renewals than that may make: the refresh
// tokens are the way out, and none dies.
func TestTheRefreshTokenIsTheWayOutOfAShortQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t, true, tradovateemu.Knobs{})
		var ids []venuekey.ID
		for i := range 30 {
			ids = append(ids, d.signIn(fmt.Sprint("user-", i)))
		}
		without := 0
		for range 6 * 60 {
			d.run(time.Minute)
			for _, id := range ids {
				if s, err := d.keeper.Status(t.Context(), id); err != nil || s.Left <= 0 {
					without++
				}
			}
		}
		for _, id := range ids {
			d.wantGood(id, id.String())
		}
		log := d.server.Log()
		byAccess, byRefresh := log.Count(emulator.EventRenewGranted), log.Count(emulator.EventRefreshGranted)
		t.Logf("%d renewals with access tokens, %d with refresh tokens", byAccess, byRefresh)
		if n := log.Count(emulator.EventRenewRefused); n > 0 || without > 0 || byRefresh == 0 {
			t.Errorf("%d renewals were refused, for %d minutes a sign-in had no token", n, without)
		}
	})
}

// Something is wrong with the list of accounts alone, whatever it answers. Two programs that
// are refused for another cause learn nothing by it, and still use up no quota.
func TestAnExaminationThatSaysNothingCostsNoRenewals(t *testing.T) {
	for _, status := range []int{401, 408, 429, 500, 502, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := openDesk(t, false, tradovateemu.Knobs{})
				id := d.signIn("alice")
				looks := 0
				d.way.venue = keepertest.InProcess{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/v1/account/list" || status == 401 && r.URL.Path == "/v1/auth/me" {
						looks++
						w.WriteHeader(status)
						return
					}
					d.server.ServeHTTP(w, r)
				})}
				for range 2 {
					program := d.program()
					go func() {
						for end := time.Now().Add(3 * time.Hour); time.Now().Before(end); time.Sleep(5 * time.Second) {
							if token, err := program.Token(t.Context(), id); err == nil {
								_, _ = program.Reject(t.Context(), id, token.Access)
							}
						}
					}()
				}
				d.run(3*time.Hour + time.Minute)
				d.wantGood(id, "after three hours")
				if renewals := d.server.Log().Count(emulator.EventRenewGranted); renewals > 16 || looks > 400 {
					t.Errorf("%d renewals in three hours, %d examinations\n%s", renewals, looks, d.told(30))
				} else {
					t.Logf("%d renewals in three hours, %d examinations", renewals, looks)
				}
			})
		})
	}
}

// Wherever the middle of a refresh token's life falls, it is not renewed in a maintenance
// window or shortly before one, and waiting for that costs no renewals.
func TestTheRefreshTokenKeepsClearOfMaintenance(t *testing.T) {
	for early := range 8 {
		synctest.Test(t, func(t *testing.T) {
			d := openDesk(t, true, tradovateemu.Knobs{})
			windows := tradovate.Venue{}.Policy().Maintenance
			w, ok := windows.Next(time.Now())
			if !ok {
				t.Fatal("there is no maintenance")
			}
			time.Sleep(time.Until(w.From.Add(-13*time.Hour - 20*time.Minute + time.Duration(early)*10*time.Minute)))
			id := d.signIn("alice")
			d.run(20 * time.Hour)
			d.wantGood(id, "after twenty hours")
			renewed, presented := d.server.Log().Count(emulator.EventRenewGranted), 0
			for _, e := range d.server.Log().Events() {
				if e.Kind == emulator.EventRenewRefused || e.Kind == emulator.EventRefreshRefused {
					t.Errorf("%s: %s", e.At, e.Kind)
				}
				if e.Kind != emulator.EventRefreshPresented {
					continue
				}
				presented++
				if w, ok := windows.Next(e.At); !ok || e.At.After(w.From.Add(-10*time.Minute)) {
					t.Errorf("presented at %s, and the maintenance begins at %s", e.At.UTC(), w.From.UTC())
				}
			}
			if presented != 1 || renewed > 20*60/12+2 {
				t.Errorf("presented %d times, and %d renewals with the access token in 20 hours", presented, renewed)
			}
		})
	}
}
