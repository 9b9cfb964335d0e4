package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/internal/pgtest"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/sqlite"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// script_test.go owns the words of the scripts in testdata/script, which are
// the manual of this command as much as its tests. Each runs the real program,
// against venues that are emulated in this process.

func TestMain(m *testing.M) {
	// A race detector that waits a second at the end of each process would make
	// minutes of the scripts.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if strings.Contains(filepath.Base(os.Args[0]), ".test") { // and not a command of a script
		needs.Overlap()
	}
	os.Unsetenv("DBUS_SESSION_BUS_ADDRESS") // no test touches a real keyring
	testscript.Main(m, map[string]func(){
		"venuekey": func() { os.Exit(here(host{work: quickWork})) },
		"xdg-open": sitAtTheBrowser, // what opens a browser on Linux
		"open":     sitAtTheBrowser, // and on macOS
	})
}

// quickWork is a cost of passphrases under which dozens of backups in scripts and
// examples take no minute of a slow machine. What the command itself asks for is in
// TestABackupCostsAsMuchToGuessAsAgeAsksFor.
const quickWork = 10

func TestScripts(t *testing.T) { play(t, "testdata/script", func(*testscript.Env) {}) }

// The scripts in testdata/database have a database of their own in $DATABASE.
func TestScriptsWithADatabase(t *testing.T) {
	server := pgtest.Start(t)
	play(t, "testdata/database", func(env *testscript.Env) { env.Setenv("DATABASE", pgtest.URL(server.Database(t))) })
}

// play runs the scripts of a folder.
func play(t *testing.T, dir string, prepare func(*testscript.Env)) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the scripts use the shell and the signals of Unix")
	}
	testscript.Run(t, testscript.Params{
		Dir:      dir,
		Deadline: time.Now().Add(10 * time.Minute),
		Setup: func(env *testscript.Env) error {
			env.Setenv("VENUEKEY_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("VENUEKEY_KEY", "file")
			env.Setenv("DISPLAY", ":0")
			env.Setenv("GORACE", os.Getenv("GORACE"))
			env.Values[theStage{}] = &stageSet{env: env}
			prepare(env)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"emulate":   emulateVenues,
			"configure": configure,
			"admin":     admin,
			"api":       happens,
			"sockets":   breakSockets,
			"browser":   browserOf,
			"start":     start,
			"visits":    visits,
			"pastes":    pastes,
			"types":     types,
			"awaits":    awaits,
			"counts":    counts,
			"interrupt": interrupt,
			"terminate": terminate,
			"free":      freePort,
			"ends":      ends,
			"age":       age,
			"damage":    damage,
			"occupy":    occupy,
			"freeports": freeports,
			"refuses":   refuses,
			"foreigner": foreigner,
			"sources":   sources,
			"receiver":  receive,
			"kills":     kills,
		},
	})
}

// theStage is the key under which a script's stageSet is found.
type theStage struct{}

// stageSet is what a script has set up.
type stageSet struct {
	env     *testscript.Env
	venues  map[string]*httptest.Server
	logs    map[string]*emulator.Log
	running *running
	api     *openapi.Server
	trader  *tradovate.Server

	receiver *receiver
}

func setOf(ts *testscript.TestScript) *stageSet { return ts.Value(theStage{}).(*stageSet) }

// exits CODE PROGRAM ARGUMENT...: it ends with that very exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGUMENT...")
	}
	err := ts.Exec(args[1], args[2:]...)
	keepsSecrets(ts, ts.ReadFile("stderr"))
	if got := strconv.Itoa(exitCodeOf(ts, err)); got != args[0] {
		ts.Fatalf("it ended with %s", got)
	}
}

// keepsSecrets sees that no secret of the stage is among what people read.
func keepsSecrets(ts *testscript.TestScript, text string) {
	for _, secret := range []string{"sentinel", "demo-secret", "demo-sec", "wonderland", "builder"} {
		if strings.Contains(text, secret) {
			ts.Fatalf("standard error tells the secret %q:\n%s", secret, text)
		}
	}
}

func exitCodeOf(ts *testscript.TestScript, err error) int {
	if err == nil {
		return 0
	}
	ended, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		ts.Fatalf("it did not run: %v", err)
	}
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return ended.ExitCode()
}

// emulate VENUE...: starts emulated venues and puts their addresses into
// $CTRADER, $TRADOVATE and $TTP. They take a redirect to any loopback port, so
// that scripts can run at the same time.
func emulateVenues(ts *testscript.TestScript, _ bool, args []string) {
	set := setOf(ts)
	set.venues, set.logs = map[string]*httptest.Server{}, map[string]*emulator.Log{}
	for _, name := range args {
		var handler http.Handler
		switch name {
		case "ctrader":
			venue := &ctrader.Server{Knobs: ctrader.Knobs{AnyLoopbackRedirect: true, TokenPrefix: "sentinel"}}
			handler, set.logs[name] = venue, venue.Log()
			set.serveAPI(ts, venue)
		case "tradovate":
			venue := &tradovate.Server{Knobs: tradovate.Knobs{AnyLoopbackRedirect: true, TokenPrefix: "sentinel"}}
			handler, set.logs[name] = venue, venue.Log()
			set.serveHosts(ts, venue)
		case "ttp":
			venue := &ttp.Server{Knobs: ttp.Knobs{AnyLoopbackRedirect: true, TokenPrefix: "sentinel"}}
			handler, set.logs[name] = venue, venue.Log()
		default:
			ts.Fatalf("no such venue: %s", name)
		}
		web := httptest.NewServer(handler)
		ts.Defer(web.Close)
		set.venues[name] = web
		ts.Setenv(strings.ToUpper(name), web.URL)
	}
}

// serveHosts starts the other hosts of an emulated Tradovate.
func (s *stageSet) serveHosts(ts *testscript.TestScript, venue *tradovate.Server) {
	s.trader = venue
	ts.Defer(venue.CloseSockets)
	for name, handler := range map[string]http.Handler{"DEMO_URL": venue.Demo(), "MD_URL": venue.MarketData()} {
		web := httptest.NewServer(handler)
		ts.Defer(web.Close)
		ts.Setenv(environ.Variable("tradovate", name), web.URL)
	}
}

// sockets cut: every WebSocket of the emulated Tradovate breaks.
func breakSockets(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 || args[0] != "cut" {
		ts.Fatalf("usage: sockets cut")
	}
	setOf(ts).trader.CutSockets()
}

// serveAPI starts the Open API of an emulated cTrader.
func (s *stageSet) serveAPI(ts *testscript.TestScript, venue *ctrader.Server) {
	api := &openapi.Server{Venue: venue}
	ts.Check(api.Start())
	ts.Defer(func() { _ = api.Close() })
	file := ts.MkAbs("ctrader-ca.pem")
	ts.Check(os.WriteFile(file, api.CAPEM(), 0o600))
	ts.Setenv(environ.Variable("ctrader", "LIVE_ADDRESS"), api.Addresses().LiveProtobuf)
	ts.Setenv(environ.Variable("ctrader", "DEMO_ADDRESS"), api.Addresses().DemoProtobuf)
	ts.Setenv(environ.Variable("ctrader", "CA_FILE"), file)
	s.api = api
}

// api hangup, api disconnect: it happens at the Open API.
// api FAULT REQUEST [CODE]: the next request of that kind meets a fault of the
// emulator. api awaits REQUEST COUNT: so many of that kind have come.
func happens(ts *testscript.TestScript, _ bool, args []string) {
	api := setOf(ts).api
	switch args[0] {
	case "hangup":
		api.HangUp()
	case "disconnect":
		api.Disconnect("the administrator says so")
	default:
		kind, known := message.ByName(args[1])
		if !known {
			ts.Fatalf("no request is called %q", args[1])
		}
		if args[0] == "awaits" {
			count, err := strconv.Atoi(args[2])
			ts.Check(err)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			ts.Check(api.Log().Wait(ctx, count, openapi.Received, kind))
			return
		}
		api.Inject(openapi.Fault{Kind: openapi.FaultKind(args[0]), On: kind, Code: strings.Join(args[2:], "")})
	}
}

// configure VENUE...: sets what "venuekey emulate" prints for an emulated venue.
func configure(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		app := emulator.DefaultApp()
		ts.Setenv(environ.Variable(name, "BASE_URL"), setOf(ts).venues[name].URL)
		ts.Setenv(environ.Variable(name, "CLIENT_ID"), app.ClientID)
		ts.Setenv(environ.Variable(name, "CLIENT_SECRET"), app.ClientSecret)
		ts.Setenv(environ.Variable(name, "REDIRECT_URI"), "http://localhost:0/auth/callback")
	}
}

// admin VENUE WHAT JSON [TEXT]...: asks the admin endpoint of an emulated venue, by its
// name or its address; the answer has to hold the texts.
func admin(ts *testscript.TestScript, _ bool, args []string) {
	address := args[0]
	if web := setOf(ts).venues[address]; web != nil {
		address = web.URL
	}
	answer, err := direct.Post(address+emulator.AdminPath+args[1], "application/json", strings.NewReader(args[2]))
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("%s", body)
	}
	for _, wanted := range args[3:] {
		if !strings.Contains(string(body), wanted) {
			ts.Fatalf("no %s in %s", wanted, body)
		}
	}
}

// browser NAME [denies]: who sits at the browser that opens from now on;
// "broken" is a browser that does not open.
func browserOf(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("TEST_PERSON", strings.Join(args, " "))
}

// sitAtTheBrowser is the program that stands in for a browser.
func sitAtTheBrowser() {
	who := os.Getenv("TEST_PERSON")
	if who == "broken" || who == "" {
		os.Exit(3)
	}
	if err := personNamed(who).Visit(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(4)
	}
}

func personNamed(who string) emulator.Person {
	name, does, _ := strings.Cut(who, " ")
	passwords := map[string]string{"alice": "wonderland", "bob": "builder"}
	return emulator.Person{Name: name, Password: passwords[name], Deny: does == "denies"}
}

// running is a program that the script talks with while it runs.
type running struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	read    sync.WaitGroup
	wrote   chan struct{} // holds one item when it has written more

	mu       sync.Mutex
	out, err strings.Builder
}

// start PROGRAM ARGUMENT...: starts it, and goes on while it runs.
func start(ts *testscript.TestScript, _ bool, args []string) {
	path, err := (&program{host: host{environ: []string{"PATH=" + ts.Getenv("PATH")}}}).find(args[0])
	ts.Check(err)
	r := &running{wrote: make(chan struct{}, 1), command: exec.Command(path, args[1:]...)}
	r.command.Env = environOf(ts)
	r.stdin, err = r.command.StdinPipe()
	ts.Check(err)
	stdout, err := r.command.StdoutPipe()
	ts.Check(err)
	stderr, err := r.command.StderrPipe()
	ts.Check(err)
	ts.Check(r.command.Start())
	ts.Defer(func() { _ = r.command.Process.Kill() })
	r.read.Go(func() { r.listen(stdout, &r.out) })
	r.read.Go(func() { r.listen(stderr, &r.err) })
	setOf(ts).running = r
}

func (r *running) listen(stream io.Reader, kept *strings.Builder) {
	for scanner := bufio.NewScanner(stream); scanner.Scan(); {
		r.mu.Lock()
		fmt.Fprintln(kept, scanner.Text())
		r.mu.Unlock()
		select {
		case r.wrote <- struct{}{}:
		default:
		}
	}
}

// said is what it wrote so far.
func (r *running) said() (out, err string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String(), r.err.String()
}

// environOf is the environment of the script as it stands.
func environOf(ts *testscript.TestScript) []string {
	ts.Check(ts.Exec("env"))
	return strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
}

// sees waits until the program has written a line that fits, on either stream.
func (r *running) sees(ts *testscript.TestScript, line string) []string {
	pattern := regexp.MustCompile("(?m)" + line)
	timeout := time.After(time.Minute)
	for {
		out, err := r.said()
		if found := pattern.FindStringSubmatch(out + err); found != nil {
			return found
		}
		select {
		case <-r.wrote:
		case <-timeout:
			ts.Fatalf("it does not write %s, but\n%s\n%s", pattern, out, err)
		}
	}
}

// address is where the program sends the user, and elsewhere where it sends one who
// has his browser on another machine.
func (r *running) address(ts *testscript.TestScript) string {
	return r.sees(ts, `^  (http://\S+/start/\S+)$`)[1]
}
func (r *running) elsewhere(ts *testscript.TestScript) string {
	return r.sees(ts, `^  (https?://\S+client_id\S+)$`)[1]
}

// visits PERSON [denies]: follows the address that the program printed.
func visits(ts *testscript.TestScript, _ bool, args []string) {
	r := setOf(ts).running
	ts.Check(personNamed(strings.Join(args, " ")).Visit(context.Background(), r.address(ts)))
}

// pastes PERSON address|code: follows the address in a browser elsewhere, and
// pastes the address that it ends at, or the code in it.
func pastes(ts *testscript.TestScript, _ bool, args []string) {
	r := setOf(ts).running
	ended, err := personNamed(args[0]).Redirected(context.Background(), r.elsewhere(ts))
	ts.Check(err)
	if args[1] == "code" {
		address, err := url.Parse(ended)
		ts.Check(err)
		ended = address.Query().Get("code")
	}
	_, err = fmt.Fprintln(r.stdin, ended)
	ts.Check(err)
}

// types TEXT: writes a line to the program's standard input.
func types(ts *testscript.TestScript, _ bool, args []string) {
	_, err := fmt.Fprintln(setOf(ts).running.stdin, strings.Join(args, " "))
	ts.Check(err)
}

// awaits REGEXP: waits until the program writes such a line.
// awaits VENUE EVENT COUNT: waits until so many events happened at a venue.
func awaits(ts *testscript.TestScript, _ bool, args []string) {
	set := setOf(ts)
	if len(args) == 1 {
		set.running.sees(ts, args[0])
		return
	}
	count, err := strconv.Atoi(args[2])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ts.Check(set.logs[args[0]].Wait(ctx, emulator.EventKind(args[1]), count))
}

// counts VENUE EVENT COUNT: exactly so many events happened at a venue.
func counts(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(setOf(ts).logs[args[0]].Count(emulator.EventKind(args[1]))); got != args[2] {
		ts.Fatalf("%s happened %s times", args[1], got)
	}
}

// interrupt: Ctrl-C.
func interrupt(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(setOf(ts).running.command.Process.Signal(os.Interrupt))
}

// terminate: what a supervisor sends.
func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(setOf(ts).running.command.Process.Signal(syscall.SIGTERM))
}

// free PORT: nobody listens there, in either family.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		if !hasFamily(host) {
			continue
		}
		socket, err := net.Listen("tcp", net.JoinHostPort(host, args[0]))
		ts.Check(err)
		ts.Check(socket.Close())
	}
}

// ends CODE: waits until the program ends, with that very exit code. From here
// on stdout and stderr in the script mean this program's.
func ends(ts *testscript.TestScript, _ bool, args []string) {
	r := setOf(ts).running
	hung := time.AfterFunc(15*time.Second, func() { _ = r.command.Process.Kill() })
	r.read.Wait()
	err := r.command.Wait()
	stdout, stderr := r.said()
	if !hung.Stop() {
		ts.Fatalf("it does not end:\n%s", stderr)
	}
	if !slices.Contains(r.command.Args, "emulate") { // which is there to tell them
		keepsSecrets(ts, stderr)
	}
	fmt.Fprint(ts.Stdout(), stdout)
	fmt.Fprint(ts.Stderr(), stderr)
	if got := strconv.Itoa(exitCodeOf(ts, err)); got != args[0] {
		ts.Fatalf("it ended with %s:\n%s", got, stderr)
	}
}

// sources: pastes what the program printed into this shell.
func sources(ts *testscript.TestScript, _ bool, _ []string) {
	out, _ := setOf(ts).running.said()
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		ts.Setenv(name, strings.Trim(value, "'"))
	}
}

// freeports: finds nine ports in a row that nobody uses, below those that
// systems give out by themselves, and puts the number before them into $PORT.
func freeports(ts *testscript.TestScript, _ bool, _ []string) {
	base := freeBase()
	if base == 0 {
		ts.Fatalf("no nine ports are free")
	}
	ts.Setenv("PORT", strconv.Itoa(base))
}

// freeBase is the number before nine free ports in a row, 0 where there are none.
func freeBase() int {
	// One for each host of a venue, and four for an API. Scripts that run at the same time
	// do not get the same.
	for base := 20000 + os.Getpid()%700*10 + int(portsGiven.Add(10)); base < 32000; base += 10 {
		free := true
		for port := base + 1; port <= base+9 && free; port++ {
			socket, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if free = err == nil; free {
				socket.Close()
			}
		}
		if free {
			return base
		}
	}
	return 0
}

// portsGiven counts what freeports has given.
var portsGiven atomic.Int64

// openVault opens the vault of a script as the program does.
func openVault(ts *testscript.TestScript) *venuekey.Vault {
	home := ts.Getenv("VENUEKEY_HOME")
	opened, _, err := key.Config{Dir: home}.Load(context.Background())
	ts.Check(err)
	store, err := sqlite.Open(context.Background(), filepath.Join(home, "vault.db"))
	ts.Check(err)
	return &venuekey.Vault{Store: store, Key: opened}
}

// age ID DURATION: makes a sign-in that much older.
func age(ts *testscript.TestScript, _ bool, args []string) {
	by, err := time.ParseDuration(args[1])
	ts.Check(err)
	id, err := venuekey.ParseID(args[0])
	ts.Check(err)
	vault := openVault(ts)
	err = keepertest.Rewrite(context.Background(), vault, id, func(token *venuekey.Token, record *venuekey.Record) {
		token.Issued, token.Expires = token.Issued.Add(-by), token.Expires.Add(-by)
		if !record.NextRefresh.IsZero() {
			record.NextRefresh = record.NextRefresh.Add(-by)
		}
	})
	ts.Check(errors.Join(err, vault.Store.Close()))
}

// damage KEY: turns a bit of a record's seal.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	vault := openVault(ts)
	record, err := vault.Store.Get(context.Background(), args[0])
	ts.Check(err)
	record.Sealed[len(record.Sealed)-1] ^= 1
	_, err = vault.Store.Put(context.Background(), record)
	ts.Check(errors.Join(err, vault.Store.Close()))
}

// occupy: takes a port of this machine and puts its number into $PORT, and the
// one before it into $BEFORE.
func occupy(ts *testscript.TestScript, _ bool, _ []string) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { socket.Close() })
	_, port, _ := net.SplitHostPort(socket.Addr().String())
	ts.Setenv("PORT", port)
	number, err := strconv.Atoi(port)
	ts.Check(err)
	ts.Setenv("BEFORE", strconv.Itoa(number-1))
}

// direct keeps no connections. The default client's end when any test's server
// closes, and with them a form that is about to be sent.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
