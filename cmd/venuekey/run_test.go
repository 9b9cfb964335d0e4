package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
)

// run_test.go owns what is tested in this process: what a run leaves behind,
// and the small judgements that scripts would not reach.

// outside is a world for a run, with nobody in it.
type outside struct {
	host
	out, err *buffer
}

// buffer is written to by several goroutines and read by the test.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.grew <- struct{}{}:
	default:
	}
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// awaits waits until the text has been written.
func (b *buffer) awaits(t *testing.T, text string) {
	t.Helper()
	timeout := time.After(time.Minute)
	for !strings.Contains(b.String(), text) {
		select {
		case <-b.grew:
		case <-timeout:
			t.Fatalf("%q is not written, but %q", text, b.String())
		}
	}
}

func newOutside(t *testing.T, args ...string) outside {
	o := outside{out: &buffer{grew: make(chan struct{}, 1)}, err: &buffer{grew: make(chan struct{}, 1)}}
	o.host = host{
		args: args, environ: []string{"VENUEKEY_HOME=" + filepath.Join(t.TempDir(), "home"), "VENUEKEY_KEY=file", "TMPDIR=" + t.TempDir()},
		stdin: strings.NewReader(""), stdout: o.out, stderr: o.err,
		browse: func(string) error { return errors.New("there is none") },
	}
	return o
}

func TestTheDemoLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	o := newOutside(t, "demo")
	began := time.Now()
	if code := run(t.Context(), o.host); code != exitGood {
		t.Fatalf("it ended with %d:\n%s%s", code, o.out, o.err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	left, err := os.ReadDir(o.env("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	if home := o.env("VENUEKEY_HOME"); exists(home) {
		t.Errorf("it made %s", home)
	}
}

func TestADemoThatIsInterruptedLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	o := newOutside(t, "demo")
	o.stdout = cancelling{o.out, "renewed", cancel}
	if code := run(ctx, o.host); code != exitInterrupted {
		t.Fatalf("it ended with %d:\n%s", code, o.err)
	}
	left, err := os.ReadDir(o.env("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// cancelling is Ctrl-C at a certain word.
type cancelling struct {
	io.Writer
	word   string
	cancel context.CancelFunc
}

func (c cancelling) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(c.word)) {
		c.cancel()
	}
	return c.Writer.Write(p)
}

func TestASignInThatIsGivenUpLeavesNothingRunning(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	o := newOutside(t, "login", "ctrader/alice")
	o.environ = append(o.environ, "VENUEKEY_CTRADER_CLIENT_ID=x", "VENUEKEY_CTRADER_CLIENT_SECRET=y", "VENUEKEY_CTRADER_REDIRECT_URI=http://localhost:0/cb")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { ended <- run(ctx, o.host) }()
	o.err.awaits(t, "waiting for the sign-in")
	cancel()
	if code := <-ended; code != exitInterrupted {
		t.Errorf("it ended with %d:\n%s", code, o.err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestEveryCommandExplainsItself(t *testing.T) {
	p := &program{host: newOutside(t).host}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Short == "" || cmd.Long == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: it needs a short and a long description", cmd.CommandPath())
		}
		if cmd.Runnable() && cmd.Example == "" && !strings.HasPrefix(cmd.CommandPath(), "venuekey completion ") { // whose own words are cobra's
			t.Errorf("%s: it needs an example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len([]rune(line)) > 90 {
				t.Errorf("%s: this line is too long for a terminal: %s", cmd.CommandPath(), line)
			}
		}
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(p.root())
}

func TestAnErrorSaysWhatHelps(t *testing.T) {
	id := venuekey.ID{Venue: "ctrader", Name: "alice"}
	display := host{environ: []string{"DISPLAY=:0", "BROWSER=x"}}
	for _, test := range []struct {
		err    error
		exit   int
		remedy string
	}{
		{&venuekey.Error{ID: id, Class: venuekey.ClassRefused}, exitSignIn, "venuekey login ctrader/alice"},
		{&venuekey.Error{ID: id, Class: venuekey.ClassRefused, Remedy: "allow it"}, exitSignIn, "allow it"},
		{&venuekey.Error{ID: venuekey.ID{Venue: "ctrader"}, Class: venuekey.ClassMisconfigured, Err: venuekey.ErrNotFound}, exitMisconfigured, "venuekey app add ctrader"},
		{&venuekey.Error{ID: id, Class: venuekey.ClassMisconfigured}, exitMisconfigured, "venuekey doctor"},
		{&venuekey.Error{ID: id, Class: venuekey.ClassLater, RetryAfter: time.Minute}, exitTemporary, "again in 60 s"},
		{&venuekey.Error{ID: id, Class: venuekey.ClassLater}, exitTemporary, "again in a minute; it may pass by itself"},
		{&venuekey.Error{ID: id, Class: venuekey.ClassNotSent}, exitTemporary, "again in a minute; it may pass by itself"},
		{&venuekey.Error{ID: id, Class: venuekey.ClassUnknown}, exitTemporary, "again in a minute; it may pass by itself"},
		{&venuekey.Error{ID: id, Class: venuekey.ClassDamaged}, exitFailed, "venuekey doctor; or sign in again, which replaces it: venuekey login ctrader/alice"},
		{&venuekey.Error{ID: id, Class: venuekey.ClassFailed}, exitFailed, ""},
		{fmt.Errorf("wrapped: %w", &venuekey.Error{ID: id, Class: venuekey.ClassMisconfigured}), exitMisconfigured, "venuekey doctor"},
		{errors.New("anything"), exitFailed, ""},
		{misused("so", "not so"), exitUsage, "so"},
	} {
		f := (&program{host: display}).explain(test.err)
		if f.Exit != test.exit || f.Remedy != test.remedy {
			t.Errorf("%v: exit %d, remedy %q; want %d, %q", test.err, f.Exit, f.Remedy, test.exit, test.remedy)
		}
	}
}

func TestStatesHaveExitCodes(t *testing.T) {
	for _, test := range []struct {
		state venuekey.State
		left  time.Duration
		want  int
	}{
		{venuekey.StateFresh, time.Hour, exitGood},
		{venuekey.StateDue, time.Hour, exitGood},
		{venuekey.StateRefreshing, time.Hour, exitGood},
		{venuekey.StateRefreshing, -time.Hour, exitTemporary},
		{venuekey.StateDegraded, time.Hour, exitGood},
		{venuekey.StateUncertain, time.Hour, exitGood},
		{venuekey.StateUncertain, -time.Hour, exitTemporary},
		{venuekey.StateExpired, -time.Hour, exitTemporary},
		{venuekey.StateNeedsSignIn, time.Hour, exitSignIn},
		{venuekey.StateNeedsSignIn, -time.Hour, exitSignIn},
	} {
		if got := new(program).judge(venuekey.Status{State: test.state, Left: test.left}).exit; got != test.want {
			t.Errorf("%s with %s left: %d, want %d", test.state, test.left, got, test.want)
		}
	}
	for _, test := range [][3]int{{0, 0, 0}, {0, 4, 4}, {4, 3, 3}, {3, 1, 1}, {5, 1, 1}, {5, 3, 5}} {
		if got := worse(test[0], test[1]); got != test[2] || got != worse(test[1], test[0]) {
			t.Errorf("the worse of %d and %d is %d", test[0], test[1], got)
		}
	}
}

func TestACheckLooksAhead(t *testing.T) {
	const within = 48 * time.Hour
	at := func(d time.Duration) time.Time { return time.Now().Add(d) }
	for name, test := range map[string]struct {
		status venuekey.Status
		exit   int
		login  bool
	}{
		"fresh":                  {venuekey.Status{State: venuekey.StateFresh, Left: time.Hour}, exitGood, false},
		"due":                    {venuekey.Status{State: venuekey.StateDue, Left: time.Hour}, exitGood, false},
		"refreshing":             {venuekey.Status{State: venuekey.StateRefreshing, Left: time.Hour}, exitGood, false},
		"ends soon":              {venuekey.Status{State: venuekey.StateFresh, Left: time.Hour, SignInEnds: at(47 * time.Hour), EndsAnyway: true}, exitSignIn, true},
		"ends later":             {venuekey.Status{State: venuekey.StateFresh, Left: time.Hour, SignInEnds: at(49 * time.Hour), EndsAnyway: true}, exitGood, false},
		"ends unless renewed":    {venuekey.Status{State: venuekey.StateFresh, Left: time.Hour, SignInEnds: at(time.Hour)}, exitGood, false},
		"degraded":               {venuekey.Status{State: venuekey.StateDegraded, Left: time.Hour}, exitTemporary, false},
		"degraded and ends soon": {venuekey.Status{State: venuekey.StateDegraded, Left: time.Hour, SignInEnds: at(time.Hour), EndsAnyway: true}, exitSignIn, true},
		"uncertain":              {venuekey.Status{State: venuekey.StateUncertain, Left: time.Hour, NextRefresh: at(time.Second)}, exitTemporary, false},
		"uncertain for good":     {venuekey.Status{State: venuekey.StateUncertain, Left: 99 * time.Hour, SignInEnds: at(99 * time.Hour), EndsAnyway: true}, exitSignIn, true},
		"waits in a spill file":  {venuekey.Status{State: venuekey.StateFresh, Left: time.Hour, Spilled: true}, exitTemporary, false},
		"expired":                {venuekey.Status{State: venuekey.StateExpired, Left: -time.Hour}, exitTemporary, false},
		"needs sign-in":          {venuekey.Status{State: venuekey.StateNeedsSignIn, Left: 99 * time.Hour}, exitSignIn, true},
		"an older copy":          {venuekey.Status{State: venuekey.StateFresh, Left: time.Hour, Behind: true}, exitSignIn, true},
		"unreadable":             {venuekey.Status{State: venuekey.StateNeedsSignIn, Err: errors.New("no")}, exitFailed, false},
	} {
		test.status.ID = venuekey.ID{Venue: "ctrader", Name: "alice"}
		got := new(program).judgeAhead(test.status, within)
		if got.exit != test.exit || strings.Contains(got.help, "venuekey login") != test.login {
			t.Errorf("%s: %d, %q; want %d", name, got.exit, got.help, test.exit)
		}
	}
}

func TestTheNearestName(t *testing.T) {
	names := []string{"login", "logout", "list", "token", "status", "exec"}
	for typed, want := range map[string]string{
		"tokn": "token", "lsit": "list", "Login": "login", "stat": "status", "logotu": "logout",
		"frobnicate": "", "": "", "exce": "exec",
	} {
		if got := nearest(typed, names); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestTimesInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "in 0 s", 45 * time.Second: "in 45 s", 80 * time.Minute: "in 80 min", 23 * time.Hour: "in 23 h",
		30 * 24 * time.Hour: "in 30 d", -3 * time.Minute: "3 min ago", -70 * time.Hour: "3 d ago",
	} {
		if got := in(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestATable(t *testing.T) {
	shown := table{heading: []string{"ID", "STATE", "ACCOUNT"}}
	shown.add(text("ctrader/alice"), cell{"fresh", green}, text("Zoë"))
	shown.add(text("ttp/b"), cell{"needs sign-in", red}, text("-"))
	for name, test := range map[string]struct {
		style style
		want  string
	}{
		"for a program": {style{}, "ctrader/alice\tfresh\tZoë\nttp/b\tneeds sign-in\t-\n"},
		"for a person": {style{aligned: true}, "" +
			"ID             STATE          ACCOUNT\n" +
			"ctrader/alice  fresh          Zoë\n" +
			"ttp/b          needs sign-in  -\n"},
		"with colours": {style{aligned: true, coloured: true}, "" +
			"\x1b[2mID\x1b[0m             \x1b[2mSTATE\x1b[0m          \x1b[2mACCOUNT\x1b[0m\n" +
			"ctrader/alice  \x1b[32mfresh\x1b[0m          Zoë\n" +
			"ttp/b          \x1b[31mneeds sign-in\x1b[0m  -\n"},
	} {
		var out strings.Builder
		shown.write(&out, test.style)
		if out.String() != test.want {
			t.Errorf("%s:\n%q, want\n%q", name, out.String(), test.want)
		}
	}
}

// No line is wider than the terminal, which would break it in the middle of a word.
func TestATableFitsANarrowTerminal(t *testing.T) {
	shown := table{heading: []string{"ID", "STATE", "EXPIRES", "NEXT RENEWAL", "ACCOUNT", "TRY"}, drop: []int{3, 4}, below: "try: "}
	shown.add(text("ctrader/alice"), text("fresh"), text("in 30 d"), text("in 24 d"), text("-"), text(""))
	shown.add(text("ttp/bob"), text("needs sign-in"), text("in 24 h"), text("never"), text("bob (user 1002)"), text("venuekey login ttp/bob --paste"))
	for width, want := range map[int]string{
		120: "" +
			"ID             STATE          EXPIRES  NEXT RENEWAL  ACCOUNT          TRY\n" +
			"ctrader/alice  fresh          in 30 d  in 24 d       -\n" +
			"ttp/bob        needs sign-in  in 24 h  never         bob (user 1002)  venuekey login ttp/bob --paste\n",
		80: "" +
			"ID             STATE          EXPIRES  NEXT RENEWAL  ACCOUNT\n" +
			"ctrader/alice  fresh          in 30 d  in 24 d       -\n" +
			"ttp/bob        needs sign-in  in 24 h  never         bob (user 1002)\n" +
			"  try: venuekey login ttp/bob --paste\n",
		60: "" +
			"ID             STATE          EXPIRES  ACCOUNT\n" +
			"ctrader/alice  fresh          in 30 d  -\n" +
			"ttp/bob        needs sign-in  in 24 h  bob (user 1002)\n" +
			"  try: venuekey login ttp/bob --paste\n",
		36: "" +
			"ID            STATE          EXPIRES\n" +
			"ctrader/ali…  fresh          in 30 d\n" +
			"ttp/bob       needs sign-in  in 24 h\n" +
			"  try: venuekey login ttp/bob --paste\n",
	} {
		var out strings.Builder
		shown.write(&out, style{aligned: true, width: width})
		if out.String() != want {
			t.Errorf("%d columns:\n%s, want\n%s", width, out.String(), want)
		}
	}
	if got := strings.Join(wrapped("the venue does not accept the refresh token any more", 20), "|"); got != "the venue does not|accept the refresh|token any more" {
		t.Error(got)
	}
}

func TestSecretVariables(t *testing.T) {
	for name, want := range map[string]bool{
		"VENUEKEY_CTRADER_CLIENT_SECRET": true, "VENUEKEY_CTRADER_CLIENT_SECRET_FILE": true, "VENUEKEY_PASSPHRASE": true,
		"VENUEKEY_PASSPHRASE_FILE": true, "VENUEKEY_TRADOVATE_SEC": true, "VENUEKEY_TRADOVATE_SEC_FILE": true,
		"VENUEKEY_TRADOVATE_PASSWORD": true, "VENUEKEY_TRADOVATE_CID": false, "VENUEKEY_HOME": false,
		"VENUEKEY_CTRADER_CLIENT_ID": false, "AWS_SECRET": false, "PATH": false,
	} {
		if got := (&program{}).isSecretVariable(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWarningsAreOneLineForAPerson(t *testing.T) {
	o := newOutside(t)
	log := (&program{host: o.host}).log()
	log.Info("renewed")
	log.With("id", "ctrader/alice").Warn("the store refuses", "error", errors.New("disk\nfull"), "token", venuekey.Secret("s-e-c-r-e-t"))
	if got, want := o.err.String(), "venuekey: note: the store refuses; id ctrader/alice; error disk full; token [secret]\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAShellReadsWhatIsPrintedForIt(t *testing.T) {
	for name, want := range map[string]string{
		"sh":         `export A='it'\''s'` + "\n",
		"fish":       `set -gx A 'it\'s'` + "\n",
		"powershell": `$env:A = 'it''s'` + "\n",
	} {
		o := newOutside(t)
		p := &program{host: o.host}
		if err := p.showEmulation(emulation{Environment: []setting{{"A", "it's"}}}, shells()[name]); err != nil {
			t.Fatal(err)
		}
		if got := o.out.String(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
