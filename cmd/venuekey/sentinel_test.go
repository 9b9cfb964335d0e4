package main

import (
	"bytes"
	"context"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/environ"
)

// sentinel_test.go owns the hunt for secrets: every code and token that the
// venues issue begins with a sentinel, and so do the app's secret and the
// user's password. After everything that a user can do, and much that can go
// wrong, no output, no file and no event holds one.

const sentinel = "SENTINEL"

func TestNoOutputHoldsASecret(t *testing.T) {
	app := emulator.DefaultApp()
	app.ClientSecret = sentinel + "-client-secret"
	user := emulator.DefaultUser()
	user.Password = sentinel + "-password"
	apps, users := []emulator.App{app}, []emulator.User{user}
	for name, venue := range map[string]emulator.Venue{
		"ctrader":   &ctrader.Server{Apps: apps, Users: users, Knobs: ctrader.Knobs{AnyLoopbackRedirect: true, TokenPrefix: sentinel}},
		"tradovate": &tradovate.Server{Apps: apps, Users: users, Knobs: tradovate.Knobs{AnyLoopbackRedirect: true, TokenPrefix: sentinel}},
		"ttp":       &ttp.Server{Apps: apps, Users: users, Knobs: ttp.Knobs{AnyLoopbackRedirect: true, TokenPrefix: sentinel}},
	} {
		t.Run(name, func(t *testing.T) {
			web := httptest.NewServer(venue)
			defer web.Close()
			h := hunt{t: t, home: filepath.Join(t.TempDir(), "home"), user: emulator.Person{Name: user.Name, Password: user.Password}}
			h.environ = []string{"VENUEKEY_HOME=" + h.home, "VENUEKEY_KEY=file", "DISPLAY=:0",
				environ.Variable(name, "BASE_URL") + "=" + web.URL, environ.Variable(name, "REDIRECT_URI") + "=http://localhost:0/auth/callback"}
			id := name + "/" + user.Name

			h.stdin = app.ClientSecret + "\n"
			h.run("app", "add", name, "--client-id", app.ClientID, "--secret-stdin", "--base-url", web.URL)
			h.user.Deny = true
			h.run("login", id)
			h.user.Deny = false
			h.run("login", id, "--verbose")
			for _, kind := range emulator.FaultKinds() {
				for _, on := range []emulator.Endpoint{emulator.AtRefresh, emulator.AtRenew} {
					venue.Inject(emulator.Fault{On: on, Kind: kind, Delay: 1})
				}
				h.run("refresh", id, "--verbose")
				h.run("status", id, "--json")
				h.run("login", id)
			}
			// The hunt has a scent: the one output that is a token is found.
			if out, _ := h.output("token", id); !strings.HasPrefix(out, sentinel) {
				t.Fatal("token does not print the token")
			}
			for _, line := range []string{"list --json", "status", "status --json", "app list --json", "doctor --verbose", "doctor --json", "token " + name + "/nobody", "logout --revoke --verbose " + id, "logout " + id} {
				h.run(strings.Fields(line)...)
			}
			for _, path := range []string{"state", "events"} {
				answer, err := direct.Get(web.URL + emulator.AdminPath + path)
				if err != nil {
					t.Fatal(err)
				}
				var body bytes.Buffer
				_, _ = body.ReadFrom(answer.Body)
				answer.Body.Close()
				h.see("the admin endpoint's "+path, strings.ReplaceAll(body.String(), `"TokenPrefix":"`+sentinel+`"`, ""))
			}
			h.files()
		})
	}
}

type hunt struct {
	t       *testing.T
	home    string
	environ []string
	stdin   string
	user    emulator.Person
}

// run runs a command and looks at everything that it writes.
func (h *hunt) run(args ...string) {
	h.t.Helper()
	out, err := h.output(args...)
	h.see(strings.Join(args, " "), out+err)
}

func (h *hunt) output(args ...string) (string, string) {
	var out, err bytes.Buffer
	run(h.t.Context(), host{
		args: args, environ: h.environ, stdin: strings.NewReader(h.stdin), stdout: &out, stderr: &err,
		browse: func(address string) error { return h.user.Visit(context.Background(), address) },
	})
	return out.String(), err.String()
}

func (h *hunt) see(what, text string) {
	h.t.Helper()
	if at := strings.Index(text, sentinel); at >= 0 {
		h.t.Errorf("%s tells a secret: …%s…", what, text[max(0, at-60):min(len(text), at+40)])
	}
}

// files looks at everything on disk.
func (h *hunt) files() {
	seen := 0
	err := filepath.WalkDir(h.home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		seen++
		h.see(path, string(text))
		return err
	})
	if err != nil || seen < 2 {
		h.t.Errorf("%d files, %v", seen, err)
	}
}
