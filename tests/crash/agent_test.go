package crash_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
)

// agent_test.go owns agents that are killed at every step of a renewal, while programs wait for it.

// serve is a child that is an agent until its input ends.
func serve(ctx context.Context, keeper *venuekey.Keeper, path string) {
	listener, err := agent.Listen(path)
	if err != nil {
		panic(err)
	}
	fmt.Println("serving")
	ctx, stop := context.WithCancel(ctx)
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
	_ = (&agent.Server{Keeper: keeper}).Serve(ctx, listener)
	if err := keeper.Close(); err != nil {
		fmt.Println("error", err)
	}
}

// serving starts such a child, and returns when it serves.
func (e errand) serving(t *testing.T) (command *exec.Cmd, end func()) {
	t.Helper()
	command = e.command()
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() { _ = input.Close(); _, _ = io.Copy(io.Discard, output); _ = command.Wait() })
	t.Cleanup(end)
	if line, err := bufio.NewReader(output).ReadString('\n'); line != "serving\n" {
		t.Fatalf("%q %v", line, err)
	}
	return command, end
}

// At whichever step of a renewal an agent is killed: who waits for it gets an error that passes, the next
// agent goes on from there, and the refresh token is presented once, or once more where its answer was lost.
func TestAgentsKilledAtEveryStepWhileProgramsWait(t *testing.T) {
	needs.Time(t, "leases of dead agents lapse in real time")
	for _, step := range keepertest.Steps() {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			killedWhileProgramsWait(t, step)
		})
	}
}

func killedWhileProgramsWait(t *testing.T, step string) {
	s := newScene(t, filepath.Join(t.TempDir(), "vault", "vault.db"), ctraderemu.Knobs{})
	keeper := s.program(t)
	id := venuekey.ID{Venue: "ctrader", Name: "alice"}
	signedIn := keepertest.SignIn(t, keeper, id)
	first := refreshOf(t, keeper, id)
	s.ID, s.Socket = id, filepath.Join(t.TempDir(), "a", "agent.sock")
	dying := s.errand
	dying.Die, dying.StoreRefuses = step, step == "spilled"
	_, dead := dying.serving(t)
	client := &agent.Client{Socket: s.Socket}
	t.Cleanup(client.CloseIdleConnections)

	// Some have it renewed, and others wait for what comes of that.
	const many = 6
	asks := func(ctx context.Context, i int) (*venuekey.Token, error) {
		if i%2 == 0 {
			return client.Refresh(ctx, id)
		}
		return client.Newer(ctx, id, signedIn.Generation, time.Minute)
	}
	left := make(chan error, many)
	for i := range many {
		go func() { _, err := asks(t.Context(), i); left <- err }()
	}
	for range many {
		if err := <-left; err != nil && !venuekey.Temporary(err) {
			t.Errorf("who waited when it was killed: %v", err)
		}
	}
	dead()

	_, end := s.serving(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	lost := step == "answered" || step == "sealed" // the window that cannot be closed
	for i := range many {
		go func() {
			token, err := client.Newer(ctx, id, signedIn.Generation, time.Second)
			for err == nil && token == nil || err != nil && venuekey.Temporary(err) && ctx.Err() == nil {
				if i%2 == 0 {
					_, err = client.Refresh(ctx, id)
				}
				if err == nil || venuekey.Temporary(err) {
					token, err = client.Newer(ctx, id, signedIn.Generation, time.Second)
				}
				if lost && i%2 == 1 && s.refused() {
					err = venuekey.ErrNotFound // it waits for a token that nobody gets
				}
			}
			if err == nil && !s.venue.Alive(string(token.Access)) {
				err = fmt.Errorf("generation %d is none that the venue accepts", token.Generation)
			}
			left <- err
		}()
	}
	for range many {
		if err := <-left; lost != (venuekey.NeedsSignIn(err) || errors.Is(err, venuekey.ErrNotFound)) || !lost && err != nil {
			t.Errorf("with the next agent: %v", err)
		}
	}
	end()
	shown, _ := s.presentations()
	for fingerprint, times := range shown {
		if want := 1; fingerprint != first && times > want || fingerprint == first && (times > 2 || times > 1 && !lost) {
			t.Errorf("a refresh token was presented %d times", times)
		}
	}
	if shown[first] == 0 {
		t.Error("nothing was renewed")
	}
	if files, _ := filepath.Glob(filepath.Join(s.Spill, "*.spill")); len(files) > 0 && !strings.Contains(step, "spilled") {
		t.Errorf("left behind: %q", files)
	}
}

// refused reports whether the venue has refused a token that was presented again.
func (s scene) refused() bool {
	shown, _ := s.presentations()
	for _, times := range shown {
		if times > 1 {
			return true
		}
	}
	return false
}
