package agent_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// parts_test.go owns the parts that other processes play: agents of this and of another user,
// those who ask them, and those who only seem to be agents.

const partVariable = "VENUEKEY_TEST_AGENT_PART"

// part is what a process plays. It says "ready" first, and ends with its input.
type part struct {
	Play string // listen, serve, squat, ask or crowd
	Path string
	Text string // what is asked
	Many int    // connections
}

// playPart plays it.
func playPart(text string) {
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		panic(err)
	}
	switch p.Play {
	case "listen":
		listener, err := agent.Listen(p.Path)
		fmt.Println("ready", err)
		if err == nil {
			awaitEnd()
			_ = listener.Close()
		}
	case "serve":
		p.serve()
	case "squat":
		p.squat()
	case "ask":
		conn, err := net.Dial("unix", p.Path)
		if err != nil {
			fmt.Println("ready", err)
			return
		}
		_, _ = io.WriteString(conn, p.Text)
		answer, _ := io.ReadAll(conn)
		fmt.Printf("ready %q\n", answer)
	case "crowd":
		p.crowd()
	}
}

// awaitEnd waits for the end of the input, which comes with the test's too.
func awaitEnd() { _, _ = io.Copy(io.Discard, os.Stdin) }

// serve is an agent with a sign-in whose tokens everybody would like to have. Its socket is opened to all,
// so that only the kernel's word keeps them out.
func (p part) serve() {
	venue := &keepertest.Venue{}
	keeper := &venuekey.Keeper{Vault: &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1}}, Venues: []venuekey.Venue{venue},
		Apps: func(context.Context, string) (venuekey.App, error) { return venuekey.App{Venue: "stage"}, nil }}
	listener, err := agent.Listen(p.Path)
	if err == nil {
		_, err = keeper.SignIn(context.Background(), alice, keepertest.NoUI{})
	}
	if err == nil {
		err = openToAll(p.Path)
	}
	fmt.Println("ready", err)
	if err != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { awaitEnd(); stop() }()
	_ = (&agent.Server{Keeper: keeper}).Serve(ctx, listener)
}

func openToAll(path string) error {
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Chmod(path, 0o666)
}

// squat listens where an agent would, answers as one, and says what it was sent.
func (p part) squat() {
	listener, err := net.Listen("unix", p.Path)
	if err == nil {
		err = os.Chmod(p.Path, 0o666)
	}
	fmt.Println("ready", err)
	if err != nil {
		return
	}
	go func() { awaitEnd(); _ = listener.Close() }()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		line, _ := bufio.NewReader(conn).ReadString('\n')
		if line != "" {
			fmt.Printf("got %q\n", line)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{\"access_token\":\"mine\"}\n")
		_ = conn.Close()
	}
}

// crowd makes connections, of which a third says nothing, a third half of something, and a third reads
// nothing of what it asked for.
func (p part) crowd() {
	var conns []net.Conn
	for i := range p.Many {
		conn, err := net.Dial("unix", p.Path)
		for errors.Is(err, syscall.EAGAIN) { // the queue is full for the moment
			runtime.Gosched()
			conn, err = net.Dial("unix", p.Path)
		}
		if err != nil {
			fmt.Println("ready", len(conns), err)
			return
		}
		conns = append(conns, conn)
		_, _ = io.WriteString(conn, []string{"", "GET /v1/tok", p.Text}[i%3])
	}
	fmt.Println("ready", len(conns), nil)
	awaitEnd()
}

// player is a process that plays a part.
type player struct {
	command *exec.Cmd
	said    string   // behind "ready "
	more    []string // what it said after that, once it has ended
	lines   *bufio.Scanner
	end     func()
}

// begins starts a part as this user, or as another if command is one of needs.StrangerRuns, and returns
// when it is ready.
func (p part) begins(t testing.TB, command *exec.Cmd) *player {
	t.Helper()
	one := p.starts(t, command)
	one.ready(t)
	return one
}

// starts starts a part.
func (p part) starts(t testing.TB, command *exec.Cmd) *player {
	t.Helper()
	if command == nil {
		command = exec.Command(os.Args[0], "-test.run=^$")
		command.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	}
	text, _ := json.Marshal(p)
	command.Env = append(command.Env, partVariable+"="+string(text))
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
	one := &player{command: command, lines: bufio.NewScanner(output)}
	one.lines.Buffer(nil, 1<<20)
	one.end = sync.OnceFunc(func() {
		_ = input.Close()
		hung := time.AfterFunc(20*time.Second, func() { _ = command.Process.Kill() })
		defer hung.Stop()
		for one.lines.Scan() { // or it could not end
			one.more = append(one.more, one.lines.Text())
		}
		_ = command.Wait()
	})
	t.Cleanup(one.end)
	return one
}

// ready waits until a part has said so.
func (o *player) ready(t testing.TB) {
	t.Helper()
	for o.lines.Scan() {
		if rest, ok := strings.CutPrefix(o.lines.Text(), "ready "); ok {
			o.said = rest
			return
		}
	}
	t.Fatalf("%s says nothing", o.command)
}
