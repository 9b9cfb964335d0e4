package crash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/internal/pgtest"
	"github.com/venuekey/venuekey/store/postgres"
	"github.com/venuekey/venuekey/store/sqlite"
	"github.com/venuekey/venuekey/venue/ctrader"
)

// Real processes that are killed while they renew, at every step of the order
// and at random instants. The judge is the emulated venue's event log: it knows
// what was presented and what was granted.

func TestMain(m *testing.M) {
	if task := os.Getenv("VENUEKEY_TEST_CHILD"); task != "" {
		child(task)
		return
	}
	// The stories with processes mostly wait, for leases of the dead to lapse.
	needs.Overlap()
	goleak.VerifyTestMain(m)
}

// errand is what a child process does.
type errand struct {
	Vault, Spill, Venue string
	// Via is where the venue is reached, if not on this machine's loopback: what
	// comes to a port there is passed on to it.
	Via string
	ID  venuekey.ID
	// Die is the step at which the process kills itself; "" is never.
	Die string
	// Hold is the step at which the process waits for a line; "" is never.
	Hold string
	// StoreRefuses makes the store refuse writes, as a full disk does.
	StoreRefuses bool
	// Socket is where an agent serves; "" is none.
	Socket string
	// For how long to ask for tokens, over and over; zero renews once.
	For time.Duration
}

func child(task string) {
	var e errand
	if err := json.Unmarshal([]byte(task), &e); err != nil {
		panic(err)
	}
	ctx := context.Background()
	if e.Via != "" {
		e.Venue = "http://" + passOn(e.Via)
	}
	store, err := e.open(ctx)
	if err != nil {
		panic(err)
	}
	wrapped := &keepertest.Store{Store: store}
	if e.StoreRefuses {
		wrapped.Refuse(keepertest.Rotations)
	}
	keeper := e.keeper(wrapped)
	var answered time.Time
	keepertest.OnStep(keeper, func(step string) {
		switch step {
		case e.Die:
			die()
		case e.Hold:
			fmt.Println("holding")
			_, _ = fmt.Scanln() // an end of the input is as good
		case "answered":
			answered = time.Now()
		case "saved":
			fmt.Println("window", time.Since(answered).Nanoseconds())
		}
	})
	if e.Socket != "" {
		serve(ctx, keeper, e.Socket)
		return
	}
	if e.For == 0 {
		if _, err := keeper.Refresh(ctx, e.ID); err != nil {
			fmt.Println("error", err)
		}
		if err := keeper.Close(); err != nil {
			fmt.Println("error", err)
		}
		return
	}
	for end := time.Now().Add(e.For); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := keeper.Token(ctx, e.ID); err != nil && !venuekey.Temporary(err) {
			fmt.Println("error", err)
		}
	}
}

// open opens the vault: a file or a database.
func (e errand) open(ctx context.Context) (venuekey.Store, error) {
	if strings.Contains(e.Vault, "dbname=") {
		return postgres.Open(ctx, e.Vault)
	}
	return sqlite.Open(ctx, e.Vault)
}

// die ends the process as the kernel does when memory is short.
func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		_ = self.Kill()
	}
	select {}
}

// keeper is the Keeper that every program of these stories uses. Its deadlines
// are short, so that the leases of the dead lapse soon.
func (e errand) keeper(store venuekey.Store) *venuekey.Keeper {
	return &venuekey.Keeper{
		Vault:  &venuekey.Vault{Store: store, Key: venuekey.SealKey{7}},
		Venues: []venuekey.Venue{ctrader.Venue{}, calm{}},
		Apps: func(_ context.Context, venue string) (venuekey.App, error) {
			if venue == "tradovate" {
				return venuekey.App{Venue: venue, URLs: map[string]string{"base": e.Venue}, Params: map[string]venuekey.Secret{
					"cid": "42", "sec": "demo-sec", "app_id": "venuekey", "app_version": "1", "device_id": "d"}}, nil
			}
			return venuekey.App{Venue: "ctrader", ClientID: "demo-client", ClientSecret: "demo-secret",
				RedirectURI: "http://127.0.0.1:0/auth/callback", URLs: map[string]string{"base": e.Venue}}, nil
		},
		Spills: []string{e.Spill}, Deadline: 2 * time.Second, SaveBudget: time.Second,
	}
}

func (e errand) command() *exec.Cmd {
	task, _ := json.Marshal(e)
	command := exec.Command(os.Args[0], "-test.run=^$")
	command.Env = append(os.Environ(), "VENUEKEY_TEST_CHILD="+string(task), "GORACE=atexit_sleep_ms=0")
	return command
}

// scene is a venue, a vault and the means to start programs that use both.
type scene struct {
	venue *ctraderemu.Server
	errand
}

func newScene(t *testing.T, vault string, knobs ctraderemu.Knobs) scene {
	t.Helper()
	knobs.AnyLoopbackRedirect, knobs.OldRefreshStays = true, true
	venue := &ctraderemu.Server{Knobs: knobs}
	web := httptest.NewServer(venue)
	t.Cleanup(web.Close)
	return scene{venue, errand{Vault: vault, Spill: filepath.Join(t.TempDir(), "spill"), Venue: web.URL}}
}

// onEveryStore tells a story on each store that programs can share. The share
// is what part of the kills it gets.
func onEveryStore(t *testing.T, story func(t *testing.T, vault string, share float64)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		story(t, filepath.Join(t.TempDir(), "vault", "vault.db"), 1)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		story(t, pgtest.Start(t).Database(t), 0.3)
	})
}

// program opens the vault as one more program does.
func (s scene) program(t *testing.T) *venuekey.Keeper {
	t.Helper()
	store, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	keeper := s.keeper(store)
	t.Cleanup(func() { keeper.Close(); store.Close() })
	return keeper
}

// refreshOf is the fingerprint of the refresh token that is kept for an ID.
func refreshOf(t *testing.T, keeper *venuekey.Keeper, id venuekey.ID) string {
	t.Helper()
	token, _, err := keepertest.Kept(t.Context(), keeper.Vault, id)
	if err != nil {
		t.Fatal(err)
	}
	return emulator.Fingerprint(string(token.Refresh))
}

// presentations counts, by fingerprint, how often each refresh token was shown,
// and names the successor of each that was granted.
func (s scene) presentations() (shown map[string]int, successor map[string]string) {
	shown, successor = map[string]int{}, map[string]string{}
	for _, event := range s.venue.Events() {
		switch event.Kind {
		case emulator.EventRefreshPresented:
			shown[event.Fingerprint]++
		case emulator.EventRefreshGranted:
			successor[event.Fingerprint] = event.Successor
		}
	}
	return shown, successor
}

// killed is one sign-in whose renewal was killed.
type killed struct {
	id    venuekey.ID
	step  string
	first string // fingerprint of the refresh token before
}

// stoodStill is what a renewal says that presented nothing because the machine was
// busy for longer than the short leases of these stories allow. It is tried again.
const stoodStill = "was suspended"

// refreshed renews, and again after stoodStill.
func refreshed(ctx context.Context, keeper *venuekey.Keeper, id venuekey.ID) (err error) {
	for range 20 {
		if _, err = keeper.Refresh(ctx, id); err == nil || !strings.Contains(err.Error(), stoodStill) {
			return err
		}
	}
	return err
}

// kills is how many processes are killed: VENUEKEY_KILLS, or what fits a test.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("VENUEKEY_KILLS")); err == nil {
		return n
	}
	if !needs.Slow() {
		return 50
	}
	return 200
}

func TestProgramsKilledAtEveryStep(t *testing.T) { onEveryStore(t, programsKilledAtEveryStep) }

func programsKilledAtEveryStep(t *testing.T, vault string, share float64) {
	s := newScene(t, vault, ctraderemu.Knobs{})
	keeper := s.program(t)
	var stories []killed
	for i := range int(share * float64(kills()*7/10)) {
		id := venuekey.ID{Venue: "ctrader", Name: fmt.Sprintf("alice-%d", i)}
		keepertest.SignIn(t, keeper, id)
		stories = append(stories, killed{id, keepertest.Steps()[i%len(keepertest.Steps())], refreshOf(t, keeper, id)})
	}
	var window atomic.Int64
	inParallel(stories, func(k killed) {
		e := s.errand
		e.ID, e.Die, e.StoreRefuses = k.id, k.step, k.step == "spilled"
		output, err := e.command().CombinedOutput()
		for tries := 0; err == nil && tries < 20 && strings.Contains(string(output), stoodStill); tries++ {
			output, err = e.command().CombinedOutput()
		}
		if err == nil {
			t.Errorf("%s survived %q: %s", k.id, k.step, output)
		} else if text, ok := strings.CutPrefix(string(output), "window "); ok {
			nanoseconds, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			window.Store(max(window.Load(), nanoseconds))
		}
	})
	next := s.program(t)
	inParallel(stories, func(k killed) {
		err := refreshed(t.Context(), next, k.id)
		token, served := next.Token(t.Context(), k.id)
		switch k.step {
		case "answered", "sealed": // the window that cannot be closed
			if !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "lost") {
				t.Errorf("%s at %q: %v", k.id, k.step, err)
			}
			if served != nil {
				t.Errorf("%s at %q: the old token is not served while it lives: %v", k.id, k.step, served)
			}
		default:
			if err != nil || served != nil || !s.venue.Alive(string(token.Access)) {
				t.Errorf("%s at %q: %v, %v", k.id, k.step, err, served)
			}
		}
	})
	shown, _ := s.presentations()
	for _, k := range stories {
		want := 1
		if k.step == "answered" || k.step == "sealed" {
			want = 2 // the one retry that the policy allows
		}
		if shown[k.first] != want {
			t.Errorf("%s at %q: the refresh token was presented %d times, want %d", k.id, k.step, shown[k.first], want)
		}
	}
	t.Logf("%d processes killed; longest from the answer to the disk: %s", len(stories), time.Duration(window.Load()))
}

func TestProgramsKilledAtRandomInstants(t *testing.T) {
	onEveryStore(t, programsKilledAtRandomInstants)
}

func programsKilledAtRandomInstants(t *testing.T, vault string, share float64) {
	s := newScene(t, vault, ctraderemu.Knobs{})
	keeper := s.program(t)
	var stories []killed
	for i := range int(share * float64(kills()*3/10)) {
		id := venuekey.ID{Venue: "ctrader", Name: fmt.Sprintf("bob-%d", i)}
		keepertest.SignIn(t, keeper, id)
		stories = append(stories, killed{id: id, first: refreshOf(t, keeper, id)})
	}
	s.venue.Inject(emulator.Fault{On: emulator.AtRefresh, Kind: emulator.FaultDelayAfter, Delay: 3 * time.Millisecond, Times: -1})
	inParallel(stories, func(k killed) {
		e := s.errand
		e.ID = k.id
		command := e.command()
		if err := command.Start(); err != nil {
			t.Error(err)
			return
		}
		time.AfterFunc(time.Duration(rand.Int64N(int64(60*time.Millisecond))), func() { _ = command.Process.Kill() })
		_ = command.Wait()
	})
	next := s.program(t)
	var lost sync.Map // fingerprints of refresh tokens that are
	inParallel(stories, func(k killed) {
		err := refreshed(t.Context(), next, k.id)
		switch {
		case err == nil:
		case venuekey.NeedsSignIn(err) && strings.Contains(err.Error(), "lost"):
			lost.Store(k.first, k.id)
		default:
			t.Errorf("%s: %v", k.id, err)
		}
	})
	// The log is read now: a request may outlive its program.
	shown, successor := s.presentations()
	window := 0
	lost.Range(func(first, id any) bool {
		if window++; successor[first.(string)] == "" {
			t.Errorf("%s is lost, but its refresh token was never used", id)
		}
		return true
	})
	for fingerprint, times := range shown {
		if times > 2 {
			t.Errorf("refresh token %s was presented %d times", fingerprint, times)
		}
	}
	t.Logf("%d processes killed; %d in the window between the answer and the disk", len(stories), window)
}

// Sixteen programs share one sign-in whose token lives two seconds; half of them
// are killed and started again all the time.
func TestManyProgramsOneRenewalPerGeneration(t *testing.T) {
	onEveryStore(t, manyProgramsOneRenewalPerGeneration)
}

func manyProgramsOneRenewalPerGeneration(t *testing.T, vault string, share float64) {
	if share < 1 {
		needs.Time(t, "the same on a second store")
	}
	s := newScene(t, vault, ctraderemu.Knobs{AccessLife: 2 * time.Second})
	keeper := s.program(t)
	s.ID = venuekey.ID{Venue: "ctrader", Name: "shared"}
	keepertest.SignIn(t, keeper, s.ID)
	s.For = 5 * time.Second
	end := time.Now().Add(time.Minute)
	generations := func() (n int, lost bool) {
		shown, successor := s.presentations()
		for _, times := range shown {
			lost = lost || times > 1 // a program was killed in the window, and the retry was refused
		}
		return len(successor), lost
	}
	enough := func() bool { // a busy machine needs longer
		n, lost := generations()
		return n >= 3 || lost || time.Now().After(end)
	}
	var programs sync.WaitGroup
	for i := range 16 {
		programs.Go(func() {
			for restarts := i%2 == 1; !enough(); {
				command := s.command()
				var output strings.Builder
				command.Stdout, command.Stderr = &output, &output
				if err := command.Start(); err != nil {
					t.Error(err)
					return
				}
				if restarts {
					time.AfterFunc(time.Duration(200+rand.IntN(800))*time.Millisecond, func() { _ = command.Process.Kill() })
				}
				err := command.Wait()
				if text := output.String(); strings.Contains(text, "error") && !strings.Contains(text, "lost") {
					t.Errorf("a program: %s", text)
				}
				if exit := new(exec.ExitError); err != nil && !(restarts && errors.As(err, &exit)) {
					t.Errorf("a program ended: %v: %s", err, output.String())
				}
			}
		})
	}
	programs.Wait()
	shown, _ := s.presentations()
	var times []int
	for _, n := range shown {
		times = append(times, n)
	}
	slices.Sort(times)
	if n, lost := generations(); n < 3 && !lost || times[len(times)-1] > 2 {
		t.Fatalf("%d generations, presented %v times", n, times)
	}
	t.Logf("%d generations over 16 programs; presentations of one token: %v", len(shown), times)
}

// inParallel does something for each story, a few at a time.
func inParallel(stories []killed, do func(killed)) {
	var running sync.WaitGroup
	slots := make(chan struct{}, 4)
	for _, story := range stories {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			do(story)
		})
	}
	running.Wait()
}

// passOn listens on this machine's loopback, since plain HTTP goes nowhere else,
// and passes on what comes.
func passOn(to string) (address string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := net.DialTimeout("tcp", to, time.Second)
				if err != nil {
					return
				}
				defer far.Close()
				go io.Copy(far, near)
				_, _ = io.Copy(near, far)
			}()
		}
	}()
	return listener.Addr().String()
}
