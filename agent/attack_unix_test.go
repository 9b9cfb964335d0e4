//go:build unix

package agent_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
)

// attack_unix_test.go plays what others may do to the agent's socket, and over it.

// Where others could put a socket of their own, or reach ours, there is none.
func TestAttackAFolderOfTheSocketThatOthersReach(t *testing.T) {
	base := t.TempDir()
	made := func(name string, mode os.FileMode) string {
		folder := filepath.Join(base, name)
		if err := errors.Join(os.Mkdir(folder, 0o700), os.Chmod(folder, mode)); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(folder, "agent.sock")
	}
	link := filepath.Join(base, "link")
	if err := os.Symlink(filepath.Dir(made("real", 0o700)), link); err != nil {
		t.Fatal(err)
	}
	squatted := made("squatted", 0o700)
	if err := os.WriteFile(squatted, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		made("open", 0o777):                   "other users",
		made("readable", 0o755):               "open to others",
		filepath.Join(link, "agent.sock"):     "is a link",
		squatted:                              "is no socket",
		"/" + strings.Repeat("long/", 21):     "bytes",
		filepath.Join(squatted, "below.sock"): "",
	} {
		listener, err := agent.Listen(path)
		if err == nil {
			_ = listener.Close()
		}
		if venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if text, _ := os.ReadFile(squatted); string(text) != "mine" {
		t.Error("what was there is gone")
	}
}

// Of agents that start at once, one serves and the others say who; one that was killed leaves
// nothing in the way.
func TestAttackTwoAgentsAndOneThatWasKilled(t *testing.T) {
	if path := os.Getenv("VENUEKEY_TEST_AGENT"); path != "" {
		listener, err := agent.Listen(path)
		fmt.Println("listening", err)
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = listener.Close()
		return
	}
	path := filepath.Join(t.TempDir(), "a", "agent.sock")
	other := exec.Command(os.Args[0], "-test.run=^TestAttackTwoAgentsAndOneThatWasKilled$")
	other.Env = append(os.Environ(), "VENUEKEY_TEST_AGENT="+path)
	input, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := other.StdoutPipe()
	if err == nil {
		err = other.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if line, _ := bufio.NewReader(output).ReadString('\n'); line != "listening <nil>\n" {
		t.Fatal(line)
	}
	if _, err := agent.Listen(path); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("another agent (process %d) serves this vault", other.Process.Pid)) {
		t.Errorf("beside another: %v", err)
	}
	_ = other.Process.Kill()
	_ = other.Wait()
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSocket == 0 {
		t.Fatalf("the killed one left no socket: %v", err)
	}
	listener, err := agent.Listen(path)
	if err != nil {
		t.Fatalf("after SIGKILL: %v", err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v %v", name, info.Mode(), err)
		}
	}
	_ = listener.Close()
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is still there")
	}
}

// Another user of the machine gets no answer, even if the socket is within reach.
func TestAttackAnotherUserConnects(t *testing.T) {
	s := play(t, nil)
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request, _ := http.NewRequestWithContext(agent.AsAnotherUser(conn), "GET", "/v1/signins", nil)
	answer := &recorder{header: http.Header{}}
	s.server.ServeHTTP(answer, request)
	if answer.status != http.StatusForbidden || !strings.Contains(answer.text.String(), "asked; root too asks as the user") {
		t.Errorf("%d %s", answer.status, answer.text.String())
	}
}

type recorder struct {
	header http.Header
	status int
	text   strings.Builder
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.text.Write(b) }

// Requests that no client of ours sends get an error, and cost nobody else anything.
func TestAttackRequestsOfAllKinds(t *testing.T) {
	s := play(t, nil)
	s.signIn()
	long := strings.Repeat("x", 1<<20)
	id := alice.String()
	s.want(s.get("/v1/token/"+id, "Origin: null"), 403, "does not answer web pages")
	s.want(s.get("/v1/token/"+id, "Origin: https://evil.example"), 403, "web pages")
	s.want(s.get("/v1/token/"+id, "Sec-Fetch-Mode: no-cors"), 403, "web pages")
	s.want(s.get("/v1/token/"+id, "Venuekey-Vault: another"), 421, "serves another vault")
	s.want(s.ask("POST", "/v1/token/"+id, "{}"), 405, "GET")
	s.want(s.ask("DELETE", "/v1/signins/"+id+"?revoke=maybe", ""), 400, "true or false")
	s.want(s.get("/v2/token/"+id), 404, "no such path")
	s.want(s.get("/"), 404, "no such path")
	s.want(s.get("/v1/token/stage/no..body"), 404, "not signed in")
	s.want(s.get("/v1/token/stage%2Falice/x"), 404, "not signed in")
	s.want(s.get("/v1/token/stage/%2e%2e"), 404, "not signed in")
	s.want(s.get("/v1/token/stage/"+strings.Repeat("a", 5000)), 404, "not signed in")
	s.want(s.ask("POST", "/v1/token/"+id+"/refused", `{"access_token":""}`), 400, "is empty")
	s.want(s.ask("POST", "/v1/token/"+id+"/refused", `{"access_token":"x","and":1}`), 400, "no JSON that this call takes")
	s.want(s.ask("POST", "/v1/token/"+id+"/refused", `{"access_token":"x"} {}`), 400, "no JSON that this call takes")
	s.want(s.ask("POST", "/v1/token/"+id+"/refused", `{"access_token":"`+long+`"}`), 400, "longer than this call takes")
	s.want(s.get("/v1/events?id=a%20b/"), 400, "id is an ID")
	if answer := s.get("/v1/token/"+id, "X-Bomb: "+long); !strings.HasPrefix(answer, "HTTP/1.1 431 ") {
		t.Errorf("%.200s", answer)
	}
	if answer := s.raw("GET /v1/token/" + id + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
		t.Errorf("two lengths: %.200s", answer)
	}
	if answer := s.raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); strings.Contains(answer, "access") {
		t.Errorf("%.200s", answer)
	}
	if token, err := s.client.Token(t.Context(), alice); err != nil || token.Generation == 0 {
		t.Errorf("afterwards: %v", err)
	}
}

// Clients that say nothing, half of something, or read nothing hold up nobody.
func TestAttackClientsThatAreSlow(t *testing.T) {
	s := play(t, nil)
	s.signIn()
	const many = 300
	for i := range many {
		conn, err := net.Dial("unix", s.path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		switch i % 3 {
		case 1:
			_, _ = io.WriteString(conn, "GET /v1/tok")
		case 2:
			_, _ = io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n")
		}
	}
	began := time.Now()
	for range 50 {
		if _, err := s.client.Refresh(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("50 renewals beside %d slow clients: %s", many, time.Since(began))
}

// A program may be told no for some sign-ins, and those look as if nobody were signed in.
func TestAttackAnIDOutsideItsScope(t *testing.T) {
	told := []string{}
	s := play(t, func(server *agent.Server) {
		server.Allow = func(_ *http.Request, id venuekey.ID, verb agent.Verb) error {
			if id.Name == "bob" || verb == agent.VerbAdmin {
				return errors.New("no")
			}
			return nil
		}
		server.Told = func(_ *http.Request, id venuekey.ID, verb agent.Verb, generation int64, outcome error) error {
			told = append(told, fmt.Sprint(id, " ", verb, " ", generation > 0, " ", outcome != nil))
			if verb == agent.VerbRefresh {
				return &venuekey.Error{Class: venuekey.ClassFailed, Reason: "the log is full"}
			}
			return nil
		}
	})
	s.signIn()
	bob := venuekey.ID{Venue: "stage", Name: "bob"}
	if _, err := s.keeper.Adopt(t.Context(), bob, venuekey.Token{Access: "hush", Refresh: "hush", Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	body := func(answer string) string {
		_, text, _ := strings.Cut(answer, "\r\n\r\n")
		return strings.ReplaceAll(text, "carol", "bob")
	}
	for _, path := range []string{"/v1/token/stage/", "/v1/signins/stage/"} {
		if hidden, absent := body(s.get(path+"bob")), body(s.get(path+"carol")); hidden == "" || strings.Contains(hidden, "hush") ||
			!strings.Contains(hidden, "not signed in") || hidden != absent {
			t.Errorf("%s: %s, and for one that is not there %s", path, hidden, absent)
		}
	}
	if list := s.get("/v1/signins"); strings.Contains(list, "bob") || !strings.Contains(list, "alice") {
		t.Error(list)
	}
	if err := s.client.SignOut(t.Context(), alice, false); !errors.Is(err, venuekey.ErrNotFound) {
		t.Error(err)
	}
	if token, err := s.client.Refresh(t.Context(), alice); err == nil || token != nil || !strings.Contains(err.Error(), "the log is full") {
		t.Errorf("handed out without a word in the log: %v %v", token, err)
	}
	s.stop()
	for _, want := range []string{"stage/bob token false true", "stage/bob status false true", "stage/alice admin false true", "stage/alice refresh true false"} {
		if !strings.Contains(strings.Join(told, "\n"), want) {
			t.Errorf("told %q, not %q", told, want)
		}
	}
}

// A socket below an umask that lets everybody in is still this user's alone.
func TestAttackAnUmaskOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "agent.sock")
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	listener, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, path + ".lock": 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v (%v)", name, info.Mode().Perm(), want, err)
		}
	}
}

// A server that listens elsewhere and was told of nobody who may ask answers nobody.
func TestAttackAServerWithoutConsumersOnTCP(t *testing.T) {
	s := play(t, nil)
	s.signIn()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- (&agent.Server{Keeper: s.keeper}).Serve(ctx, listener) }()
	response, err := http.Get("http://" + listener.Addr().String() + "/v1/token/" + alice.String())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(response.Body)
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden || !strings.Contains(string(text), "through its socket only") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A socket on which systemd listened has an agent too, and a second one says so and leaves it alone.
func TestAttackAnAgentBesideOneThatSystemdStarted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "venuekey", "agent.sock")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	manager, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	if listener, err := agent.Listen(path); err == nil || !strings.Contains(err.Error(), "listens at "+path+" already") {
		t.Errorf("by hand, before systemd starts one: %v %v", listener, err)
	}
	handed := func() (net.Listener, error) {
		file, err := manager.(*net.UnixListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		listener, err := net.FileListener(file)
		if err != nil {
			t.Fatal(err)
		}
		return agent.Handed(listener)
	}
	started, err := handed()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("another agent (process %d) serves this vault at %s", os.Getpid(), path)
	if listener, err := agent.Listen(path); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("by hand: %v %v", listener, err)
	}
	if listener, err := handed(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("handed over twice: %v %v", listener, err)
	}
	if err := started.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("systemd's socket went with the agent: %v", err)
	}
	again, err := handed()
	if err != nil {
		t.Fatalf("the next that systemd starts: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
