package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
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

// teller_test.go tells stories of what is said and when, in virtual time.

// desk is a teller that runs, and what it said.
type desk struct {
	*Teller
	t    *testing.T
	said *logged
	stop func()

	mu  sync.Mutex
	got []Notice
}

// newDesk begins a teller; change, unless nil, changes it first.
func newDesk(t *testing.T, change func(*Teller)) *desk {
	t.Helper()
	d := &desk{t: t, said: &logged{}}
	d.Teller = &Teller{Log: slog.New(slog.NewTextHandler(d.said, nil)), Ways: []Way{func(n Notice, _ venuekey.Event) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.got = append(d.got, n)
	}}}
	if change != nil {
		change(d.Teller)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); d.Run(ctx) }()
	d.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		if d.Outbox != nil {
			_ = d.Outbox.Close() // a courier may have closed it
		}
	})
	t.Cleanup(d.stop)
	return d
}

// want sees that so many things were said since it was last asked, each as "event state
// repeat at an hour after the beginning".
func (d *desk) want(began time.Time, want ...string) []Notice {
	d.t.Helper()
	synctest.Wait()
	d.mu.Lock()
	got := d.got
	d.got = nil
	d.mu.Unlock()
	var texts []string
	for _, n := range got {
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s %s +%d %s", n.ID, n.Event, n.State, n.Repeat, n.At.Sub(began).Round(time.Minute))))
	}
	if !slices.Equal(texts, want) {
		d.t.Errorf("said\n  %s\nwant\n  %s", strings.Join(texts, "\n  "), strings.Join(want, "\n  "))
	}
	return got
}

// is an event of a sign-in whose token lives for so long.
func is(kind venuekey.EventKind, state venuekey.State, lives time.Duration) venuekey.Event {
	e := trouble(alice, "why")
	e.Kind, e.Status.State, e.Status.Expires, e.Status.Left = kind, state, time.Now().Add(lives), lives
	if kind == venuekey.EventRecovered || kind == venuekey.EventFound || kind == venuekey.EventRenewed {
		e.Remedy, e.Status.Reason = "", ""
	}
	return e
}

// ends gives a status an end that no renewal moves.
func ends(e venuekey.Event, in time.Duration) venuekey.Event {
	e.Status.SignInEnds, e.Status.EndsAnyway, e.Status.Ending = time.Now().Add(in), true, venuekey.EndAfterLogin
	return e
}

const (
	dayLong   = 24 * time.Hour
	monthLong = 30 * dayLong
)

// What needs its user is said again until it is mended, which is said once.
func TestTroubleIsSaidAgainUntilItIsMended(t *testing.T) {
	for name, row := range map[string]struct {
		repeat []time.Duration
		want   []string
	}{
		"usually":  {nil, []string{"+0 0s", "+1 1h0m0s", "+2 5h0m0s", "+3 29h0m0s", "+4 53h0m0s"}},
		"as asked": {[]time.Duration{30 * time.Minute, 20 * time.Hour}, []string{"+0 0s", "+1 30m0s", "+2 20h30m0s", "+3 40h30m0s"}},
		"never":    {[]time.Duration{}, []string{"+0 0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				d := newDesk(t, func(d *Teller) { d.Repeat = row.repeat })
				d.Hear(is(venuekey.EventFound, venuekey.StateFresh, monthLong))
				d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, monthLong))
				time.Sleep(60 * time.Hour)
				var want []string
				for _, text := range row.want {
					want = append(want, "ctrader/alice trouble needs sign-in "+text)
				}
				got := d.want(began, want...)
				for i, n := range got {
					if !n.Since.Equal(whole(began)) || *n.Left != int64((monthLong-n.At.Sub(began))/time.Second) || n.Help != "venuekey login ctrader/alice" || n.Remedy != string(venuekey.RemedySignIn) || i > 0 && n.Delivery == got[i-1].Delivery {
						t.Errorf("%+v", n)
					}
				}
				d.Hear(is(venuekey.EventRecovered, venuekey.StateFresh, monthLong))
				time.Sleep(100 * time.Hour)
				d.want(began, "ctrader/alice recovered fresh +0 60h0m0s")
				d.stop()
			})
		})
	}
}

// A renewal that fails is tried again by itself, and is not said again. The token that dies of
// it is.
func TestWhatPassesByItselfIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		d := newDesk(t, nil)
		d.Hear(is(venuekey.EventTrouble, venuekey.StateDegraded, 3*time.Hour))
		time.Sleep(3*time.Hour + time.Minute)
		d.want(began, "ctrader/alice trouble degraded +0 0s")
		d.Hear(is(venuekey.EventTrouble, venuekey.StateExpired, 0))
		time.Sleep(2 * time.Hour)
		d.want(began, "ctrader/alice trouble expired +0 3h1m0s", "ctrader/alice trouble expired +1 4h1m0s")
		d.Hear(is(venuekey.EventSignedOut, "", 0))
		time.Sleep(dayLong)
		d.want(began, "ctrader/alice recovered signed out +0 5h1m0s")
		d.Hear(is(venuekey.EventSignedOut, "", 0)) // nobody was told of anything
		d.Hear(is(venuekey.EventRecovered, venuekey.StateFresh, monthLong))
		time.Sleep(dayLong)
		d.want(began)
		d.stop()
	})
}

// A warning has its own times and is not said again in between; a login ends it.
func TestAWarningHasItsOwnTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		d := newDesk(t, nil)
		d.Hear(ends(is(venuekey.EventFound, venuekey.StateFresh, dayLong), 48*time.Hour))
		end := ends(is(venuekey.EventWarning, venuekey.StateFresh, dayLong), 48*time.Hour)
		d.Hear(end)
		time.Sleep(24 * time.Hour)
		d.Hear(end)
		// A renewal fails meanwhile, and succeeds: the end still stands.
		trouble := end
		trouble.Kind, trouble.Status.State = venuekey.EventTrouble, venuekey.StateDegraded
		d.Hear(trouble)
		time.Sleep(59 * time.Minute)
		mended := end
		mended.Kind, mended.Remedy = venuekey.EventRecovered, ""
		d.Hear(mended)
		time.Sleep(time.Hour)
		d.want(began, "ctrader/alice warning fresh +0 0s", "ctrader/alice warning fresh +0 24h0m0s", "ctrader/alice trouble degraded +0 24h0m0s", "ctrader/alice recovered fresh +0 24h59m0s")
		d.Hear(is(venuekey.EventRecovered, venuekey.StateFresh, monthLong)) // a login
		time.Sleep(100 * time.Hour)
		d.want(began, "ctrader/alice recovered fresh +0 25h59m0s")
		d.stop()
	})
}

// In quiet hours, from 22:00 to 07:00, what can wait does. Each row begins at 23:00.
func TestWhatWaitsForTheEndOfQuietHours(t *testing.T) {
	const end, once = "8h0m0s", "0s"
	for name, row := range map[string]struct {
		event venuekey.EventKind
		state venuekey.State
		lives time.Duration // of the access token
		ends  time.Duration // of the sign-in; 0 is never
		set   func(*venuekey.Status)
		want  string
	}{
		"renewals fail":                           {venuekey.EventTrouble, venuekey.StateDegraded, 5 * time.Hour, 0, nil, end},
		"an answer was lost":                      {venuekey.EventTrouble, venuekey.StateUncertain, 5 * time.Hour, 0, func(s *venuekey.Status) { s.NextRefresh = time.Now().Add(time.Minute) }, end},
		"nothing renews it, and it lives":         {venuekey.EventTrouble, venuekey.StateUncertain, 9 * time.Hour, 0, nil, end},
		"nothing renews it, and it dies":          {venuekey.EventTrouble, venuekey.StateUncertain, 7 * time.Hour, 0, nil, once},
		"it needs a sign-in, and lives":           {venuekey.EventTrouble, venuekey.StateNeedsSignIn, 20 * time.Hour, 0, nil, end},
		"it needs a sign-in, and dies":            {venuekey.EventTrouble, venuekey.StateNeedsSignIn, time.Hour, 0, nil, once},
		"it needs a sign-in, and is dead":         {venuekey.EventTrouble, venuekey.StateNeedsSignIn, -time.Second, 0, nil, once},
		"the venue ended it":                      {venuekey.EventTrouble, venuekey.StateNeedsSignIn, 20 * time.Hour, 0, func(s *venuekey.Status) { s.User = "ended" }, once},
		"it is dead, and may be renewed":          {venuekey.EventTrouble, venuekey.StateExpired, -time.Minute, 0, nil, once},
		"it cannot be read":                       {venuekey.EventTrouble, venuekey.StateNeedsSignIn, 0, 0, func(s *venuekey.Status) { s.Err, s.Expires = errors.New("damaged"), time.Time{} }, once},
		"a full disk":                             {venuekey.EventTrouble, venuekey.StateFresh, 5 * time.Hour, 0, func(s *venuekey.Status) { s.Spilled = true }, end},
		"an older copy, and it lives":             {venuekey.EventTrouble, venuekey.StateFresh, 20 * time.Hour, 0, func(s *venuekey.Status) { s.Behind = true }, end},
		"an older copy, and it dies":              {venuekey.EventTrouble, venuekey.StateFresh, 5 * time.Hour, 0, func(s *venuekey.Status) { s.Behind = true }, once},
		"it ends after them":                      {venuekey.EventWarning, venuekey.StateFresh, time.Hour, 24 * time.Hour, nil, end},
		"it ends in them":                         {venuekey.EventWarning, venuekey.StateFresh, time.Hour, 2 * time.Hour, nil, once},
		"it has ended, and its last token dies":   {venuekey.EventWarning, venuekey.StateFresh, time.Hour, -time.Second, nil, once},
		"it has ended, and its last token lives":  {venuekey.EventWarning, venuekey.StateFresh, 20 * time.Hour, -time.Second, nil, end},
		"renewals fail, and it ends in them":      {venuekey.EventTrouble, venuekey.StateDegraded, time.Hour, 2 * time.Hour, nil, once},
		"all tokens of the venue will be too old": {venuekey.EventWarning, "", 0, 0, func(s *venuekey.Status) { s.ID.Name = "" }, end},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(23 * time.Hour)
				began := time.Now()
				q, _ := ParseQuiet("22:00-07:00@UTC")
				d := newDesk(t, func(d *Teller) {
					d.Quiet, d.Repeat = q, []time.Duration{}
					d.Ended = func(s venuekey.Status) bool { return s.User == "ended" }
				})
				e := is(row.event, row.state, row.lives)
				if row.ends != 0 {
					e = ends(e, row.ends)
				}
				if row.set != nil {
					row.set(&e.Status)
				}
				d.Hear(e)
				time.Sleep(10 * time.Hour)
				d.want(began, fmt.Sprintf("%s %s %s +0 %s", e.Status.ID, row.event, strings.TrimSpace(string(row.state)), row.want))
				d.stop()
			})
		})
	}
}

// What was mended before anybody was told is not spoken of; what was told is, when the hours
// end. Reminders wait for that too.
func TestQuietHoursAndWhatIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(20 * time.Hour)
		began := time.Now()
		q, _ := ParseQuiet("22:00-07:00@UTC")
		d := newDesk(t, func(d *Teller) { d.Quiet = q })
		d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, monthLong)) // at 20:00
		time.Sleep(5 * time.Hour)                                               // to 01:00
		d.want(began, "ctrader/alice trouble needs sign-in +0 0s", "ctrader/alice trouble needs sign-in +1 1h0m0s")
		other := is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, monthLong)
		other.Status.ID = bob
		d.Hear(other)
		time.Sleep(time.Hour)
		other.Kind, other.Status.State = venuekey.EventRecovered, venuekey.StateFresh
		d.Hear(other)
		time.Sleep(6 * time.Hour) // to 08:00
		d.want(began, "ctrader/alice trouble needs sign-in +2 11h0m0s")
		time.Sleep(15 * time.Hour) // to 23:00
		d.Hear(is(venuekey.EventRecovered, venuekey.StateFresh, monthLong))
		time.Sleep(time.Hour) // and worse than before
		d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, -time.Second))
		time.Sleep(time.Hour)
		d.want(began, "ctrader/alice trouble needs sign-in +0 28h0m0s")
		d.Hear(is(venuekey.EventRecovered, venuekey.StateFresh, monthLong))
		time.Sleep(12 * time.Hour)
		d.want(began, "ctrader/alice recovered fresh +0 35h0m0s")
		d.stop()
	})
}

// The night in which the clock is put forward has eight quiet hours, and the other one ten.
func TestQuietHoursOnTheNightsOfTheChanges(t *testing.T) {
	for name, row := range map[string]struct {
		heard time.Time
		waits string
	}{
		"forward": {time.Date(2000, 3, 25, 21, 30, 0, 0, time.UTC), "7h30m0s"},
		"back":    {time.Date(2000, 10, 28, 20, 30, 0, 0, time.UTC), "9h30m0s"},
		"neither": {time.Date(2000, 6, 10, 20, 30, 0, 0, time.UTC), "8h30m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(row.heard))
				q, err := ParseQuiet("22:00-07:00@Europe/Berlin")
				if err != nil {
					t.Fatal(err)
				}
				d := newDesk(t, func(d *Teller) { d.Quiet, d.Repeat = q, []time.Duration{} })
				d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, monthLong))
				time.Sleep(10 * time.Hour)
				d.want(row.heard, "ctrader/alice trouble needs sign-in +0 "+row.waits)
				d.stop()
			})
		})
	}
}

// again begins another process over the outbox of the last.
func again(t *testing.T, folder string, change func(*Teller)) *desk {
	t.Helper()
	outbox, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return newDesk(t, func(d *Teller) {
		d.Outbox = outbox
		if change != nil {
			change(d)
		}
	})
}

// A process that starts anew says nothing that was just said, goes on with the reminders, and
// says what was mended or got worse meanwhile.
func TestANewProcessKnowsWhatWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, folder := time.Now(), newFolder(t)
		for range 10 { // it is killed again and again
			d := again(t, folder, nil)
			d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, monthLong))
			time.Sleep(time.Minute)
			if time.Since(began) <= time.Minute {
				d.want(began, "ctrader/alice trouble needs sign-in +0 0s")
			}
			d.want(began)
			d.stop()
		}
		time.Sleep(110 * time.Minute)
		d := again(t, folder, nil)
		d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, monthLong-2*time.Hour))
		time.Sleep(5 * time.Hour)
		d.want(began, "ctrader/alice trouble needs sign-in +1 2h0m0s", "ctrader/alice trouble needs sign-in +2 6h0m0s")
		d.stop()
		d = again(t, folder, nil) // somebody signed in meanwhile
		d.Hear(is(venuekey.EventFound, venuekey.StateFresh, monthLong))
		time.Sleep(time.Hour)
		d.want(began, "ctrader/alice recovered fresh +0 7h0m0s")
		d.Hear(is(venuekey.EventTrouble, venuekey.StateDegraded, time.Hour))
		time.Sleep(time.Minute)
		d.stop()
		d = again(t, folder, nil) // it got worse
		d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, time.Hour))
		time.Sleep(time.Minute)
		d.want(began, "ctrader/alice trouble needs sign-in +0 8h1m0s")
		d.stop()
		d = again(t, folder, func(d *Teller) { // it is in the vault no more
			d.Gone = func(_ context.Context, id venuekey.ID) bool { return id == alice }
		})
		time.Sleep(5 * time.Minute)
		d.want(began, "ctrader/alice recovered signed out +0 8h3m0s")
		d.stop()
		d = again(t, folder, nil)
		d.Hear(is(venuekey.EventFound, venuekey.StateFresh, monthLong))
		time.Sleep(time.Hour)
		d.want(began)
		d.stop()
	})
}

// So it is with warnings: the Keeper repeats them to each new process.
func TestANewProcessAndWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, folder := time.Now(), newFolder(t)
		ended := began.Add(48 * time.Hour)
		start := func() *desk {
			d := again(t, folder, nil)
			d.Hear(ends(is(venuekey.EventFound, venuekey.StateFresh, dayLong), time.Until(ended)))
			d.Hear(ends(is(venuekey.EventWarning, venuekey.StateFresh, dayLong), time.Until(ended)))
			queue := is(venuekey.EventWarning, "", 0)
			queue.Status.ID.Name = ""
			if time.Since(began) == 0 {
				d.Hear(queue)
			}
			time.Sleep(time.Minute)
			return d
		}
		d := start()
		d.want(began, "ctrader/alice warning fresh +0 0s", "ctrader warning  +0 0s")
		d.stop()
		d = start()
		d.want(began)
		d.stop()
		time.Sleep(30 * time.Hour) // the one of 24 hours before is missed
		d = start()
		d.want(began, "ctrader/alice warning fresh +1 30h2m0s")
		time.Sleep(15 * time.Minute)
		d.want(began, "ctrader recovered  +0 30h12m0s")
		d.stop()
		d = again(t, folder, nil)
		d.Hear(is(venuekey.EventFound, venuekey.StateFresh, monthLong)) // somebody signed in
		d.stop()
		d.want(began, "ctrader/alice recovered fresh +0 30h18m0s")
	})
}

// A file that cannot be read is said, and everything is said anew.
func TestAFileOfWhatWasSaidThatIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, folder := time.Now(), newFolder(t)
		d := again(t, folder, nil)
		d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, monthLong))
		time.Sleep(time.Minute)
		d.want(began, "ctrader/alice trouble needs sign-in +0 0s")
		d.stop()
		if err := os.WriteFile(filepath.Join(folder, toldName), []byte(`{"told":[{}]}`), 0o600); err != nil {
			t.Fatal(err)
		}
		d = again(t, folder, nil)
		d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, monthLong))
		time.Sleep(time.Minute)
		d.want(began, "ctrader/alice trouble needs sign-in +0 1m0s")
		if !strings.Contains(d.said.String(), "it is not known what was said before") {
			t.Error(d.said)
		}
		d.stop()
	})
}

// A clock that is put back by a year does not end the reminders for a year.
func TestATellerWhoseClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		off := make(chan time.Duration, 1)
		off <- 0
		d := newDesk(t, func(d *Teller) {
			d.clock = func() time.Time {
				by := <-off
				off <- by
				return time.Now().Add(by).Round(0)
			}
		})
		d.Hear(is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, 10*365*dayLong))
		time.Sleep(time.Minute)
		<-off
		off <- -365 * dayLong
		time.Sleep(90 * time.Minute)
		synctest.Wait()
		d.mu.Lock()
		if len(d.got) != 2 || d.got[1].Repeat != 1 {
			t.Errorf("%+v", d.got)
		}
		d.mu.Unlock()
		<-off
		off <- 365 * dayLong
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		d.mu.Lock()
		if len(d.got) != 3 {
			t.Errorf("%+v", d.got)
		}
		d.mu.Unlock()
		d.stop()
	})
}

// The whole of it: a Keeper whose user revokes access, reminders through a webhook that is down
// for a while, and a login.
func TestAUserWhoIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var revoked atomic.Bool
		venue := &keepertest.Monthly{}
		venue.Before = func(context.Context) error {
			if revoked.Load() {
				return &venuekey.Error{Class: venuekey.ClassRefused, Reason: "revoked"}
			}
			return nil
		}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		id := keepertest.Populate(t, keeper, 1)[0]
		folder, end := newFolder(t), &endpoint{}
		p := newPost(t, folder, end, nil)
		d := newDesk(t, func(d *Teller) {
			d.Outbox, d.Ways = p.Outbox, []Way{func(n Notice, _ venuekey.Event) { p.Tell(n) }}
		})
		ctx, cancel := context.WithCancel(t.Context())
		var listening sync.WaitGroup
		listening.Go(func() {
			for event := range keeper.Events(ctx) {
				d.Hear(event)
			}
		})
		time.Sleep(time.Minute)
		revoked.Store(true)
		if _, err := keeper.Refresh(t.Context(), id); !venuekey.NeedsSignIn(err) {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		end.now(answering(502, ""))
		time.Sleep(6 * time.Hour)
		end.take()
		end.now(nil)
		time.Sleep(time.Hour)
		if _, err := keeper.SignIn(t.Context(), id, keepertest.NoUI{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		var events []string
		for _, r := range end.take() {
			if err := Verify(testKey, r.header.Get(HeaderSignature), []byte(r.body), r.at, 0); err != nil {
				t.Error(err)
			}
			l, err := readLetter([]byte(`{"queued":"2000-01-01T00:00:00Z","notice":` + r.body + `}`))
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, fmt.Sprint(l.Notice.Event, l.Notice.Repeat))
		}
		if !slices.Equal(events, []string{"trouble2", "recovered0"}) { // the first reminder was overtaken
			t.Error(events)
		}
		cancel()
		listening.Wait()
		p.stop()
		d.stop()
	})
}

// An endpoint that hangs holds up no renewal, and no other sign-in's events.
func TestAnEndpointThatHangsDelaysNoRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper := keepertest.New(t, &memory.Store{}, venue)
		keepertest.Populate(t, keeper, 1)
		end := &endpoint{answer: hanging}
		p := newPost(t, newFolder(t), end, nil)
		d := newDesk(t, func(d *Teller) { d.Ways = []Way{func(n Notice, _ venuekey.Event) { p.Tell(n) }} })
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = keeper.Run(ctx) })
		running.Go(func() {
			for event := range keeper.Events(ctx) {
				if event.Kind == venuekey.EventRenewed { // each renewal is told, as if it were trouble
					event.Kind, event.Status.State = venuekey.EventTrouble, venuekey.StateNeedsSignIn
				}
				d.Hear(event)
			}
		})
		time.Sleep(10 * keepertest.Life)
		for status, err := range keeper.Statuses(t.Context()) {
			if err != nil || status.Left <= 0 || status.Generation < 9 {
				t.Errorf("%s: generation %d, %s left, %v", status.ID, status.Generation, status.Left, err)
			}
		}
		if waits, _ := p.files(); len(waits) < 9 || len(end.take()) == 0 {
			t.Errorf("%d notices wait", len(waits))
		}
		cancel()
		running.Wait()
		d.stop()
		p.stop()
	})
}
