//go:build unix

package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey/internal/environ"
)

// examples_unix_test.go owns that every example of help, README and doc runs as it
// stands, in a Unix shell, at emulated venues.

// example is what has to be known of an example beyond its text.
type example struct {
	// cannot is why it is not run here.
	cannot string
	// before is typed first, in another line.
	before string
	// until is what it prints before it is ended by Ctrl-C.
	until string
	// visit follows the address that it prints.
	visit bool
	// anew begins with an empty VENUEKEY_HOME.
	anew bool
}

// aLog is an audit log of one line, which an agent would write.
const aLog = `umask 077 && mkdir -p home/audit && echo '{"n":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","at":"2026-11-26T12:00:00Z","consumer":"grafana","id":"ctrader/alice","verb":"status","outcome":"given"}' >home/audit/audit.log && echo '{"first":1,"last":1,"hash":"7caf46568060cd6e6d6cdf2e678e217934dd87a8e7da40b272178be5a4354cc7"}' >home/audit/audit.head`

const aDatabase = "it wants a database of yours; TestScriptsWithADatabase has one"

// known are the examples that are more than a line to type. One that is in no page
// any more fails the test.
var known = map[string]example{
	"make demo": {cannot: "it builds the command and runs its demo, as TestScripts/demo does"},
	"make test": {cannot: "it is this suite"},
	"venuekey store copy postgres://venuekey@db.example.com/trading":            {cannot: aDatabase},
	"venuekey store migrate --store postgres://venuekey@db.example.com/trading": {cannot: aDatabase},
	"export VENUEKEY_STORE=postgres://venuekey:password@db.example.com/trading": {cannot: aDatabase},
	"venuekey login ctrader/alice --no-browser":                                 {visit: true},
	"venuekey status --watch":                                                   {until: "ctrader/alice"},
	"venuekey watch ctrader/alice --file token":                                 {until: "keeping a token"},
	"venuekey watch ctrader/alice --file token --signal HUP --pid-file bot.pid": {until: "keeping a token"},
	"venuekey agent":                                                                                             {until: "serving at"},
	"venuekey agent --hook ./notify.sh":                                                                          {until: "serving at"},
	"venuekey run":                                                                                               {until: "keeping every sign-in fresh"},
	"venuekey run --hook ./notify.sh":                                                                            {until: "keeping every sign-in fresh"},
	"venuekey tradovate stream tradovate/bot --quotes ESZ6":                                                      {until: "quote"},
	"venuekey tradovate stream tradovate/bot --quotes ESZ6,NQZ6":                                                 {until: "quote"},
	"venuekey tradovate stream tradovate/bot --entities order,fill --host demo":                                  {until: "order"},
	"venuekey tradovate stream tradovate/alice --quotes ESZ6 | jq -c .data":                                      {until: "{"},
	"venuekey tradovate stream tradovate/bot --quotes ESZ6 | jq -c .data":                                        {until: "{"},
	"venuekey ctrader stream ctrader/alice EURUSD GBPUSD --account 5001":                                         {until: "GBPUSD"},
	"venuekey ctrader stream ctrader/alice EURUSD XAUUSD --account 5001":                                         {until: "EURUSD"},
	"venuekey ctrader stream ctrader/alice EURUSD --account 5001 | jq -r .bid":                                   {until: `\d\.\d`},
	"venuekey run --hook ./notify.sh --warn 168h,24h":                                                            {until: "keeping every sign-in fresh"},
	"venuekey key export keys.age --recipient age1qx…":                                                           {before: "rm -f keys.age"},
	`curl --unix-socket "$(venuekey agent --where)" http://agent/v1/token/ctrader/alice`:                         {cannot: "it wants an agent that runs, as TestScripts/agent has"},
	`curl --unix-socket "$(venuekey agent --where)" 'http://agent/v1/token/ctrader/alice?newer_than=3&wait=30s'`: {cannot: "the same"},
	`curl --unix-socket "$(venuekey agent --where)" http://agent/proxy/tradovate/bot/account/list`:               {cannot: "it wants an agent that runs, as TestScripts/agent_proxy has"},
	"venuekey key export - --plain | ssh other venuekey key import -":                                            {cannot: "it wants another machine"},
	"venuekey key import keys.age":                                                                               {before: "venuekey key export keys.age --force"},
	"venuekey key import keys.age --identity identity.txt":                                                       {before: "cp key.txt identity.txt && venuekey key export keys.age --force --recipients-file team.txt"},
	"venuekey init --key passphrase":                                                                             {anew: true},
	"venuekey backup export sign-ins.age":                                                                        {before: "rm -f sign-ins.age"},
	"venuekey backup export sign-ins.age --recipients-file team.txt":                                             {before: "rm -f sign-ins.age"},
	"venuekey backup import sign-ins.age":                                                                        {before: "venuekey backup export sign-ins.age --force"},
	"venuekey backup import sign-ins.age --identity key.txt":                                                     {before: "venuekey backup export sign-ins.age --force --recipients-file team.txt"},
	"venuekey backup import sign-ins.age --replace --json | jq .sign_ins":                                        {before: "venuekey backup export sign-ins.age --force"},
	"venuekey import ttp/carol tokens.json":                                                                      {before: `echo '{"access_token":"a","refresh_token":"r","expires_in":2592000}' >tokens.json`},
	"venuekey import ttp/alice <answer.json --replace":                                                           {before: `echo '{"access_token":"a","refresh_token":"r"}' >answer.json`},
	"venuekey run --desktop --quiet 22:00-07:00":                                                                 {until: "keeping every sign-in fresh"},
	"venuekey notify verify --webhook-key webhook.key --signature \"$SIGNATURE\" <body":                          {cannot: "it wants a request that somebody signed just now, as TestScripts/notify has"},
	"venuekey audit":                          {before: aLog},
	"venuekey audit --follow --json":          {before: aLog, until: "grafana"},
	"venuekey audit verify":                   {before: aLog},
	"venuekey audit verify --json | jq .last": {before: aLog},
	"venuekey consumer revoke grafana":        {before: "venuekey consumer add grafana --allow 'ttp/*:status' || true"},
	// Without a kept password a session at Tradovate ends at the next long maintenance, which --check reports.
	"venuekey status --check --within 72h":            {before: "venuekey login tradovate/bot --keep-password"},
	"venuekey status --check --within 48h":            {before: "venuekey login tradovate/alice --keep-password"},
	"venuekey venue new acme":                         {cannot: "it asks a person, whom TestScripts/venue plays"},
	"venuekey venue new acme --file venues/acme.json": {cannot: "the same"},
	"venuekey emulate my-broker.json":                 {until: "VENUEKEY_BROKER_BASE_URL"},
	"venuekey emulate schwab":                         {until: "VENUEKEY_SCHWAB_CLIENT_SECRET"},
	"venuekey emulate":                                {until: "VENUEKEY_TTP_CLIENT_SECRET"},
	"venuekey emulate ctrader --shell fish":           {until: "set -gx VENUEKEY_CTRADER_CA_FILE"},
	"venuekey emulate ctrader --host live.ctraderapi.com --host demo.ctraderapi.com": {until: "VENUEKEY_CTRADER_CA_FILE"},
	"venuekey emulate tradovate --tls --host demo.tradovateapi.com":                  {until: "VENUEKEY_TRADOVATE_CA_FILE"},
	"venuekey emulate tradovate --set AccessLife=90s --set UserLimit=100":            {until: "VENUEKEY_TRADOVATE_CLIENT_SECRET"},
}

// here is an example as it is typed on this machine: nothing of it leads to a real
// host, to a port that may be taken, or to a folder outside of the test's.
func (w *world) here(line string) string {
	port := w.get("PORT")
	for _, pair := range [][2]string{
		{"https://live.tradovateapi.com", w.get(environ.Variable("tradovate", "BASE_URL"))},
		{"curl ", "curl --fail "}, // which otherwise ends well, whatever it is answered
		{"credential curl --fail ", "credential curl "},
		{"venuekey emulate", "venuekey emulate --port-base " + port},
		{"http://127.0.0.1:9101", w.get(environ.Variable("ctrader", "BASE_URL"))},
		{"age1qx…", w.get("RECIPIENT")},
		{"/backup/", w.dir + "/"},
		{"| jq ", "| jq --unbuffered "}, // as it writes to a terminal
	} {
		line = strings.ReplaceAll(line, pair[0], pair[1])
	}
	return line
}

func TestEveryExampleRuns(t *testing.T) {
	seen := map[string]bool{}
	type page struct {
		name  string
		bare  bool
		typed []string
	}
	var pages []page
	for _, path := range documents(t) {
		pages = append(pages, page{name: filepath.Base(path), bare: true, typed: consoleLines(t, path)})
	}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Example != "" {
			pages = append(pages, page{name: cmd.CommandPath(), typed: strings.Split(cmd.Example, "\n")})
		}
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit((&program{host: newOutside(t).host}).root())
	comment := regexp.MustCompile(`\s+#.*$`)
	for _, page := range pages {
		for i, line := range page.typed {
			page.typed[i] = strings.TrimSpace(comment.ReplaceAllString(line, ""))
			seen[page.typed[i]] = true
		}
		if len(page.typed) == 0 {
			continue
		}
		t.Run(page.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if !page.bare {
				w.signIn(t)
			}
			for _, line := range page.typed {
				w.types(t, line, known[line])
			}
		})
	}
	for line := range known {
		if !seen[line] {
			t.Errorf("no page has the example %q any more", line)
		}
	}
}

// types types an example, and sees it end well.
func (w *world) types(t *testing.T, line string, e example) {
	t.Helper()
	if e.cannot != "" {
		t.Logf("not run: %s: %s", line, e.cannot)
		return
	}
	for _, tool := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil && strings.Contains(line, tool) {
			t.Skipf("not run from here on: %s: there is no %s on this machine", line, tool)
		}
	}
	if e.anew {
		w.set("VENUEKEY_HOME", t.TempDir())
	}
	if strings.HasPrefix(line, "venuekey emulate") {
		w.set("PORT", strconv.Itoa(freeBase()))
	}
	if e.before != "" {
		w.types(t, e.before, example{})
	}
	r := w.start(t, line)
	defer r.kill()
	if e.visit {
		address := r.sees(t, `(?m)^  (http\S+/start/\S+)$`)
		if err := personNamed("alice").Visit(t.Context(), address[1]); err != nil {
			t.Fatal(err)
		}
	}
	if e.until != "" {
		r.sees(t, e.until)
		_ = syscall.Kill(-r.Process.Pid, syscall.SIGINT)
	}
	if err := r.Wait(); err != nil && e.until == "" {
		t.Errorf("$ %s\n%s%v", line, r.said, err)
	}
}

// typedExample is an example that runs.
type typedExample struct {
	*exec.Cmd
	said *buffer
	kill context.CancelFunc
}

func (w *world) start(t *testing.T, line string) typedExample {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	r := typedExample{exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", w.here(line)), &buffer{grew: make(chan struct{}, 1)}, cancel}
	r.Dir, r.Env = w.dir, w.env
	r.Stdin = bytes.NewReader([]byte("demo-secret\n")) // where it asks for an app's
	r.Stdout, r.Stderr = r.said, r.said
	r.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.Cancel = func() error { return syscall.Kill(-r.Process.Pid, syscall.SIGKILL) }
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// sees waits until the example has printed what fits.
func (r typedExample) sees(t *testing.T, pattern string) []string {
	t.Helper()
	fits, timeout := regexp.MustCompile(pattern), time.After(time.Minute)
	for {
		if found := fits.FindStringSubmatch(r.said.String()); found != nil {
			return found
		}
		select {
		case <-r.said.grew:
		case <-timeout:
			t.Fatalf("it does not print %s, but\n%s", pattern, r.said)
		}
	}
}
