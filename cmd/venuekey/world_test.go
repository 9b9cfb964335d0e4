package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sealing "filippo.io/age"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/environ"
)

// world_test.go owns a machine on which the examples of help and README can be
// typed as they stand: emulated venues that know the apps which they name, and the
// programs and files that they use.

type world struct {
	dir string
	env []string
}

// newWorld starts the venues. Nobody is signed in and no app is known yet.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	var apps []emulator.App
	for _, id := range []string{"demo-client", "1234_abc", "1234_abc...", "abc", "..."} {
		app := emulator.DefaultApp()
		app.ClientID = id
		apps = append(apps, app)
	}
	signIn := &ctrader.Server{Apps: apps, Knobs: ctrader.Knobs{AnyLoopbackRedirect: true}}
	trader := &tradovate.Server{Apps: apps, Knobs: tradovate.Knobs{AnyLoopbackRedirect: true}, Keys: []tradovate.APIKey{{CID: 42, Sec: "demo-secret"}, {CID: 1234, Sec: "demo-secret"}}}
	site := &ttp.Server{Apps: apps, Knobs: ttp.Knobs{AnyLoopbackRedirect: true}}
	api := &openapi.Server{Venue: signIn}
	if err := api.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	w.set("PATH", w.dir+"/bin:"+os.Getenv("PATH"))
	w.set("HOME", w.dir)
	w.set("TMPDIR", w.dir)
	w.set("GORACE", os.Getenv("GORACE"))
	w.set("DISPLAY", ":0")
	w.set("TEST_PERSON", "alice")
	w.set("VENUEKEY_HOME", w.dir+"/home")
	w.set("VENUEKEY_KEY", "file")
	w.set("VENUEKEY_PASSPHRASE", "correct horse battery staple")
	w.set("VENUEKEY_BACKUP_PASSPHRASE", "correct horse battery staple")
	base := func(web *httptest.Server) string { t.Cleanup(web.Close); return web.URL }
	w.set(environ.Variable("ctrader", "BASE_URL"), base(httptest.NewServer(signIn)))
	w.set(environ.Variable("tradovate", "BASE_URL"), base(httptest.NewServer(trader)))
	w.set(environ.Variable("tradovate", "DEMO_URL"), base(httptest.NewServer(trader.Demo()))+"/v1")
	w.set(environ.Variable("ttp", "BASE_URL"), base(httptest.NewServer(site)))
	for _, name := range []string{"ctrader", "tradovate", "ttp"} {
		w.set(environ.Variable(name, "REDIRECT_URI"), "http://localhost:0/auth/callback")
	}
	w.set(environ.Variable("tradovate", "NAME"), "alice")
	w.set(environ.Variable("tradovate", "PASSWORD"), "wonderland")
	w.set(environ.Variable("ctrader", "LIVE_ADDRESS"), api.Addresses().LiveProtobuf)
	w.set(environ.Variable("ctrader", "DEMO_ADDRESS"), api.Addresses().DemoProtobuf)
	w.set(environ.Variable("ctrader", "CA_FILE"), w.dir+"/ca.pem")
	w.file(t, "ca.pem", string(api.CAPEM()))
	w.furnish(t)
	return w
}

// furnish puts there what examples use that is not ours.
func (w *world) furnish(t *testing.T) {
	t.Helper()
	identity, err := sealing.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	w.set("RECIPIENT", identity.Recipient().String())
	w.set("refused", "a-token-that-the-venue-refused")
	w.file(t, "key.txt", identity.String()+"\n")
	w.file(t, "my-broker.json", `{"name": "broker", "client": "none", "login": "key", "renew": {"with": "app"}, "life": {"access": "12h"},
		"ask": [{"name": "user", "help": "the user", "user": true, "keep": "app"}, {"name": "key", "help": "the key", "secret": true, "keep": "app"}],
		"exchange": {"url": "https://api.broker.example/session", "encoding": "json", "auth": "none", "params": {"user": "{ask.user}", "key": "{ask.key}"}}}`)
	w.file(t, "team.txt", identity.Recipient().String()+"\n")
	w.file(t, "order.json", `{"symbolId":1,"orderType":"MARKET","tradeSide":"BUY","volume":100000}`)
	w.file(t, "buy.json", `{"accountId":5001,"action":"Buy","symbol":"ESZ6","orderQty":1,"orderType":"Market"}`)
	for name, text := range map[string]string{
		"bot":             `test -n "$VENUEKEY_ACCESS_TOKEN$TRADOVATE_MD_TOKEN"`,
		"notify.sh":       `true`,
		"bin/python":      `test "$1" = bot.py && test -n "$TTP_TOKEN"`,
		"bin/pass":        `echo demo-secret`,
		"bin/notify-send": `true`,
		"bin/ssh":         `shift; exec sh -c "$*"`,
	} {
		w.file(t, name, "#!/bin/sh\n"+text+"\n")
	}
}

func (w *world) file(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

func (w *world) set(name, value string) { w.env = append(w.env, name+"="+value) }

func (w *world) get(name string) string { return host{environ: w.env}.env(name) }

// signIn registers the apps and signs alice in everywhere, and a bot at Tradovate.
func (w *world) signIn(t *testing.T) {
	t.Helper()
	for _, args := range []string{
		"app add ctrader --client-id demo-client --secret-stdin", "app add ttp --client-id demo-client --secret-stdin",
		"app add tradovate --set cid=42 --secret-stdin", "login ctrader/alice", "login ttp/alice", "login tradovate/bot",
	} {
		o := newOutside(t, strings.Fields(args)...)
		o.environ, o.stdin = w.env, strings.NewReader("demo-secret\n")
		o.browse = func(address string) error { return personNamed("alice").Visit(t.Context(), address) }
		if code := run(t.Context(), o.host); code != exitGood {
			t.Fatalf("%s: %d\n%s", args, code, fmt.Sprint(o.out, o.err))
		}
	}
}
