package model_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/ctrader"
)

// The model: three programs on one vault and one emulated venue, in virtual
// time, with whatever can go wrong in any order. After every action these must
// hold, by the venue's own log:
//
//   - every presentation of a refresh token after the first is explained by an
//     answer that nobody read; where reuse is punished, by the policy's one retry,
//     or by an access token that was dead, so that there was nothing to lose;
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
	Status  int
	Retry   time.Duration
	Step    string
}

// faults are what can go wrong on the wire: connections that break, and answers
// that are nobody's word, before and after the venue did its work.
var faults = []emulator.FaultKind{
	emulator.FaultDropBefore, emulator.FaultDropAfter, emulator.FaultTruncateBefore, emulator.FaultTruncateAfter, emulator.FaultHTMLBefore, emulator.FaultHTMLAfter,
	emulator.FaultRedirectBefore, emulator.FaultRedirectAfter, emulator.FaultWrongContentTypeBefore, emulator.FaultWrongContentTypeAfter,
	emulator.FaultGarbageBefore, emulator.FaultGarbageAfter, emulator.FaultHugeAfter, emulator.FaultEmptyBefore, emulator.FaultEmptyAfter, emulator.FaultStatusBefore, emulator.FaultStatusAfter,
}

// losesNothing says that the token can be read all the same: the body is the real
// one under another name.
func losesNothing(kind emulator.FaultKind) bool { return kind == emulator.FaultWrongContentTypeAfter }

func drawAction(t *rapid.T) action {
	whats := []string{"token", "token", "token", "refresh", "refused", "sleep", "sleep", "fault", "fault", "fault", "crash", "doze", "copy", "put back", "wrong secret", "right secret", "odd life", "right life", "store refuses", "store refuses tokens", "store refuses tokens", "store answers", "store answers", "restart", "sign in"}
	return action{
		What:    rapid.SampledFrom(whats).Draw(t, "what"),
		Program: rapid.IntRange(0, 2).Draw(t, "program"),
		After:   time.Duration(rapid.Int64Range(0, int64(40*24*time.Hour)).Draw(t, "after")),
		Fault:   rapid.SampledFrom(faults).Draw(t, "fault"),
		Retry:   rapid.SampledFrom([]time.Duration{0, 0, 0, time.Minute, 24 * time.Hour, 365 * 24 * time.Hour}).Draw(t, "retry"),
		Status:  rapid.SampledFrom([]int{0, 403, 404, 405, 500, 503}).Draw(t, "status"),
		Step:    rapid.SampledFrom(keepertest.Steps()).Draw(t, "step"),
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		policy := rapid.SampledFrom([]venuekey.LostAnswer{venuekey.RetryUntilRefused, venuekey.RetryNever, venuekey.RetryOnce}).Draw(rt, "policy")
		actions := rapid.SliceOfN(rapid.Custom(drawAction), 1, 60).Draw(rt, "actions")
		var wrong error
		synctest.Test(t, func(t *testing.T) { wrong = play(t, policy, actions) })
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

// world is the model's state.
type world struct {
	t        *testing.T
	policy   venuekey.LostAnswer
	venue    *ctraderemu.Server
	store    *keepertest.Store
	spill    string
	programs [3]*venuekey.Keeper
	id       venuekey.ID
	given    int64 // the highest generation that a program was given
	refuses  bool  // the store does
	ordered  int   // faults
	crashes  int   // of programs that may have presented
	spoke    bool  // a program said that the venue refuses the access token
	mayLose  bool  // the venue rotated, and no program has the new token
	dozing   sync.WaitGroup
	marks    string
	secret   atomic.Value // of the app, a venuekey.Secret
	life     atomic.Value // of an access token, as the venue states it
	heard    *hearing
	copy     []venuekey.Record // of the store, as it was
	backs    int               // how often an older copy was put back
	wentBack bool              // an older copy of it was put back since the last sign-in
	erased   int               // how often a copy of the same generation was, from before a presentation
	lies     int               // how often the venue may rotate and say that it did not: 503 with Retry-After
}

// under is cTrader under another policy.
type under struct {
	ctrader.Venue
	lost venuekey.LostAnswer
}

func (v under) Policy() venuekey.Policy {
	policy := v.Venue.Policy()
	policy.AfterLostAnswer = v.lost
	return policy
}

func play(t *testing.T, policy venuekey.LostAnswer, actions []action) error {
	spill, err := os.MkdirTemp(t.TempDir(), "spill")
	if err != nil {
		return err
	}
	// A wrong client secret is refused in the words of a dead refresh token.
	knobs := ctraderemu.Knobs{AnyLoopbackRedirect: true, ErrorCodes: ctraderemu.ErrorCodes{Client: "INVALID_GRANT"}}
	if policy != venuekey.RetryUntilRefused {
		knobs.Rotation = emulator.RotationStrictFamilyRevoke
	}
	marks, err := os.MkdirTemp(t.TempDir(), "marks")
	if err != nil {
		return err
	}
	w := &world{t: t, policy: policy, marks: marks, venue: &ctraderemu.Server{Knobs: knobs}, store: &keepertest.Store{Store: &memory.Store{}}, spill: spill,
		id: venuekey.ID{Venue: "ctrader", Name: "alice"}}
	w.secret.Store(venuekey.Secret("demo-secret"))
	w.life.Store("2628000")
	for i := range w.programs {
		w.programs[i] = w.program(0)
	}
	if err := w.signIn(); err != nil {
		return err
	}
	w.heard = w.listen()
	defer func() { w.heard.stop() }()
	for i, a := range actions {
		w.do(a)
		if err := w.check(); err != nil {
			return fmt.Errorf("after action %d (%s): %w", i+1, a.What, err)
		}
	}
	w.dozing.Wait()
	return w.end()
}

// program starts one more program, whose machine dozes off while it connects.
func (w *world) program(dozes time.Duration) *venuekey.Keeper {
	return &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: w.store, Key: venuekey.SealKey{9}},
		Venues: []venuekey.Venue{under{ctrader.Venue{Transport: keepertest.InProcess{Handler: w.venue, Dozes: dozes, Life: &w.life}}, w.policy}},
		Apps: func(context.Context, string) (venuekey.App, error) {
			return venuekey.App{Venue: "ctrader", ClientID: "demo-client", ClientSecret: w.secret.Load().(venuekey.Secret), RedirectURI: "https://app.example/cb",
				URLs: map[string]string{"base": "http://localhost:1"}}, nil
		},
		Spills: []string{filepath.Join(w.spill, "not a folder", "x"), w.spill}, Marks: w.marks,
	}
}

// signIn puts a first token into the vault, as a sign-in would: the pages are
// told of elsewhere.
func (w *world) signIn() error {
	code, err := emulator.Person{Name: "alice", Password: "wonderland", Client: &http.Client{Transport: keepertest.InProcess{Handler: w.venue}}}.
		Redirected(w.t.Context(), "http://localhost:1/apps/auth?client_id=demo-client&scope=trading&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fauth%2Fcallback")
	if err != nil {
		return err
	}
	auth := ctrader.Auth{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://localhost:8080/auth/callback", Transport: keepertest.InProcess{Handler: w.venue}}
	value, err := auth.Code(code)
	if err != nil {
		return err
	}
	token, err := auth.Token(w.t.Context(), value, "http://localhost:1/apps/token")
	if err != nil {
		return err
	}
	if _, err := w.programs[0].Adopt(w.t.Context(), w.id, token); err != nil {
		return err
	}
	status, err := w.programs[0].Status(w.t.Context(), w.id)
	w.given = max(w.given, status.Generation)
	return err
}

// do has a program act, or changes the world around them.
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
		token, _, err := keepertest.Kept(ctx, keeper.Vault, w.id)
		if err == nil {
			w.spoke = true
			w.note(keeper, func() error { _, err := keeper.Reject(ctx, w.id, token.Access); return err })
		}
	case "sleep":
		time.Sleep(a.After)
	case "doze":
		dozes := a.After % (2 * time.Hour)
		dozer := w.program(dozes)
		ctx := w.t.Context()
		w.dozing.Go(func() { _, _ = dozer.Refresh(ctx, w.id) })
		time.Sleep(dozes / 2)
	case "crash":
		w.crash(ctx, a)
	case "sign in":
		// The venue ends the tokens before it; a renewed one that waits to be
		// saved must not replace it.
		// A real sign-in tries the store first, and is not begun where it refuses.
		if !w.refuses && w.signIn() == nil {
			w.wentBack, w.copy = false, nil
			w.mayLose = w.ordered > w.venue.Log().Count(emulator.EventFaultInjected)
		}
	case "restart":
		w.programs[a.Program] = w.program(0)
	default:
		w.change(a)
	}
}

// change changes what the programs depend on: the wire, the store, the app.
func (w *world) change(a action) {
	switch a.What {
	case "fault":
		w.mayLose = w.mayLose || strings.HasSuffix(string(a.Fault), "-after") && !losesNothing(a.Fault)
		w.ordered++
		if strings.HasSuffix(string(a.Fault), "-after") && a.Retry > 0 && (a.Status == http.StatusServiceUnavailable || a.Status == 0 && a.Fault == emulator.FaultStatusAfter) {
			w.lies++
		}
		w.venue.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: a.Fault, Status: a.Status, RetryAfter: a.Retry})
	case "store refuses":
		w.refuses = true
		w.store.Refuse(func(venuekey.Record) error { return keepertest.ErrDiskFull })
	case "store refuses tokens":
		w.refuses = true
		w.store.Refuse(keepertest.Rotations)
	case "store answers":
		w.refuses = false
		w.store.Refuse(nil)
	case "copy":
		w.copy = keepertest.CopyOf(w.t, w.store)
	case "put back":
		w.putBack()
	case "wrong secret":
		w.secret.Store(venuekey.Secret("wrong"))
	case "right secret":
		w.secret.Store(venuekey.Secret("demo-secret"))
	case "odd life":
		w.life.Store([]string{"0", "-5", "1", "2628000000"}[a.Program%2*2+len(a.Fault)%2])
	case "right life":
		w.life.Store("2628000")
	}
}

// putBack puts an older copy of the store in its place: what was renewed since is
// gone, unless it lies in a spill file.
func (w *world) putBack() {
	if len(w.copy) == 0 {
		return
	}
	w.dozing.Wait()
	old := &memory.Store{}
	for _, record := range w.copy {
		record.Version, record.LeaseOwner = 0, ""
		if _, err := old.Put(w.t.Context(), record); err != nil {
			w.t.Fatal(err)
		}
	}
	w.backs++
	// A copy of the same generation from before a presentation hides that there was
	// one: no mark tells of it.
	if now, err := w.store.Get(w.t.Context(), w.copy[0].Key); err == nil && now.Generation == w.copy[0].Generation && now.Attempt > w.copy[0].Attempt {
		w.erased += now.Attempt - w.copy[0].Attempt
	}
	status, err := w.program(0).Status(w.t.Context(), w.id)
	w.wentBack = w.wentBack || err != nil || w.copy[0].Generation < status.Generation
	w.heard.stop()
	w.store.Store, w.given = old, 0
	w.heard = w.listen()
	for i := range w.programs {
		w.programs[i] = w.program(0)
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
	doomed := w.program(0)
	keepertest.OnStep(doomed, func(step string) {
		if step == a.Step {
			runtime.Goexit()
		}
	})
	// Without a spill folder a refused token is in memory only; with it, the
	// step "spilled" is as good as saved.
	w.mayLose = w.mayLose || slices.Contains([]string{"answered", "sealed"}, a.Step)
	w.crashes++
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	_, _ = doomed.Refresh(ctx, w.id)
	synctest.Wait()
	w.programs[a.Program] = w.program(0)
}

func (w *world) check() error {
	if err := w.checkPresented(); err != nil {
		return err
	}
	status, err := w.program(0).Status(w.t.Context(), w.id)
	if err != nil {
		return err
	}
	if status.Generation < w.given {
		return fmt.Errorf("generation %d is there, generation %d was given to a program", status.Generation, w.given)
	}
	return nil
}

// checkPresented looks at every presentation in the venue's log.
func (w *world) checkPresented() error {
	unread := w.crashes + w.backs
	shown, issued := map[string]int{}, map[string]time.Time{}
	before := emulator.Event{}
	for _, event := range w.venue.Events() {
		if event.Kind == emulator.EventClientRefused && before.Kind == emulator.EventRefreshPresented {
			shown[before.Fingerprint]-- // nothing was used up, and the answer says so
		}
		before = event
		switch event.Kind {
		case emulator.EventCodeExchanged, emulator.EventRefreshGranted:
			issued[event.Successor] = event.At
		case emulator.EventFaultInjected:
			unread++
		case emulator.EventRefreshPresented:
			shown[event.Fingerprint]++
			n, at := shown[event.Fingerprint], issued[event.Fingerprint]
			known := n - w.erased - w.lies // of what the Keeper can know
			dead := w.spoke || event.At.Sub(at) >= ctrader.AccessLife
			switch {
			case n > 1+unread:
				return fmt.Errorf("refresh token %s was presented %d times; %d answers were not read", event.Fingerprint, n, unread)
			case w.policy == venuekey.RetryNever && (known > 2 || known == 2 && !dead), w.policy == venuekey.RetryOnce && (known > 3 || known == 3 && !dead):
				return fmt.Errorf("refresh token %s, which must not be reused, was presented %d times, %s after it was issued", event.Fingerprint, n, event.At.Sub(at))
			}
		}
	}
	return nil
}

// chancesAreUsedUp says whether every presentation that a policy allows where reuse
// is punished, the last chance among them, may have gone out in vain.
func (w *world) chancesAreUsedUp() bool {
	unread := w.crashes + w.venue.Log().Count(emulator.EventFaultInjected)
	switch w.policy {
	case venuekey.RetryNever:
		return unread >= 2
	case venuekey.RetryOnce:
		return unread >= 3
	}
	return false
}

// end kills every program and lets everything go well again, for long enough.
func (w *world) end() error {
	w.store.Refuse(nil)
	w.secret.Store(venuekey.Secret("demo-secret"))
	last := w.program(0)
	var err error
	for range 3 { // faults that were ordered and not yet used up
		for range len(w.venue.Events()) + 60 {
			time.Sleep(10 * time.Hour)
			if _, err = last.Refresh(w.t.Context(), w.id); err == nil {
				break
			}
			if status, _ := last.Status(w.t.Context(), w.id); status.State == venuekey.StateNeedsSignIn && status.NextRefresh.IsZero() {
				break
			}
		}
	}
	if err := w.heard.agrees(last, w.id); err != nil {
		return err
	}
	switch {
	case err == nil:
		token, err := last.Token(w.t.Context(), w.id)
		if err == nil && (token.Life() < time.Hour || token.Life() > 2*ctrader.AccessLife) {
			err = fmt.Errorf("a token is taken to live for %s", token.Life())
		}
		return err
	case venuekey.NeedsSignIn(err) && (w.mayLose || w.wentBack || w.chancesAreUsedUp()):
		if status, _ := last.Status(w.t.Context(), w.id); status.Reason == "" {
			return errors.New("a human has to sign in and is not told why")
		}
		return nil
	default:
		return fmt.Errorf("no progress although nothing was lost: %w", err)
	}
}

// hearing is a program that listens all the time and renews nothing, whoever meets
// the trouble.
type hearing struct {
	mu   sync.Mutex
	now  venuekey.Event // trouble, or its end
	stop func()
}

func (w *world) listen() *hearing {
	h := &hearing{}
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	h.stop = sync.OnceFunc(func() { stop(); <-done })
	listener := w.program(0)
	go func() {
		defer close(done)
		for event := range listener.Events(ctx, w.id) {
			h.mu.Lock()
			switch event.Kind {
			case venuekey.EventTrouble, venuekey.EventRecovered, venuekey.EventSignedIn, venuekey.EventFound:
				h.now = event
			}
			h.mu.Unlock()
		}
	}()
	return h
}

// agrees compares what was told last with what is true, after the hour in which
// whatever was missed is found.
func (h *hearing) agrees(keeper *venuekey.Keeper, id venuekey.ID) error {
	time.Sleep(2 * time.Hour)
	synctest.Wait()
	status, err := keeper.Status(context.Background(), id)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	needs, told := status.State == venuekey.StateNeedsSignIn, h.now.Kind == venuekey.EventTrouble && h.now.Status.State == venuekey.StateNeedsSignIn
	if needs != told {
		return fmt.Errorf("the sign-in is %q, and what was told last is %q, %q", status.State, h.now.Kind, h.now.Status.State)
	}
	return nil
}
