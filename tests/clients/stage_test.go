package clients_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/local"
)

// stage_test.go owns the stage: an emulated venue, a vault with a sign-in, and agents that are real
// processes of the command.

func TestMain(m *testing.M) {
	if os.Getenv("VENUEKEY_TEST_PROGRAM") != "" {
		program()
		return
	}
	needs.Overlap()
	goleak.VerifyTestMain(m)
}

var alice = venuekey.ID{Venue: "ctrader", Name: "alice"}

// command builds the command once for all tests.
var command = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "venuekey-command-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "venuekey")
	build := exec.Command("go", "build", "-o", path, "github.com/venuekey/venuekey/cmd/venuekey")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return path, nil
})

// stage is a venue and a vault.
type stage struct {
	t       *testing.T
	venue   *ctrader.Server
	environ []string
	socket  string
	alive   *httptest.Server // says whether the venue accepts a token
}

func newStage(t *testing.T, knobs ctrader.Knobs) *stage {
	t.Helper()
	knobs.AnyLoopbackRedirect = true
	s := &stage{t: t, venue: &ctrader.Server{Knobs: knobs}}
	web := httptest.NewServer(s.venue)
	t.Cleanup(web.Close)
	s.alive = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, s.venue.Alive(r.Header.Get("Token")))
	}))
	t.Cleanup(s.alive.Close)
	home := filepath.Join(t.TempDir(), "home")
	app := emulator.DefaultApp()
	s.environ = []string{"VENUEKEY_HOME=" + home, "VENUEKEY_KEY=file", "VENUEKEY_CTRADER_CLIENT_ID=" + app.ClientID,
		"VENUEKEY_CTRADER_CLIENT_SECRET=" + app.ClientSecret, "VENUEKEY_CTRADER_BASE_URL=" + web.URL, "VENUEKEY_CTRADER_REDIRECT_URI=http://127.0.0.1:0/auth/callback"}
	place, err := local.Config{Environ: s.environ, Log: slog.New(slog.DiscardHandler)}.Place()
	if err != nil {
		t.Fatal(err)
	}
	vault, err := place.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer vault.Close()
	keepertest.SignIn(t, vault.Keeper, alice)
	s.socket = agent.SocketPath(filepath.Join(home, "agent"), agent.VaultName(place.Address().String()))
	return s
}

// agent starts one, and returns when it serves.
func (s *stage) agent() *exec.Cmd {
	s.t.Helper()
	path, err := command()
	if err != nil {
		s.t.Fatal(err)
	}
	process := exec.Command(path, "agent", "--socket", s.socket)
	process.Env = s.environ
	output, err := process.StderrPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "serving at") {
	}
	go func() {
		for lines.Scan() { // or it could not go on
		}
	}()
	return process
}

// kill kills a process.
func kill(process *exec.Cmd) {
	_ = process.Process.Kill()
	_ = process.Wait()
}

// runs runs a program with the environment of one that uses the agent.
func (s *stage) runs(folder, name string, args ...string) *exec.Cmd {
	s.t.Helper()
	if _, err := exec.LookPath(name); err != nil && !filepath.IsAbs(name) {
		needs.Skip(s.t, "clients", "the program "+name+" is not installed")
	}
	process := exec.Command(name, args...)
	process.Dir = folder
	process.Env = append(os.Environ(), "VENUEKEY_AGENT_SOCKET="+s.socket, "VENUEKEY_TEST_ID="+alice.String(), "VENUEKEY_TEST_ALIVE="+s.alive.URL,
		"PYTHONDONTWRITEBYTECODE=1", "GORACE=atexit_sleep_ms=0")
	return process
}

// report is what a program says when it ends.
type report struct {
	Tokens, Generations, Refused, Errors int
	Wrong                                []string // what must not happen
}

// program is what the programs of all three languages do, in Go: it asks for tokens, and uses them.
func program() {
	client := &agent.Client{Socket: os.Getenv("VENUEKEY_AGENT_SOCKET")}
	id, err := venuekey.ParseID(os.Getenv("VENUEKEY_TEST_ID"))
	if err != nil {
		panic(err)
	}
	source, ctx := client.Source(id), context.Background()
	life, _ := time.ParseDuration(os.Getenv("VENUEKEY_TEST_SECONDS") + "s")
	var said report
	seen := map[int64]bool{}
	accepts := func(token *venuekey.Token) bool {
		request, _ := http.NewRequest("GET", os.Getenv("VENUEKEY_TEST_ALIVE"), nil)
		request.Header.Set("Token", string(token.Access))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		text := make([]byte, 5)
		n, _ := response.Body.Read(text)
		return string(text[:n]) == "true"
	}
	for end := time.Now().Add(life); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		token, err := source.Token(ctx)
		if err == nil && !accepts(token) {
			said.Refused++
			if token, err = source.Reject(ctx, token.Access); err == nil && !accepts(token) {
				said.Wrong = append(said.Wrong, fmt.Sprintf("generation %d in place of a refused one is refused too", token.Generation))
			}
		}
		if err != nil {
			said.Errors++
			if !venuekey.Temporary(err) {
				said.Wrong = append(said.Wrong, err.Error())
			}
			continue
		}
		said.Tokens++
		seen[token.Generation] = true
	}
	said.Generations = len(seen)
	_ = json.NewEncoder(os.Stdout).Encode(said)
}
