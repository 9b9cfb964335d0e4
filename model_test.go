package venuekey_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/ctrader"
)

// The model: three programs on one vault and one emulated venue, in virtual
// time, with whatever can go wrong in any order. After every action these must
// hold, by the venue's own log:
//
//   - no refresh token was presented more often than the policy allows;
//   - no token that a program was given is lost;
//
// and once nothing goes wrong any more, there is a good token, or a human is
// told why not. The number of sequences is rapid's: make test runs a hundred,
// make fuzz thousands.

// action is one thing that happens in the model.
type action struct {
	What    string
	Program int
	After   time.Duration
	Fault   emulator.FaultKind
	Step    string
}

// unanswered are the faults after which nobody can know what the venue did, and
// one that says that it did nothing.
var unanswered = []emulator.FaultKind{
	emulator.DropBefore, emulator.DropAfter, emulator.TruncateAfter, emulator.HTMLAfter, emulator.GarbageAfter,
	emulator.HugeAfter, emulator.EmptyAfter, emulator.WrongContentTypeAfter, emulator.StatusBefore,
}

func drawAction(t *rapid.T) action {
	whats := []string{"token", "token", "token", "refresh", "refused", "sleep", "sleep", "fault", "fault", "crash", "store refuses", "store refuses tokens", "store refuses tokens", "store answers", "store answers", "restart", "sign in"}
	return action{
		What:    rapid.SampledFrom(whats).Draw(t, "what"),
		Program: rapid.IntRange(0, 2).Draw(t, "program"),
		After:   time.Duration(rapid.Int64Range(0, int64(40*24*time.Hour)).Draw(t, "after")),
		Fault:   rapid.SampledFrom(unanswered).Draw(t, "fault"),
		Step:    rapid.SampledFrom(venuekey.Steps).Draw(t, "step"),
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		actions := rapid.SliceOfN(rapid.Custom(drawAction), 1, 60).Draw(rt, "actions")
		var wrong error
		synctest.Test(t, func(t *testing.T) { wrong = play(t, actions) })
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

// world is the model's state.
type world struct {
	t        *testing.T
	venue    *ctraderemu.Server
	store    *moodyStore
	spill    string
	programs [3]*venuekey.Keeper
	id       venuekey.ID
	given    int64 // the highest generation that a program was given
	refuses  bool  // the store does
	ordered  int   // faults
	unknown  int   // renewals whose outcome nobody could know
	mayLose  bool  // one of them was in the window that cannot be closed
}

// lossIsExcused says whether a human may have to sign in: something happened in
// the window that cannot be closed, or the one retry of the policy was used up
// without an answer.
func (w *world) lossIsExcused() bool { return w.mayLose || w.unknown >= 2 }

func play(t *testing.T, actions []action) error {
	spill, err := os.MkdirTemp(t.TempDir(), "spill")
	if err != nil {
		return err
	}
	w := &world{t: t, venue: &ctraderemu.Server{Knobs: ctraderemu.Knobs{AnyLoopbackRedirect: true}}, store: &moodyStore{Store: &memory.Store{}}, spill: spill,
		id: venuekey.ID{Venue: "ctrader", Name: "alice"}}
	for i := range w.programs {
		w.programs[i] = w.program()
	}
	if err := w.signIn(); err != nil {
		return err
	}
	for i, a := range actions {
		w.do(a)
		if err := w.check(); err != nil {
			return fmt.Errorf("after action %d (%s): %w", i+1, a.What, err)
		}
	}
	return w.end()
}

// program starts one more program.
func (w *world) program() *venuekey.Keeper {
	return &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: w.store, Key: venuekey.Key{9}},
		Venues: []venuekey.Venue{ctrader.Venue{Transport: inProcess{w.venue}}},
		Apps: func(context.Context, string) (venuekey.App, error) {
			return venuekey.App{Venue: "ctrader", ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "https://app.example/cb",
				URLs: map[string]string{"base": "http://localhost:1"}}, nil
		},
		Spill: w.spill,
	}
}

// signIn puts a first token into the vault, as a sign-in would: the pages are
// told of elsewhere.
func (w *world) signIn() error {
	code, err := emulator.Person{Name: "alice", Password: "wonderland", Client: &http.Client{Transport: inProcess{w.venue}}}.
		Redirected(w.t.Context(), "http://localhost:1/apps/auth?client_id=demo-client&scope=trading&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fauth%2Fcallback")
	if err != nil {
		return err
	}
	auth := ctrader.Auth{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://localhost:8080/auth/callback", Transport: inProcess{w.venue}}
	value, err := auth.Code(code)
	if err != nil {
		return err
	}
	token, err := auth.Token(w.t.Context(), value, "http://localhost:1/apps/token")
	if err != nil {
		return err
	}
	record, err := w.store.Get(w.t.Context(), "token/"+w.id.String())
	if err != nil && !errors.Is(err, venuekey.ErrNotFound) {
		return err
	}
	next := venuekey.Record{Key: "token/" + w.id.String(), Version: record.Version, Generation: record.Generation + 2, NextRefresh: token.Issued.Add(token.Life() * 8 / 10)}
	_, err = w.programs[0].Vault.Save(w.t.Context(), next, token)
	if err == nil {
		w.given = max(w.given, next.Generation)
	}
	return err
}

func (w *world) do(a action) {
	keeper := w.programs[a.Program]
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	switch a.What {
	case "token":
		w.note(keeper, func() error { _, err := keeper.Token(ctx, w.id); return err })
	case "refresh":
		w.note(keeper, func() error { _, err := keeper.Refresh(ctx, w.id); return err })
	case "refused":
		token, _, err := keeper.Vault.Load(ctx, w.id)
		if err == nil {
			w.note(keeper, func() error { _, err := keeper.Refused(ctx, w.id, token.Access); return err })
		}
	case "sleep":
		time.Sleep(a.After)
	case "fault":
		w.mayLose = w.mayLose || strings.HasSuffix(string(a.Fault), "-after")
		if a.Fault != emulator.StatusBefore {
			w.unknown++
		}
		w.ordered++
		w.venue.Inject(emulator.Fault{On: emulator.Refresh, Kind: a.Fault})
	case "crash":
		w.crash(ctx, a)
	case "store refuses":
		w.refuses = true
		w.store.turn(func(venuekey.Record) error { return errDiskFull })
	case "store refuses tokens":
		w.refuses = true
		w.store.turn(rotations)
	case "store answers":
		w.refuses = false
		w.store.turn(nil)
	case "sign in":
		// The venue ends the tokens before it; a renewed one that waits to be
		// saved must not replace it.
		// A real sign-in tries the store first, and is not begun where it refuses.
		if !w.refuses && w.signIn() == nil {
			w.unknown = w.ordered - w.venue.Log().Count(emulator.FaultInjected)
			w.mayLose = w.unknown > 0
		}
	case "restart":
		w.programs[a.Program] = w.program()
	}
}

// note remembers the generation that a program was given, if it was.
func (w *world) note(keeper *venuekey.Keeper, call func() error) {
	if call() != nil {
		return
	}
	if status, err := keeper.Status(w.t.Context(), w.id); err == nil {
		w.given = max(w.given, status.Generation)
	}
}

// crash ends a program in the middle of a renewal: the goroutine goes, and
// whatever the program held in memory with it.
func (w *world) crash(ctx context.Context, a action) {
	doomed := w.program()
	venuekey.OnStep(doomed, func(step string) {
		if step == a.Step {
			runtime.Goexit()
		}
	})
	// Without a spill folder a refused token is in memory only; with it, the
	// step "spilled" is as good as saved.
	w.mayLose = w.mayLose || slices.Contains([]string{"answered", "sealed"}, a.Step)
	if a.Step == "claimed" {
		w.unknown++
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	_, _ = doomed.Refresh(ctx, w.id)
	synctest.Wait()
	w.programs[a.Program] = w.program()
}

func (w *world) check() error {
	shown := map[string]int{}
	for _, event := range w.venue.Events() {
		if event.Kind == emulator.RefreshPresented {
			if shown[event.Fingerprint]++; shown[event.Fingerprint] > 2 {
				return fmt.Errorf("refresh token %s was presented %d times", event.Fingerprint, shown[event.Fingerprint])
			}
		}
	}
	status, err := w.program().Status(w.t.Context(), w.id)
	if err != nil {
		return err
	}
	if status.Generation < w.given {
		return fmt.Errorf("generation %d is there, generation %d was given to a program", status.Generation, w.given)
	}
	return nil
}

// end kills every program and lets everything go well again, for long enough.
func (w *world) end() error {
	w.store.turn(nil)
	last := w.program()
	var err error
	for range 3 { // faults that were ordered and not yet used up
		for range len(w.venue.Events()) + 60 {
			time.Sleep(10 * time.Minute)
			if _, err = last.Refresh(w.t.Context(), w.id); err == nil || venuekey.NeedsSignIn(err) {
				break
			}
		}
	}
	switch {
	case err == nil:
		_, err = last.Token(w.t.Context(), w.id)
		return err
	case venuekey.NeedsSignIn(err) && w.lossIsExcused():
		if status, _ := last.Status(w.t.Context(), w.id); status.Reason == "" {
			return errors.New("a human has to sign in and is not told why")
		}
		return nil
	default:
		return fmt.Errorf("no progress although nothing was lost: %w", err)
	}
}

// inProcess answers requests without a network, so that virtual time goes on.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (response *http.Response, err error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	defer func() {
		if recover() != nil { // http.ErrAbortHandler: the connection breaks
			response, err = nil, net.ErrClosed
		}
	}()
	recorder := httptest.NewRecorder()
	r.RemoteAddr = "127.0.0.1:1"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	p.handler.ServeHTTP(recorder, r)
	response = recorder.Result()
	response.Request = r
	return response, nil
}
