package clients_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/internal/needs"
)

// clients_test.go runs the clients' own tests, and many programs at once while agents are killed.

// The tests of each client pass with a real agent, and none of its part is skipped.
func TestTheClientsOwnTests(t *testing.T) {
	s := newStage(t, ctrader.Knobs{})
	defer kill(s.agent())
	for language, run := range map[string][]string{
		"python": {"python3", "-m", "unittest", "-v"},
		"js":     {"node", "--test"},
	} {
		t.Run(language, func(t *testing.T) {
			stage := *s
			stage.t = t
			output, err := stage.runs(filepath.Join("..", "..", "clients", language), run[0], run[1:]...).CombinedOutput()
			if err != nil || strings.Contains(strings.ToLower(string(output)), "no agent runs: tests/clients") {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// The examples of bots say what they got, and no secret.
func TestTheExampleBots(t *testing.T) {
	s := newStage(t, ctrader.Knobs{TokenPrefix: "SENTINEL"})
	defer kill(s.agent())
	for _, bot := range [][]string{{"python", "python3", "example_bot.py"}, {"js", "node", "example_bot.mjs"}} {
		run := s.runs(filepath.Join("..", "..", "clients", bot[0]), bot[1], bot[2], alice.String(), "0.2")
		output, err := run.CombinedOutput()
		if err != nil || !strings.Contains(string(output), "begins with Token(ctrader/alice, generation ") || strings.Contains(string(output), "SENTINEL") {
			t.Errorf("%s: %v\n%s", bot[0], err, output)
		}
	}
}

// Sixteen programs in three languages use tokens that live two seconds, while the agent is killed
// all the time. Each has a token that the venue accepts, or an error that passes: an agent that is
// killed in the middle of a renewal leaves its lease behind, and until that is over, a minute later,
// nobody knows that it is dead. No refresh token is presented more often than its policy allows.
func TestManyProgramsWhileTheAgentIsKilled(t *testing.T) {
	needs.Time(t, "sixteen programs and an agent that is killed")
	life := 15 * time.Second
	if os.Getenv("VENUEKEY_HEAVY") != "" {
		life = time.Minute
	}
	s := newStage(t, ctrader.Knobs{AccessLife: 2 * time.Second, OldRefreshStays: true})
	var all sync.WaitGroup
	var mu sync.Mutex
	reports := map[string]report{}
	begin := func(name string, process *exec.Cmd) {
		process.Env = append(process.Env, "VENUEKEY_TEST_SECONDS="+strconv.FormatFloat(life.Seconds(), 'f', -1, 64), "PYTHONPATH="+absolute(t, "../../clients/python"))
		all.Go(func() {
			var told, trouble bytes.Buffer
			process.Stdout, process.Stderr = &told, &trouble
			err := process.Run()
			var said report
			if err != nil || json.Unmarshal(told.Bytes(), &said) != nil {
				said.Wrong = append(said.Wrong, strings.TrimSpace(told.String()+trouble.String()))
			}
			mu.Lock()
			defer mu.Unlock()
			reports[name] = said
		})
	}
	running := s.agent()
	for i := range 16 {
		switch i % 4 {
		case 0:
			begin(name("python", i), s.runs("testdata", "python3", "program.py"))
		case 1:
			begin(name("node", i), s.runs("testdata", "node", "program.mjs"))
		default:
			ours := s.runs(".", os.Args[0])
			ours.Env = append(ours.Env, "VENUEKEY_TEST_PROGRAM=go")
			begin(name("go", i), ours)
		}
	}
	kills := 0
	for end := time.Now().Add(life); time.Now().Before(end); kills++ {
		<-time.After(time.Duration(300+rand.IntN(1500)) * time.Millisecond)
		kill(running)
		running = s.agent()
	}
	all.Wait()
	kill(running)
	for name, said := range reports {
		if len(said.Wrong) > 0 || said.Tokens == 0 {
			t.Errorf("%s: %+v", name, said)
		}
	}
	shown := map[string]int{}
	for _, event := range s.venue.Events() {
		if event.Kind == emulator.EventRefreshPresented {
			if shown[event.Fingerprint]++; shown[event.Fingerprint] > 2 {
				t.Errorf("refresh token %s was presented %d times", event.Fingerprint, shown[event.Fingerprint])
			}
		}
	}
	t.Logf("%d kills, %d rotations, %+v", kills, len(shown), reports)
}

func name(language string, i int) string { return language + " " + string(rune('a'+i)) }

func absolute(t *testing.T, path string) string {
	t.Helper()
	whole, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}
