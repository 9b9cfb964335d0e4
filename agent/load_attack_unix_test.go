//go:build unix

package agent_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/internal/pipetest"
)

// load_attack_unix_test.go plays clients that are many, slow, endless or too long, while others are served.

// used is the memory that this process holds, with its stacks.
func used() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// settles waits until a number of goroutines is as it was, more or less.
func settles(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before+5; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, and %d before", runtime.NumGoroutine(), before)
		}
	}
}

// served asks as a good program does, and returns how long the slowest answer took.
func (s *stage) served(times int) (slowest time.Duration) {
	s.t.Helper()
	for i := range times {
		began := time.Now()
		token, err := s.client.Token(s.t.Context(), alice)
		if err == nil && i%20 == 0 {
			token, err = s.client.Refresh(s.t.Context(), alice)
		}
		if err != nil || token.Access == "" {
			s.t.Fatal(err)
		}
		slowest = max(slowest, time.Since(began))
	}
	return slowest
}

// Ten thousand clients of other processes say nothing, half of something, or read nothing of what they
// asked for. Everybody else is served, each costs a bounded amount of memory, and when they go, nothing
// of them is left.
func TestAttackTenThousandClientsThatAreSlow(t *testing.T) {
	many, each := 10_000, 2_500
	if !needs.Slow() {
		many, each = 1_000, 500
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || int(limit.Cur) < 2*many {
		many = max(int(limit.Cur)/2/each, 1) * each
	}
	s := play(t, nil)
	s.signIn()
	s.served(100)
	memory, goroutines := used(), runtime.NumGoroutine()
	var crowds []*player
	for range many / each {
		crowds = append(crowds, part{Play: "crowd", Path: s.path, Many: each, Text: "GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n"}.begins(t, nil))
	}
	for _, one := range crowds {
		if want := fmt.Sprint(each, " <nil>"); one.said != want {
			t.Fatalf("it has %s connections, and wants %s", one.said, want)
		}
	}
	slowest := s.served(400)
	per := (used() - memory) / int64(many)
	t.Logf("%d slow clients of %d processes: the slowest of 400 answers took %s; %d KB each", many, len(crowds), slowest, per>>10)
	if slowest > 5*time.Second || per > 64<<10 {
		t.Errorf("the slowest answer took %s, and a client costs %d bytes", slowest, per)
	}
	for _, one := range crowds {
		one.end()
	}
	s.client.CloseIdleConnections()
	settles(t, goroutines)
}

// Clients ask for all of a large vault and read nothing. They cost what is on its way, and not all of it each.
func TestAttackALongAnswerThatNobodyReads(t *testing.T) {
	const signIns, clients = 5_000, 60
	s := play(t, nil)
	s.signIn()
	for i := range signIns {
		if _, err := s.keeper.Adopt(t.Context(), venuekey.ID{Venue: "stage", Name: fmt.Sprint("user-", i)}, venuekey.Token{Access: "a", Refresh: "r", Expires: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	count := 0
	for _, err := range s.client.Statuses(t.Context()) {
		if count++; err != nil {
			t.Fatal(err)
		}
	}
	if count != signIns+1 {
		t.Errorf("%d sign-ins of %d", count, signIns+1)
	}
	size := len(s.get("/v1/signins"))
	memory := used()
	for i := range clients {
		conn, err := net.Dial("unix", s.path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, []string{"GET /v1/signins HTTP/1.1\r\nHost: a\r\n\r\n", "GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n"}[i%2])
		if _, err := conn.Read(make([]byte, 1)); err != nil { // the answer has begun
			t.Fatal(err)
		}
	}
	slowest := s.served(50)
	grown := used() - memory
	t.Logf("%d clients who read nothing of %d KB: %d KB more in all; the slowest of 50 answers took %s", clients, size>>10, grown>>10, slowest)
	if grown > clients<<20 { // a part of the answer, and the records that are read at once
		t.Errorf("%d clients cost %d KB", clients, grown>>10)
	}
}

// floods sends a head and then a gibibyte, as it is or in chunks, as far as it is taken.
func (s *stage) floods(head string, chunks bool) (said string, taken int64, err error) {
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		return "", 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	answer := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(conn, 1<<20))
		answer <- string(text)
	}()
	some := bytes.Repeat([]byte(" "), 1<<16)
	if chunks {
		some = slices.Concat([]byte("10000\r\n"), some, []byte("\r\n"))
	}
	for _, err = io.WriteString(conn, head); err == nil && taken < 1<<30; taken += 1 << 16 {
		_, err = conn.Write(some)
	}
	return <-answer, taken, err
}

// A body of a gibibyte, said or not, and a head without an end are given up after what they may have.
func TestAttackBodiesAndHeadsWithoutEnd(t *testing.T) {
	s := play(t, nil)
	s.signIn()
	memory := used()
	var all sync.WaitGroup
	for name, call := range map[string]struct {
		head   string
		status string
		chunks bool
	}{
		"a gibibyte":         {"POST /v1/token/stage/alice/refused HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n", "400", false},
		"chunks":             {"POST /v1/signins/stage/alice/refresh HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "400", true},
		"with GET":           {"GET /v1/token/stage/alice HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n", "400", false},
		"chunks with DELETE": {"DELETE /v1/signins/stage/alice HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "400", true},
		"at no path":         {"POST /v1/nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n", "404", false},
		"a head":             {"GET /v1/token/stage/alice HTTP/1.1\r\nHost: a\r\nX-Bomb: ", "431", false},
		"a line":             {"GET /v1/token/stage/", "414 or 431", false},
		"many fields":        {"GET /v1/token/stage/alice HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("A: b\r\n", 5000), "431", false},
		"a name of a field":  {"GET /v1/token/stage/alice HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("x", 1<<16), "431", false},
	} {
		all.Go(func() {
			said, taken, err := s.floods(call.head, call.chunks)
			status, _, _ := strings.Cut(strings.TrimPrefix(said, "HTTP/1.1 "), " ")
			if err == nil || errors.Is(err, os.ErrDeadlineExceeded) || taken > 8<<20 || !strings.Contains(call.status, status) && said != "" {
				t.Errorf("%s: %d bytes were taken, %v, %.100s", name, taken, err, said)
			}
		})
	}
	all.Wait()
	if grown := used() - memory; grown > 4<<20 {
		t.Errorf("%d bytes more", grown)
	}
	s.served(20)
}

// A byte a second, in virtual time: of a head for ten seconds, of a body for thirty; and who says nothing
// more is let go after five minutes. None of them is left.
func TestAttackAByteASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
		listener := pipetest.New()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		server := (&agent.Server{Keeper: keeper}).Over(ctx)
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(listener) }()
		for _, test := range []struct {
			name, begins string
			within       time.Duration
		}{
			{"a head", "GET /v1/token/st", 11 * time.Second},
			{"nothing", "", 11 * time.Second},
			{"a body", "POST /v1/token/stage/alice/refused HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n", 32 * time.Second},
			{"a body that is not asked for", "GET /v1/token/stage/alice HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n", 32 * time.Second},
			{"nothing more", "GET /v1/token/stage/alice HTTP/1.1\r\nHost: a\r\n\r\n", 5*time.Minute + 2*time.Second},
		} {
			conn, err := listener.Dial(ctx, "", "")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, _ = io.WriteString(conn, test.begins)
			stop := make(chan bool)
			if !strings.HasPrefix(test.name, "nothing") {
				go drip(conn, stop)
			}
			_, _ = io.Copy(io.Discard, conn)
			close(stop)
			if took := time.Since(began); took > test.within {
				t.Errorf("%s: it is let go after %s", test.name, took)
			}
			_ = conn.Close()
		}
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// drip writes a byte a second.
func drip(to io.Writer, stop <-chan bool) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_, _ = io.WriteString(to, "x")
		case <-stop:
			return
		}
	}
}

// Whoever reads no event is let go once one cannot be written.
func TestAttackAStreamThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		server := (&agent.Server{Keeper: keeper}).Over(ctx)
		ours, theirs := net.Pipe() // which has no room at all
		listener := pipetest.New()
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(&first{Listener: listener, conn: theirs}) }()
		_, _ = io.WriteString(ours, "GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		text, err := io.ReadAll(ours)
		if err != nil || len(text) > 100 {
			t.Errorf("it is still there after two minutes: %q %v", text, err)
		}
		_ = server.Close()
		<-ended
	})
}

// first is a listener to which one has come already.
type first struct {
	net.Listener
	conn net.Conn
}

func (f *first) Accept() (net.Conn, error) {
	if c := f.conn; c != nil {
		f.conn = nil
		return c, nil
	}
	return f.Listener.Accept()
}

// However many come, a process keeps files for its work, and one address leaves room for the others.
func TestAttackAnAddressThatTakesAllConnections(t *testing.T) {
	listener := pipetest.New()
	defer listener.Close()
	bounded, ends := agent.Limited(listener, 1_024)
	accepted, stopped := make(chan net.Conn), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			c, err := bounded.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	// come is those of one address that get in.
	come := func(from string, tries int) (in []net.Conn) {
		for range tries {
			conn, err := listener.From(from)(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			read := make(chan error, 1)
			go func() { _, err := conn.Read(make([]byte, 1)); read <- err }()
			select {
			case c := <-accepted:
				in = append(in, c)
				defer conn.Close()
			case <-read: // closed at once
			}
		}
		return in
	}
	greedy := come("203.0.113.7", 100)
	if len(greedy) != 48 { // a quarter of a quarter of 1,024 less those that are kept
		t.Errorf("one address has %d", len(greedy))
	}
	if n := len(come("203.0.113.8", 10)); n != 10 {
		t.Errorf("another has %d", n)
	}
	if n := len(come("2001:db8::1", 40)) + len(come("2001:db8::2", 40)); n != 48 {
		t.Errorf("a network of one host has %d", n)
	}
	for _, c := range slices.Concat(greedy[:10], greedy[:10]) { // an end counts once
		ends(c)
	}
	if n := len(come("203.0.113.7", 20)); n != 10 {
		t.Errorf("after ten have gone: %d", n)
	}
	_ = bounded.Close()
	<-stopped
}

// A handshake that does not begin, or does not end, is given up after ten seconds.
func TestAttackAHandshakeThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeper, _ := keepertest.SignedIn(t, &keepertest.Venue{})
		listener := pipetest.New()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		server := (&agent.Server{Keeper: keeper}).Over(ctx)
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(tls.NewListener(listener, emulator.NewAuthority().Config())) }()
		for name, begins := range map[string]string{"nothing": "", "half a hello": "\x16\x03\x01\x02\x00\x01", "text": "GET / HT"} {
			conn, err := listener.Dial(ctx, "", "")
			if err != nil {
				t.Fatal(err)
			}
			began, stop := time.Now(), make(chan bool)
			_, _ = io.WriteString(conn, begins)
			if name != "nothing" {
				go drip(conn, stop)
			}
			_, _ = io.Copy(io.Discard, conn)
			close(stop)
			if took := time.Since(began); took > 11*time.Second {
				t.Errorf("%s: it is let go after %s", name, took)
			}
			_ = conn.Close()
		}
		_ = server.Close()
		<-ended
	})
}
