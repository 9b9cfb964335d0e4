package crash_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/internal/pgtest"
)

// Three machines share one PostgreSQL over a real network: each is a network
// namespace, and the middle, where the database and the venue are, is a fourth.
// One is cut off while it holds the lease, and plugged in again.

const (
	middleAddress = "10.77.0.1"
	theNetwork    = "10.77.0.0/24"
)

// machine is a network namespace, kept by a process that ends with the test.
type machine struct{ pid int }

// newMachine makes one, or ends the test where that is not allowed.
func newMachine(t *testing.T) machine {
	t.Helper()
	keeper := exec.Command("cat")
	keeper.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	stdin, err := keeper.StdinPipe()
	if err == nil {
		err = keeper.Start()
	}
	if err != nil {
		needs.Skip(t, "machines", "network namespaces cannot be made here: "+err.Error())
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = keeper.Wait()
	})
	m := machine{keeper.Process.Pid}
	m.ip(t, "link", "set", "lo", "up")
	return m
}

// ip runs ip(8) on the machine.
func (m machine) ip(t *testing.T, args ...string) {
	t.Helper()
	m.inside(t, func() {
		if output, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, output)
		}
	})
}

// inside does work on a thread that is on the machine; what is opened and
// started there stays there.
func (m machine) inside(t *testing.T, work func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	there, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.pid))
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	enter := func(namespace *os.File) {
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			t.Fatal(err)
		}
	}
	enter(there)
	defer enter(here)
	work()
}

// fleet is three machines around a middle.
type fleet struct {
	middle   machine
	machines [3]machine
}

func newFleet(t *testing.T) fleet {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		needs.Skip(t, "machines", "the program ip is not installed")
	}
	f := fleet{middle: newMachine(t)}
	f.middle.ip(t, "link", "add", "hub", "type", "bridge")
	f.middle.ip(t, "address", "add", middleAddress+"/24", "dev", "hub")
	f.middle.ip(t, "link", "set", "hub", "up")
	for i := range f.machines {
		m := newMachine(t)
		port := fmt.Sprint("port", i)
		f.middle.ip(t, "link", "add", port, "type", "veth", "peer", "name", "wire", "netns", fmt.Sprint(m.pid))
		f.middle.ip(t, "link", "set", port, "master", "hub", "up")
		m.ip(t, "address", "add", fmt.Sprintf("10.77.0.%d/24", 11+i), "dev", "wire")
		m.ip(t, "link", "set", "wire", "up")
		f.machines[i] = m
	}
	return f
}

func (f fleet) cut(t *testing.T, i int)  { f.middle.ip(t, "link", "set", fmt.Sprint("port", i), "down") }
func (f fleet) heal(t *testing.T, i int) { f.middle.ip(t, "link", "set", fmt.Sprint("port", i), "up") }

// run starts a program on a machine. What it prints can be waited for, and its
// end; a line lets it go on where it holds.
func (f fleet) run(t *testing.T, i int, e errand) *program {
	t.Helper()
	e.Spill = filepath.Join(e.Spill, fmt.Sprint(i)) // each machine has a disk of its own
	p := &program{command: e.command(), ended: make(chan struct{}), lines: make(chan string, 100)}
	stdin, err := p.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.command.Stderr, p.stdin = os.Stderr, stdin
	f.machines[i].inside(t, func() { err = p.command.Start() })
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			p.lines <- lines.Text()
		}
		_ = p.command.Wait()
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
	})
	return p
}

type program struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	lines   chan string
	ended   chan struct{}
}

func (p *program) awaits(t *testing.T, want string) {
	t.Helper()
	for timeout := time.After(20 * time.Second); ; {
		select {
		case line := <-p.lines:
			if strings.Contains(line, want) {
				return
			}
		case <-timeout:
			t.Fatalf("it does not say %q", want)
		}
	}
}

func (p *program) goOn(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, "\n"); err != nil {
		t.Fatal(err)
	}
}

// said waits for the end and gives what was printed.
func (p *program) said(t *testing.T) string {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	close(p.lines)
	var all []string
	for line := range p.lines {
		all = append(all, line)
	}
	return strings.Join(all, "\n")
}

// inTheMiddle starts the database and the venue on the fleet's middle machine. The errand
// is what the other machines are sent on; the scene is the middle's own.
func (f fleet) inTheMiddle(t *testing.T) (s scene, e errand) {
	t.Helper()
	server := &pgtest.Server{Network: theNetwork}
	t.Cleanup(server.Stop)
	var local string
	f.middle.inside(t, func() { local = server.Database(t) }) // by its Unix socket, which no cut reaches
	remote := fmt.Sprintf("host=%s user=postgres %s sslmode=disable connect_timeout=2", middleAddress, local[strings.Index(local, "dbname="):])
	s = newScene(t, local, ctraderemu.Knobs{})
	var listener net.Listener
	f.middle.inside(t, func() {
		var err error
		if listener, err = net.Listen("tcp", middleAddress+":0"); err != nil {
			t.Fatal(err)
		}
	})
	web := &http.Server{Handler: s.venue}
	serving := make(chan struct{})
	go func() {
		defer close(serving)
		_ = web.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = web.Close()
		<-serving
	})
	return s, errand{Vault: remote, Spill: s.Spill, Via: listener.Addr().String()}
}

// cut is a wire that is pulled in the middle of a renewal.
type cut struct {
	name, hold string
	// wakes says that the machine goes on only after it is plugged in again.
	wakes bool
	// lost says that the venue's answer dies with the cut.
	lost bool
}

func TestAMachineIsCutOffWhileItHoldsTheLease(t *testing.T) {
	needs.Time(t, "leases lapse in real time")
	t.Parallel()
	f := newFleet(t)
	s, e := f.inTheMiddle(t)
	here := s.program(t)
	for i, c := range []cut{
		{name: "before presenting", hold: "claimed"},
		{name: "before presenting, and it wakes up late", hold: "claimed", wakes: true},
		{name: "after presenting", lost: true},
		{name: "before saving", hold: "sealed"},
	} {
		e.ID = venuekey.ID{Venue: "ctrader", Name: fmt.Sprint("alice-", i)}
		keepertest.SignIn(t, here, e.ID)
		first := refreshOf(t, here, e.ID)
		cutOff, others := c.play(t, f, s, e, first)
		t.Logf("%s: the one cut off said %q, the others %q", c.name, cutOff, others)
		c.judge(t, s, here, e.ID, first)
	}
}

// play has the first machine hold the lease when its wire is pulled, and the others take
// over when the lease has lapsed. It gives what they said.
func (c cut) play(t *testing.T, f fleet, s scene, e errand, first string) (cutOff, others string) {
	t.Helper()
	held := e
	held.Hold = c.hold
	if c.lost {
		s.venue.Inject(emulator.Fault{Kind: emulator.FaultDelayAfter, On: emulator.AtRefresh, Delay: 700 * time.Millisecond})
	}
	one := f.run(t, 0, held)
	if c.lost {
		awaitPresented(t, s, first)
	} else {
		one.awaits(t, "holding")
	}
	f.cut(t, 0)
	if !c.wakes && !c.lost {
		one.goOn(t)
	}
	two, three := f.run(t, 1, e), f.run(t, 2, e)
	others = two.said(t) + three.said(t)
	f.heal(t, 0)
	if c.wakes {
		one.goOn(t)
	}
	cutOff = one.said(t)
	// A spill of the machine that was cut off is saved by its next program.
	again := e
	again.For = 100 * time.Millisecond
	f.run(t, 0, again).said(t)
	return cutOff, others
}

// judge looks at what was presented and at what is left.
func (c cut) judge(t *testing.T, s scene, here *venuekey.Keeper, id venuekey.ID, first string) {
	t.Helper()
	shown, _ := s.presentations()
	token, served := here.Token(t.Context(), id)
	status, err := here.Status(t.Context(), id)
	if err != nil || served != nil {
		t.Fatalf("%s: %v %v", c.name, err, served)
	}
	t.Logf("%s: presented %d times; state %s", c.name, shown[first], status.State)
	good := status.State == venuekey.StateFresh && s.venue.Alive(string(token.Access))
	switch {
	case c.lost:
		// The answer that was lost cannot be had again; that is told, and the old
		// token is served while it lives.
		good = shown[first] <= 2 && status.State == venuekey.StateNeedsSignIn && strings.Contains(status.Reason, "lost")
	case c.hold == "sealed":
		// The new token lay on the machine's own disk; the others could only find out
		// that the old one was used.
		good = good && shown[first] <= 2
	default:
		good = good && shown[first] == 1
	}
	if !good {
		t.Errorf("%s: presented %d times, %+v", c.name, shown[first], status)
	}
}

func awaitPresented(t *testing.T, s scene, fingerprint string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if shown, _ := s.presentations(); shown[fingerprint] > 0 {
			return
		}
	}
	t.Fatal("nothing was presented")
}
