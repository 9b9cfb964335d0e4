package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	agefile "filippo.io/age"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/store/sqlite"
)

// foreign_test.go owns the attacks of whoever speaks to the command: every field of
// every kind of answer goes through every output. Nothing that was sent in secret
// comes out in any form, and nothing that a terminal obeys.

// repeater is an emulated venue that, when it is told to, answers token requests with
// what it was sent.
type repeater struct {
	http.Handler
	mu    sync.Mutex
	said  func(s string) string // the body of its answer, nil for the venue's own
	raw   bool                  // it is no HTTP either
	heard map[string]bool       // what it was sent in secret
}

var harmless = []string{"client_id", "grant_type", "redirect_uri", "scope", "name", "appId", "appVersion", "cid", "deviceId", "oauth", "product", "state", "user", "token_type_hint"}

func (h *repeater) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	said, raw := h.said, h.raw
	h.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, emulator.AdminPath) || !strings.Contains(r.URL.Path, "token") && !strings.HasSuffix(r.URL.Path, "/me") {
		h.Handler.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	text := h.hears(r, body)
	switch {
	case said == nil:
		h.Handler.ServeHTTP(w, r)
	case raw:
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, said(text))
			_ = conn.Close()
		}
	default:
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(said(""), "rror") && !strings.Contains(said(""), "errorCode") {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, said(text))
	}
}

// hears remembers what was sent in secret, and gives what repeats all of it.
func (h *repeater) hears(r *http.Request, body []byte) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var now []string
	form, _ := url.ParseQuery(string(body))
	for name, values := range r.URL.Query() {
		form[name] = values
	}
	var fields map[string]any
	if json.Unmarshal(body, &fields) == nil {
		for name, value := range fields {
			form.Set(name, fmt.Sprint(value))
		}
	}
	for name, values := range form {
		if !slices.Contains(harmless, name) {
			now = append(now, values...)
		}
	}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		now = append(now, bearer)
	}
	text := "\x1b[2J\x1b]0;owned\x07\u202e\r\n9999\tlive\t1\tFAKE\ttrade\u2028"
	for _, secret := range now {
		h.heard[secret] = true
		for _, form := range inForms(secret) {
			text += form + " \u200b\t"
		}
	}
	return text
}

// inForms are the forms in which a secret comes back.
func inForms(secret string) []string {
	half := len(secret) / 2
	return []string{
		secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte("id:" + secret)), hex.EncodeToString([]byte(secret)),
		html.EscapeString(secret), strings.ToUpper(secret), secret[:half] + "\r\n" + secret[half:], secret[:half] + "." + secret[half:], fmt.Sprintf("%q", secret),
	}
}

// inJSON is a text as a JSON string with every letter escaped.
func inJSON(text string) string {
	var all strings.Builder
	for _, r := range text {
		if r < 0x10000 {
			fmt.Fprintf(&all, `\u%04x`, r)
		}
	}
	return `"` + all.String() + `"`
}

// answersThatRepeat are the kinds of answers, by their names: those of all three venues,
// and of what is no venue.
func answersThatRepeat() map[string]func(s string) string {
	forms := map[string]string{
		"OAuth":          `{"error":"odd_error","error_description":%[1]s,"error_uri":%[1]s}`,
		"OAuth's code":   `{"error":%[1]s,"error_description":"no"}`,
		"cTrader":        `{"errorCode":"ODD_CODE","description":%[1]s}`,
		"cTrader's own":  `{"errorCode":"ACCESS_DENIED","description":%[1]s}`,
		"cTrader's code": `{"errorCode":%[1]s,"description":null}`,
		"Tradovate":      `{"errorText":%[1]s}`,
		"its violations": `{"violations":[{"constraint":%[1]s,"description":%[1]s,"value":%[1]s}]}`,
		"its penalty":    `{"p-ticket":%[1]s,"p-time":1,"p-captcha":false}`,
		"a maintenance":  `{"message":%[1]s,"status":%[1]s}`,
		"names":          `{"access_token":"AXq7Zr2Vq9LdYw4Hs6Jb1G","accessToken":"AXq7Zr2Vq9LdYw4Hs6Jb1G","refresh_token":"RXq7Zr2Vq9LdYw4Hs6Jb1G","refreshToken":"RXq7Zr2Vq9LdYw4Hs6Jb1G","token_type":"bearer","scope":%[1]s,"name":%[1]s,"userId":7,"expires_in":3600,"expiresIn":3600,"expirationTime":"2099-01-01T00:00:00Z"}`,
		"a type":         `{"access_token":"AXq7","accessToken":"AXq7","refresh_token":"RXq8Zr2Vq9LdYw4Hs6Jb1G","refreshToken":"RXq8Zr2Vq9LdYw4Hs6Jb1G","token_type":%[1]s,"tokenType":%[1]s,"expires_in":3600}`,
		"a broken token": `{"access_token":%[1]s,"accessToken":%[1]s,"refresh_token":"RXq9Zr2Vq9LdYw4Hs6Jb1G","refreshToken":"RXq9Zr2Vq9LdYw4Hs6Jb1G","expires_in":3600}`,
		"a death":        `{"error":"invalid_grant","errorCode":"INVALID_GRANT","description":%[1]s,"error_description":%[1]s}`,
	}
	answers := map[string]func(string) string{}
	for name, form := range forms {
		answers[name] = func(s string) string { return fmt.Sprintf(form, inJSON(s)) }
	}
	answers["raw: an echo"] = func(s string) string { return s }
	answers["raw: a status"] = func(s string) string {
		return "HTTP/1.1 200 " + strings.NewReplacer("\r", "", "\n", "").Replace(s) + "\r\nX\r\n\r\n"
	}
	answers["raw: a length"] = func(s string) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: " + strings.NewReplacer("\r", "", "\n", "").Replace(s) + "\r\n\r\n"
	}
	return answers
}

// watched is a command's world in which every output is looked at.
type watched struct {
	hunt
	venue *repeater
}

// sees fails where a text holds a piece of what the venue was sent, in any form, or a
// control character.
func (w *watched) sees(what, text string) {
	w.t.Helper()
	w.venue.mu.Lock()
	defer w.venue.mu.Unlock()
	plain := lettersOf(text)
	for secret := range w.venue.heard {
		for _, form := range inForms(secret) {
			form = lettersOf(form)
			for at := 0; at+12 <= len(form); at++ {
				if strings.Contains(plain, form[at:at+12]) {
					w.t.Fatalf("%s holds %q of a secret: %q", what, form[at:at+12], text)
				}
			}
		}
	}
	mustPrint(w.t, what, text)
}

func mustPrint(t *testing.T, what, text string) {
	t.Helper()
	if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); at >= 0 {
		t.Fatalf("%s holds a control character at %d: %q", what, at, text)
	}
	if regexp.MustCompile(`(?m)^\s*9999\tlive`).MatchString(text) {
		t.Fatalf("%s holds a row that was made up: %q", what, text)
	}
}

func lettersOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

// does runs a command and looks at all that it writes.
func (w *watched) does(args ...string) {
	w.t.Helper()
	out, err := w.output(args...)
	w.sees(strings.Join(args, " "), out)
	w.sees(strings.Join(args, " ")+", on standard error", err)
	if slices.Contains(args, "--json") && out != "" && !json.Valid([]byte(out)) {
		w.t.Errorf("%s writes no JSON: %s", strings.Join(args, " "), out)
	}
}

// stored looks at the columns that lie in the vault in plain.
func (w *watched) stored() {
	w.t.Helper()
	store, err := sqlite.Open(w.t.Context(), filepath.Join(w.home, "vault.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer store.Close()
	records, err := store.List(w.t.Context(), "", "", 100)
	if err != nil || len(records) == 0 {
		w.t.Fatal(len(records), err)
	}
	for _, record := range records {
		w.sees("the vault, in plain", record.Key+"\n"+record.Text+"\n"+string(record.Condition)+"\n"+record.LeaseOwner)
	}
}

func TestAttackEveryAnswerThroughEveryOutput(t *testing.T) {
	app, user := emulator.DefaultApp(), emulator.DefaultUser()
	app.ClientSecret = "Xw3=kN8f/Tz0qVh5+MrB7yUj2PsLd9Ce"
	apps, users := []emulator.App{app}, []emulator.User{user}
	for name, venue := range map[string]http.Handler{
		"ctrader":   &ctrader.Server{Apps: apps, Users: users, Knobs: ctrader.Knobs{AnyLoopbackRedirect: true}},
		"tradovate": &tradovate.Server{Apps: apps, Users: users, Knobs: tradovate.Knobs{AnyLoopbackRedirect: true}},
		"ttp":       &ttp.Server{Apps: apps, Users: users, Knobs: ttp.Knobs{AnyLoopbackRedirect: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			evil := &repeater{Handler: venue, heard: map[string]bool{}}
			web := httptest.NewServer(evil)
			defer web.Close()
			w := &watched{hunt{t: t, home: filepath.Join(t.TempDir(), "home"), user: emulator.Person{Name: user.Name, Password: user.Password}}, evil}
			w.environ = []string{"VENUEKEY_HOME=" + w.home, "VENUEKEY_KEY=file", "DISPLAY=:0", "PATH=" + os.Getenv("PATH"),
				environ.Variable(name, "BASE_URL") + "=" + web.URL, environ.Variable(name, "REDIRECT_URI") + "=http://localhost:0/auth/callback"}
			id := name + "/" + user.Name
			w.stdin = app.ClientSecret + "\n"
			w.does("app", "add", name, "--client-id", app.ClientID, "--secret-stdin", "--base-url", web.URL)
			w.does("login", id, "-v")
			answers := answersThatRepeat()
			for kind, said := range answers { // in any order, so that each comes after each
				evil.mu.Lock()
				evil.said, evil.raw = said, strings.HasPrefix(kind, "raw")
				evil.mu.Unlock()
				w.does("refresh", id, "-v")
				w.does("refresh", id, "--json")
				w.does("status", id)
				w.does("status", "--json")
				w.does("token", "nobody/here")
				w.stored()
				w.does("login", id, "-v") // which fails, and is told of
			}
			w.does("status")
			w.does("list")
			w.does("doctor", "--verbose")
			w.does("doctor", "--json")
			w.hooked(id)
			// What is handed out is one header field.
			if out, _ := w.output("token", id, "--header"); strings.Count(out, "\n") > 1 {
				t.Errorf("more than a field: %q", out)
			}
			w.does("logout", "--revoke", "--verbose", id)
			w.does("logout", id)
		})
	}
}

// hooked looks at what a hook is told.
func (w *watched) hooked(id string) {
	w.t.Helper()
	w.output("refresh", id)
	events, err := w.events(id)
	if err != nil {
		w.t.Fatal(err)
	}
	p := &program{host: host{environ: w.environ}}
	for _, event := range events {
		for _, entry := range p.hookEnv(event) {
			if strings.ContainsAny(entry, "\t\n") {
				w.t.Errorf("%q", entry)
			}
			w.sees("the hook's environment", entry)
		}
	}
}

// events are how a sign-in stands, as a hook is told of it.
func (w *watched) events(id string) (events []venuekey.Event, err error) {
	p := &program{host: host{environ: w.environ, stderr: io.Discard, stdout: io.Discard, orderly: func() {}}}
	p.ui = nil
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	err = p.withVault(ctx, func(v *local.Vault) error {
		for event := range v.Keeper.Events(ctx, mustID([]string{id})) {
			events = append(events, event)
			break
		}
		return nil
	})
	return events, err
}

// A broker's name, a symbol, a currency: a line break and tabs in one made up an
// account.
func TestAttackAnAccountThatIsMadeUp(t *testing.T) {
	const loud = "Good\n9999\tlive\t1\tFAKE\ttrade\x1b[2J\u202e\u2028"
	user := emulator.DefaultUser()
	user.Accounts = []emulator.Account{{ID: 5001, Login: 1, Broker: loud}}
	signIn := &ctrader.Server{Users: []emulator.User{user}, Knobs: ctrader.Knobs{AnyLoopbackRedirect: true}}
	symbols := openapi.DefaultSymbols()
	symbols[0].Description = loud
	symbols[1].Name = "SYM\n9999\tlive\t1"
	api := &openapi.Server{Venue: signIn, Symbols: symbols}
	if err := api.Start(); err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	web := httptest.NewServer(signIn)
	defer web.Close()
	w := &watched{hunt{t: t, home: filepath.Join(t.TempDir(), "home"), user: emulator.Person{Name: user.Name, Password: user.Password}}, &repeater{}}
	w.environ = []string{"VENUEKEY_HOME=" + w.home, "VENUEKEY_KEY=file", "DISPLAY=:0", environ.Variable("ctrader", "BASE_URL") + "=" + web.URL,
		environ.Variable("ctrader", "CLIENT_ID") + "=demo-client", environ.Variable("ctrader", "CLIENT_SECRET") + "=demo-secret",
		environ.Variable("ctrader", "REDIRECT_URI") + "=http://localhost:0/auth/callback",
		environ.Variable("ctrader", "LIVE_ADDRESS") + "=" + api.Addresses().LiveProtobuf, environ.Variable("ctrader", "DEMO_ADDRESS") + "=" + api.Addresses().DemoProtobuf,
		environ.Variable("ctrader", "CA_FILE") + "=" + filepath.Join(w.home, "..", "ca.pem")}
	if err := os.WriteFile(filepath.Join(w.home, "..", "ca.pem"), api.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.does("login", "ctrader/alice")
	for _, line := range []string{"accounts", "accounts --json", "trader", "trader --json", "symbols", "symbols --json", "call GetAccountListByAccessTokenReq", "call SymbolsListReq"} {
		words := strings.Fields(line)
		args := append([]string{"ctrader", words[0], "ctrader/alice"}, words[1:]...)
		w.does(args...)
	}
	if out, _ := w.output("ctrader", "accounts", "ctrader/alice"); strings.Count(out, "\n") != 1 || strings.Count(out, "\t") != 4 {
		t.Errorf("%q", out)
	}
}

// A cell holds no tab, line break or control character, whoever forgot to clean it.
func TestAttackACellThatIsATable(t *testing.T) {
	for _, look := range []style{{}, {aligned: true, width: 80}, {aligned: true, coloured: true}} {
		var out bytes.Buffer
		shown := table{heading: []string{"A", "B"}}
		shown.add(text("x\ty\nz\x1b[2J"), cell{"\u202e\x00w", red})
		shown.write(&out, look)
		got := strings.NewReplacer("\x1b[31m", "", "\x1b[2m", "", "\x1b[0m", "").Replace(out.String())
		if strings.ContainsAny(got, "\x1b\u202e\x00") || strings.Count(got, "\t") > 1 || !strings.Contains(got, "x y z") {
			t.Errorf("%+v: %q", look, got)
		}
	}
}

// Whoever may write to a shared table writes on an operator's terminal.
func TestAttackARecordThatSomebodyWrote(t *testing.T) {
	w := &watched{hunt{t: t, home: filepath.Join(t.TempDir(), "home")}, &repeater{}}
	w.environ = []string{"VENUEKEY_HOME=" + w.home, "VENUEKEY_KEY=file"}
	w.does("init")
	store, err := sqlite.Open(t.Context(), filepath.Join(w.home, "vault.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"token/ctrader/al\x1b[2Jice", "token/ctrader/x\n9999\tlive", "token/\u202ectrader/y", "app/ctr\x1b[2Jader", "token/ctrader/bob"} {
		_, err := store.Put(t.Context(), venuekey.Record{Key: key, Generation: 1, Condition: venuekey.ConditionDead, Text: "\x1b]0;owned\x07\r\n9999\tlive", Sealed: []byte("nothing")})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"list", "list --json", "status", "status --json", "status --check", "doctor", "doctor --json", "store check", "store check --json",
		"status ctrader/bob", "token ctrader/bob", "app list", "app list --json", "key list", "__complete status ct", "__complete login ct", "refresh --all -v"} {
		w.does(strings.Fields(line)...)
	}
	if out, _ := w.output("list"); out != "ctrader/bob\n" { // it is fed to xargs
		t.Errorf("%q", out)
	}
}

// A backup is somebody's file, too: its token would become a second header field.
func TestAttackABackupWithASecondHeaderField(t *testing.T) {
	for what, line := range map[string]string{
		"access":                    `"access":"a\r\nX-Admin: 1","refresh":"r"`,
		"access beside what renews": `"access":"a\n","refresh":"r\n"`,
		"type":                      `"access":"a","type":"bearer x\r\nX-Admin: 1"`,
		"escape":                    `"access":"a\u001b[2J"`,
		"shown":                     `"access":"a","refresh":"r","user":"u\u001b[2J\n9999\tlive","scopes":["\u202es\tx"],"condition":"dead","reason":"\u001b[2J\nwhy"`,
	} {
		t.Run(what, func(t *testing.T) {
			w := &watched{hunt{t: t, home: filepath.Join(t.TempDir(), "home")}, &repeater{}}
			w.environ = []string{"VENUEKEY_HOME=" + w.home, "VENUEKEY_KEY=file", "VENUEKEY_BACKUP_PASSPHRASE=correct horse battery"}
			path := filepath.Join(t.TempDir(), "backup.age")
			text := `{"venuekey":"backup","version":1,"made":"2026-01-01T00:00:00Z"}
{"app":{"venue":"ctrader","client_id":"c\u001b[2J\n9999\tlive","client_secret":"s","redirect_uri":"http://localhost:1/\u202e","urls":{"base":"https://h.test/\u202ex"}}}
{"token":{"id":"ctrader/alice","generation":3,` + line + `,"issued":"2026-01-01T00:00:00Z","expires":"2099-01-01T00:00:00Z"}}
{"end":{"apps":1,"tokens":1}}
`
			sealToFile(t, path, text)
			for _, args := range [][]string{{"backup", "import", path}, {"backup", "import", path, "--json"}} {
				w.does(args...)
			}
			for _, line := range []string{"status", "status ctrader/alice", "status --json", "app list", "app list --json", "doctor", "token ctrader/alice --json"} {
				w.does(strings.Fields(line)...)
			}
			out, _ := w.output("token", "ctrader/alice", "--header")
			if strings.Contains(out, "X-Admin") || strings.Count(out, "\n") > 1 {
				t.Errorf("%q", out)
			}
			if list, _ := w.output("list"); (list == "") != (what != "shown") {
				t.Errorf("imported: %q", list)
			}
		})
	}
}

func sealToFile(t *testing.T, path, text string) {
	t.Helper()
	recipient, err := agefile.NewScryptRecipient("correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	recipient.SetWorkFactor(10)
	var sealed bytes.Buffer
	into, err := agefile.Encrypt(&sealed, recipient)
	if err == nil {
		_, err = io.WriteString(into, text)
	}
	if err == nil {
		err = into.Close()
	}
	if err == nil {
		err = os.WriteFile(path, sealed.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A file's name is what its maker wants, and stands in the system's message.
func TestAttackAFileWhoseNameIsAControlSequence(t *testing.T) {
	if runtime.GOOS == "windows" {
		needs.Skip(t, "foreign", "a system whose names of files may hold control characters")
	}
	w := &watched{hunt{t: t, home: filepath.Join(t.TempDir(), "ho\x1b[2Jme\n9999\tlive")}, &repeater{}}
	w.environ = []string{"VENUEKEY_HOME=" + w.home, "VENUEKEY_KEY=file"}
	t.Chdir(t.TempDir()) // where the copy of the vault goes
	for _, line := range []string{"init", "status", "doctor", "doctor --json", "list -v", "backup import no\x1b[2Jne.age", "store copy fi\x1b[2Jle/db", "import ctrader/x"} {
		w.does(strings.Fields(line)...)
	}
}
