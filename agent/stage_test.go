package agent_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// stage_test.go owns the stage of the stories: a keeper, its agent, and a client, over a real
// socket.

func TestMain(m *testing.M) {
	if part := os.Getenv(partVariable); part != "" {
		playPart(part)
		return
	}
	goleak.VerifyTestMain(m)
}

// stage is an agent that runs, and a client of it.
type stage struct {
	t      *testing.T
	venue  *keepertest.Venue
	keeper *venuekey.Keeper
	server *agent.Server
	change func(*agent.Server)
	path   string
	client *agent.Client
	stop   func()
}

// folder is a short one, because the path of a socket has to be.
func folder(t testing.TB) string {
	t.Helper()
	return t.TempDir()
}

// play begins an agent; change, unless nil, changes its server first.
func play(t *testing.T, change func(*agent.Server)) *stage {
	t.Helper()
	s := &stage{t: t, venue: &keepertest.Venue{}, path: filepath.Join(folder(t), "a", "agent.sock")}
	s.keeper = keepertest.New(t, &memory.Store{}, s.venue)
	s.change = change
	s.begin()
	return s
}

// begin has the agent serve, until the test or stop ends it.
func (s *stage) begin() {
	s.t.Helper()
	listener, err := agent.Listen(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = &agent.Server{Keeper: s.keeper, Version: "test", Vault: "v"}
	if s.change != nil {
		s.change(s.server)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(ctx, listener) }()
	s.client = &agent.Client{Socket: s.path, Vault: "v"}
	s.stop = sync.OnceFunc(func() {
		s.client.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(s.stop)
}

var alice = keepertest.Alice

// signIn signs alice in.
func (s *stage) signIn() *venuekey.Token {
	s.t.Helper()
	token, err := s.keeper.SignIn(s.t.Context(), alice, keepertest.NoUI{})
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// raw sends a request as it stands, and returns the status line and everything behind it.
func (s *stage) raw(text string) string {
	s.t.Helper()
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(conn, text)
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// get asks with header fields, each "Name: value".
func (s *stage) get(path string, fields ...string) string {
	s.t.Helper()
	return s.ask("GET", path, "", fields...)
}

func (s *stage) ask(method, path, body string, fields ...string) string {
	s.t.Helper()
	head := method + " " + path + " HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n"
	for _, field := range fields {
		head += field + "\r\n"
	}
	if body != "" {
		head += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return s.raw(head + "\r\n" + body)
}

// want fails unless an answer has a status and a text.
func (s *stage) want(answer string, status int, text string) {
	s.t.Helper()
	line, _, _ := strings.Cut(answer, "\r\n")
	if line != fmt.Sprintf("HTTP/1.1 %d %s", status, http.StatusText(status)) || !strings.Contains(answer, text) {
		s.t.Errorf("got %.400s, want %d with %q", answer, status, text)
	}
}
