package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/needs"
)

// agent_attack_linux_test.go plays what may befall an agent as a process: what it is handed, what stands in
// its way, what its children get of it, and what is replaced under it.

// process is a command that runs, and what it has said on standard error.
type process struct {
	*exec.Cmd
	t    *testing.T
	mu   sync.Mutex
	said strings.Builder
	more chan struct{}
	read sync.WaitGroup
}

// begins starts a command that the test ends.
func begins(t *testing.T, c *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: c, t: t, more: make(chan struct{}, 1)}
	out, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.read.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			p.said.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			select {
			case p.more <- struct{}{}:
			default:
			}
		}
	})
	t.Cleanup(func() { _ = c.Process.Kill(); p.read.Wait(); _ = c.Wait() })
	return p
}

// says waits until it has said something.
func (p *process) says(words string) {
	p.t.Helper()
	late := time.After(30 * time.Second)
	for {
		p.mu.Lock()
		said := p.said.String()
		p.mu.Unlock()
		if strings.Contains(said, words) {
			return
		}
		select {
		case <-p.more:
		case <-late:
			p.t.Fatalf("it does not say %q, but\n%s", words, said)
		}
	}
}

// ends waits for its end, and returns its exit code and what it said.
func (p *process) ends() (code int, said string) {
	p.t.Helper()
	hung := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
	p.read.Wait()
	_ = p.Wait()
	if !hung.Stop() {
		p.t.Errorf("it does not end:\n%s", p.said.String())
	}
	return p.ProcessState.ExitCode(), p.said.String()
}

// signedIn is a world with alice signed in, whose other secrets are as good as sentinels.
func signedIn(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.signIn(t)
	return w
}

// does runs a command to its end.
func (w *world) does(t *testing.T, code int, args ...string) string {
	t.Helper()
	c := command(t, w.env, args...)
	out, err := c.CombinedOutput()
	if c.ProcessState.ExitCode() != code {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

// revoke has cTrader end what it issued to alice.
func (w *world) revoke(t *testing.T) {
	t.Helper()
	answer, err := direct.Post(w.get(environ.Variable("ctrader", "BASE_URL"))+emulator.AdminPath+"revoke", "application/json", strings.NewReader(`{"user":"alice"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
}

// A unit that listens on an address would have tokens asked for in plain text.
func TestAttackAnAddressThatTheSystemHandsOver(t *testing.T) {
	w := signedIn(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := command(t, w.env, "agent")
	c.Args = []string{"sh", "-c", `export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"`, "sh", c.Path, "agent"}
	c.Path, c.ExtraFiles = "/bin/sh", []*os.File{file}
	if code, said := begins(t, c).ends(); code != exitMisconfigured || !strings.Contains(said, "tokens are not sent without TLS") || !strings.Contains(said, "try: let the unit listen on a path") {
		t.Errorf("%d %s", code, said)
	}
}

// An agent that waits for its certificate holds nothing, and ends at the first signal.
func TestAttackAPipeThatAnAgentWaitsFor(t *testing.T) {
	w := signedIn(t)
	w.does(t, 0, "consumer", "add", "bot", "--allow", "ctrader/alice:token")
	pipe := filepath.Join(w.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	p := begins(t, command(t, w.env, "agent", "--listen", "127.0.0.1:0", "--tls-cert", pipe, "--tls-key", pipe))
	defer awaitReader(t, pipe).Close()
	_ = p.Process.Signal(syscall.SIGTERM)
	if code, said := p.ends(); code != exitInterrupted || !strings.Contains(said, "interrupted") {
		t.Errorf("%d %s", code, said)
	}
	if found, _ := filepath.Glob(filepath.Join(w.dir, "home", "agent", "*.sock")); len(found) > 0 {
		t.Errorf("its socket is left: %q", found)
	}
}

// A hook gets no secret of the agent's, no file that the agent was given, and no word with its manager.
func TestAttackWhatAnAgentsHookGets(t *testing.T) {
	w := signedIn(t)
	secretsGiven(w)
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDNAMES"} {
		w.set(name, "")
	}
	w.set("LISTEN_FDNAMES", "S3CRET-name")
	w.file(t, "hook", "#!/bin/sh\nenv >"+w.dir+"/environment\nls -l /proc/self/fd >"+w.dir+"/descriptors 2>&1\necho told >"+w.dir+"/told\n")
	given, err := os.CreateTemp(w.dir, "S3CRET-file")
	if err != nil {
		t.Fatal(err)
	}
	defer given.Close()
	told := filepath.Join(w.dir, "told")
	if err := syscall.Mkfifo(told, 0o600); err != nil {
		t.Fatal(err)
	}
	c := command(t, w.env, "agent", "--hook", filepath.Join(w.dir, "hook"))
	c.ExtraFiles = []*os.File{given}
	p := begins(t, c)
	p.says("serving at ")
	w.does(t, exitMisconfigured, "refresh", "ctrader/alice") // with a secret that is not the app's
	if _, err := os.ReadFile(told); err != nil {             // waits for the hook
		t.Fatal(err)
	}
	for _, name := range []string{"environment", "descriptors"} {
		text, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil || strings.Contains(string(text), "S3CRET") || strings.Contains(string(text), "vault.db") || strings.Contains(string(text), ".sock") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		if name == "environment" && (!strings.Contains(string(text), "VENUEKEY_EVENT=trouble\n") || strings.Contains(string(text), "LISTEN_") || strings.Contains(string(text), "NOTIFY_SOCKET") || strings.Contains(string(text), "WATCHDOG_")) {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	_ = p.Process.Signal(syscall.SIGTERM)
	if code, said := p.ends(); code != 0 {
		t.Errorf("%d %s", code, said)
	}
}

// A hook that hangs holds up nobody who asks, no renewal, and not the end for whoever insists.
func TestAttackAHookThatHangs(t *testing.T) {
	w := signedIn(t)
	began, ends := filepath.Join(w.dir, "began"), filepath.Join(w.dir, "ends")
	if err := errors.Join(syscall.Mkfifo(began, 0o600), syscall.Mkfifo(ends, 0o600)); err != nil {
		t.Fatal(err)
	}
	w.file(t, "hook", "#!/bin/sh\necho began >"+began+"\ncat "+ends+"\n")
	p := begins(t, command(t, w.env, "agent", "--hook", filepath.Join(w.dir, "hook")))
	p.says("serving at ")
	w.set("VENUEKEY_AGENT", "require")
	w.revoke(t)
	w.does(t, exitSignIn, "refresh", "ctrader/alice")
	if _, err := os.ReadFile(began); err != nil { // waits for the hook
		t.Fatal(err)
	}
	end, err := os.OpenFile(ends, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close() // the hook's end, whatever becomes of the agent
	w.does(t, 0, "token", "ttp/alice")
	w.does(t, 0, "refresh", "ttp/alice")
	w.does(t, 0, "token", "tradovate/bot")
	_ = p.Process.Signal(syscall.SIGTERM)
	for !p.dead() { // the first asks, and the next one has its usual effect
		_ = p.Process.Signal(syscall.SIGTERM)
	}
	w.does(t, exitTemporary, "token", "ttp/alice")
	w.set("VENUEKEY_AGENT", "off")
	w.does(t, 0, "token", "ttp/alice")
}

// dead reports whether the process has ended, within a moment.
func (p *process) dead() bool {
	ended := make(chan bool)
	go func() { p.read.Wait(); close(ended) }()
	select {
	case <-ended:
		return true
	case <-time.After(20 * time.Millisecond):
		return false
	}
}

// A new version is put in the place of the one that runs: the old one goes on, and the new one is asked as it was.
func TestAttackAProgramFileThatIsReplaced(t *testing.T) {
	w := signedIn(t)
	itself, err := exec.LookPath("venuekey")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, "bin", "venuekey")
	text, err := os.ReadFile(itself)
	if err != nil {
		t.Fatal(err)
	}
	install := func() { // another file each time
		if err := errors.Join(os.WriteFile(path+".new", text, 0o700), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
	}
	install()
	start := func() *process {
		c := command(t, w.env, "agent", "--hook", filepath.Join(w.dir, "notify.sh"))
		c.Path = path
		p := begins(t, c)
		p.says("serving at ")
		return p
	}
	w.set("VENUEKEY_AGENT", "require")
	old := start()
	install()
	w.does(t, 0, "token", "ctrader/alice")
	w.does(t, 0, "refresh", "ctrader/alice")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.does(t, 0, "token", "ctrader/alice")
	w.revoke(t)
	w.does(t, exitSignIn, "refresh", "ctrader/alice")
	_ = old.Process.Signal(syscall.SIGTERM)
	if code, said := old.ends(); code != 0 || strings.Contains(said, "the hook failed") {
		t.Errorf("%d %s", code, said)
	}
	install()
	next := start()
	w.does(t, 0, "token", "ttp/alice")
	_ = next.Process.Signal(syscall.SIGTERM)
	if code, said := next.ends(); code != 0 {
		t.Errorf("%d %s", code, said)
	}
	if said := w.does(t, 0, "audit", "verify"); !strings.Contains(said, "whole") {
		t.Error(said)
	}
}

// The agent's memory is its own, and root too is sent to its user.
func TestAttackTheMemoryOfAnAgent(t *testing.T) {
	path, home := forEverybody(t)
	as := needs.Stranger(t, suite)
	his := func(line string, args ...string) *exec.Cmd {
		c := exec.Command("/bin/sh", append([]string{"-c", line, "sh"}, args...)...)
		c.Dir, c.SysProcAttr = home, as
		c.Env = []string{"HOME=" + home, "VENUEKEY_HOME=" + home, "VENUEKEY_KEY=file", "GOTRACEBACK=crash", "VENUEKEY_PASSPHRASE=sentinel-passphrase", "PATH=" + os.Getenv("PATH"), "PROGRAM=" + path}
		return c
	}
	if said, err := his(`"$PROGRAM" init`).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, said)
	}
	p := begins(t, his(`ulimit -c unlimited; exec "$PROGRAM" agent --socket `+home+`/agent/a.sock`))
	p.says("serving at ")
	for _, file := range []string{"environ", "mem", "maps", "fd/0"} {
		thief := exec.Command("/bin/sh", "-c", "head -c 1 /proc/"+strconv.Itoa(p.Process.Pid)+"/"+file)
		thief.SysProcAttr = as
		if said, err := thief.CombinedOutput(); err == nil || !strings.Contains(string(said), "ermission denied") {
			t.Errorf("%s can be read: %q %v", file, said, err)
		}
	}
	c := command(t, []string{"VENUEKEY_HOME=" + t.TempDir() + "/home", "VENUEKEY_AGENT_SOCKET=" + home + "/agent/a.sock"}, "token", "ctrader/alice")
	said, _ := c.CombinedOutput()
	if c.ProcessState.ExitCode() != exitMisconfigured || !strings.Contains(string(said), "user 65534 listens at ") || !strings.Contains(string(said), "sudo -u '#65534' venuekey") {
		t.Errorf("root: %v %s", c.ProcessState, said)
	}
	_ = p.Process.Signal(syscall.SIGQUIT)
	_, _ = p.ends()
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.CoreDump() {
		t.Errorf("it left a core, or did not crash: %v", p.ProcessState)
	}
}

// Whatever the umask, what an agent makes is this user's alone.
func TestAttackTheWidestUmaskOfAnAgent(t *testing.T) {
	w := signedIn(t)
	before := map[string]bool{}
	walkModes(t, w.dir, func(path string, _ fs.FileInfo) { before[path] = true })
	c := command(t, w.env, "agent")
	c.Args, c.Path = []string{"sh", "-c", `umask 000; exec "$@"`, "sh", c.Path, "agent"}, "/bin/sh"
	p := begins(t, c)
	p.says("serving at ")
	w.set("VENUEKEY_AGENT", "require")
	w.does(t, 0, "token", "ctrader/alice")
	w.does(t, 0, "refresh", "ttp/alice")
	seen := 0
	walkModes(t, w.dir, func(path string, info fs.FileInfo) {
		if seen++; !before[path] && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	})
	if seen < len(before)+5 { // the socket and its lock, their folder, and the audit log with its head
		t.Errorf("%d files and folders, and %d before", seen, len(before))
	}
	_ = p.Process.Signal(syscall.SIGTERM)
	if code, said := p.ends(); code != 0 {
		t.Errorf("%d %s", code, said)
	}
}

// A runtime folder that su left behind is another user's: no socket in it is asked, and none is made there.
func TestAttackASocketInARuntimeFolderOfAnotherUser(t *testing.T) {
	w := signedIn(t)
	street := needs.Street(t)
	w.set("XDG_RUNTIME_DIR", filepath.Join(street, "run"))
	needs.StrangerDoes(t, suite, street, "mkdir -m 777 run run/venuekey")
	if said := w.does(t, 0, "agent", "--where"); strings.Contains(said, street) {
		t.Errorf("its socket is at %s", said)
	}
	p := begins(t, command(t, w.env, "agent"))
	p.says("serving at " + filepath.Join(w.dir, "home", "agent"))
	w.set("VENUEKEY_AGENT", "require")
	w.does(t, 0, "token", "ctrader/alice")
	_ = p.Process.Signal(syscall.SIGTERM)
	if code, said := p.ends(); code != 0 {
		t.Errorf("%d %s", code, said)
	}
	if left, _ := os.ReadDir(filepath.Join(street, "run", "venuekey")); len(left) != 0 {
		t.Errorf("something was put into his: %q", left)
	}
}

// Strangers take all connections that an agent has for consumers, and more. It may have few files open, and
// renews, writes down and answers through its socket as before.
func TestAttackStrangersWhoTakeEveryConnection(t *testing.T) {
	const files, strangers = 512, 700
	w := signedIn(t)
	w.does(t, 0, "consumer", "add", "bot", "--allow", "ctrader/alice:token")
	leaf := emulator.NewAuthority().Config().Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	w.file(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]})))
	w.file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	c := command(t, w.env, "agent")
	c.Args = []string{"sh", "-c", `ulimit -n "$0"; exec "$@"`, strconv.Itoa(files), c.Path, "agent", "--listen", "127.0.0.1:0", "--tls-cert", w.dir + "/cert.pem", "--tls-key", w.dir + "/key.pem"}
	c.Path = "/bin/sh"
	p := begins(t, c)
	p.says("with TLS")
	p.says("serving at ")
	_, rest, _ := strings.Cut(p.said.String(), "serving consumers at ")
	address, _, _ := strings.Cut(rest, ",")
	for range strangers {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	w.set("VENUEKEY_AGENT", "require")
	for range 5 {
		w.does(t, 0, "token", "ctrader/alice")
		w.does(t, 0, "refresh", "ttp/alice")
	}
	if open, err := os.ReadDir("/proc/" + strconv.Itoa(p.Process.Pid) + "/fd"); err != nil || len(open) > files/2 {
		t.Errorf("it has %d files open: %v", len(open), err)
	}
	w.does(t, 0, "audit", "verify")
	_ = p.Process.Signal(syscall.SIGTERM)
	if code, said := p.ends(); code != 0 || strings.Contains(said, "too many open files") {
		t.Errorf("%d %s", code, said)
	}
}
