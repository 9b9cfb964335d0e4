//go:build unix

package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator/ttp"
	"github.com/venuekey/venuekey/internal/environ"
)

// children_unix_test.go owns what real children find in their environment.

// secretsGiven are all the ways in which this command is given a secret.
func secretsGiven(w *world) {
	w.set("VENUEKEY_PASSPHRASE", "S3CRET-passphrase")
	w.set("VENUEKEY_BACKUP_PASSPHRASE", "S3CRET-backup")
	w.set("VENUEKEY_BACKUP_PASSPHRASE_FILE", w.dir+"/S3CRET-backup-file")
	w.set(environ.Variable("ctrader", "CLIENT_SECRET"), "S3CRET-client")
	w.set(environ.Variable("ttp", "CLIENT_SECRET"), "demo-secret")
	w.set(environ.Variable("ttp", "CLIENT_ID"), "demo-client")
	w.set(environ.Variable("tradovate", "SEC"), "S3CRET-sec")
	w.set(environ.Variable("tradovate", "PASSWORD"), "S3CRET-password")
	w.set("VENUEKEY_ACCESS_TOKEN", "S3CRET-token-of-another")
	w.set("MINE", "mine")
}

func TestAttackTheEnvironmentOfChildren(t *testing.T) {
	secrets := []string{"S3CRET", "demo-secret"}
	for name, store := range map[string]struct{ address, shown string }{
		"address":  {"postgres://me:S3CRET-store@db.example.com:5432/trading?sslmode=verify-full&sslpassword=S3CRET-too", "postgres://me@db.example.com:5432/trading?sslmode=verify-full"},
		"keywords": {`host=db.example.com user=o\'me password='S3CRET store' sslpassword=S3CRET`, `host='db.example.com' user='o\'me'`},
		"within":   {"dbname=postgres://me:S3CRET@db.example.com/trading password=S3CRET", ""},
		"unended":  {"host=db.example.com password='S3CRET", ""},
		"odd":      {"postgres://me:S3CRET%zz@db.example.com/trading", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := &program{host: host{environ: []string{
				"HOME=/home/me", "MINE=mine", "VENUEKEY_STORE=" + store.address, "PGPASSWORD=S3CRET-pg", "PGSSLPASSWORD=S3CRET-ssl", "PGPASSFILE=/home/me/pgpass", "VENUEKEY_HOME=/x",
				"VENUEKEY_PASSPHRASE=S3CRET", "VENUEKEY_PASSPHRASE_FILE=/S3CRET", "VENUEKEY_TTP_CLIENT_SECRET=S3CRET", "VENUEKEY_TTP_CLIENT_ID=id", "VENUEKEY_TTP_PASSWORD_FILE=/S3CRET",
			}}}
			token := &venuekey.Token{Access: "the-token"}
			program, err := p.childEnviron(venuekey.ID{Venue: "ttp", Name: "alice"}, token, execFlags{as: "BOT"})
			if err != nil {
				t.Fatal(err)
			}
			hook := p.hookEnviron(p.hookEnv(venuekey.Event{}))
			browser := browserEnviron(p.environ)
			for what, environ := range map[string][]string{"program": program, "hook": hook, "browser": browser} {
				printed := printedBy(t, environ)
				for _, secret := range secrets {
					if strings.Contains(printed, secret) {
						t.Errorf("%s finds a secret:\n%s", what, printed)
					}
				}
				if !strings.Contains(printed, "MINE=mine\n") || !strings.Contains(printed, "HOME=/home/me\n") {
					t.Errorf("%s misses what is not ours:\n%s", what, printed)
				}
				if what == "browser" && (strings.Contains(printed, "VENUEKEY_") || strings.Contains(printed, "PGPASS")) {
					t.Errorf("%s finds what is ours:\n%s", what, printed)
				}
				if what != "browser" && (strings.Contains(printed, "VENUEKEY_STORE=") != (store.shown != "") || !strings.Contains(printed, store.shown) || !strings.Contains(printed, "VENUEKEY_HOME=/x\n") || !strings.Contains(printed, "VENUEKEY_TTP_CLIENT_ID=id\n") || !strings.Contains(printed, "PGPASSFILE=")) {
					t.Errorf("%s misses what is no secret:\n%s", what, printed)
				}
			}
		})
	}
	// Where the vault is a file, a database is the program's own affair.
	p := &program{host: host{environ: []string{"PGPASSWORD=theirs", "VENUEKEY_STORE=/home/me/vault.db"}}}
	if environ := p.programEnviron(nil); !slices.Equal(environ, p.environ) {
		t.Errorf("%q", environ)
	}
}

// printedBy is what a real child says that it finds.
func printedBy(t *testing.T, environ []string) string {
	t.Helper()
	c := exec.Command("/usr/bin/env")
	c.Env = environ
	said, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// The programs that the command itself starts: a browser, a hook, and the one that
// takes its place. None has a file open that was handed to the command.
func TestAttackWhatChildrenInherit(t *testing.T) {
	w := newWorld(t)
	secretsGiven(w)
	tell := "#!/bin/sh\nenv >" + w.dir + "/%s.said\nls -l /proc/self/fd 2>/dev/null | grep -c S3CRET-file >>" + w.dir + "/%[1]s.said\n%s\ntrue\n"
	person, err := exec.LookPath("xdg-open")
	if err != nil {
		t.Fatal(err)
	}
	w.file(t, "bin/xdg-open", fmt.Sprintf(tell, "browser", "exec "+person+` "$@"`))
	w.file(t, "hook", fmt.Sprintf(tell, "hook", ""))
	w.file(t, "program", fmt.Sprintf(tell, "program", ""))
	w.file(t, "S3CRET-file", "correct horse battery\n")
	site := httptest.NewServer(&ttp.Server{Knobs: ttp.Knobs{AnyLoopbackRedirect: true}})
	defer site.Close()
	w.set(environ.Variable("ttp", "BASE_URL"), site.URL)
	script := fmt.Sprintf(`exec 5<%[1]s/S3CRET-file
export VENUEKEY_PASSPHRASE= VENUEKEY_PASSPHRASE_FILE=/dev/fd/5 VENUEKEY_KEY=passphrase
venuekey login ttp/alice </dev/null
exec 5<%[1]s/S3CRET-file
venuekey exec ttp/alice -- %[1]s/program
`, w.dir)
	c := exec.Command("/bin/sh", "-ec", script)
	c.Dir, c.Env = w.dir, w.env
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, child := range []string{"browser", "program"} {
		text, err := os.ReadFile(filepath.Join(w.dir, child+".said"))
		if err != nil {
			t.Fatal(err)
		}
		if said := string(text); strings.Contains(said, "S3CRET-") || strings.Contains(said, "demo-secret") || !strings.HasSuffix(said, "\n0\n") || !strings.Contains(said, "MINE=mine\n") {
			t.Errorf("%s:\n%s", child, said)
		}
	}
	h := newHooked(t, "env >said; ls -l /proc/self/fd | grep -c S3CRET-file >>said\ntrue\n")
	h.p.environ = append(slices.Clone(w.env), "PATH="+os.Getenv("PATH"))
	file, err := os.Open(filepath.Join(w.dir, "S3CRET-file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	handOn(t, file)
	_ = h.call(hookCall{event: venuekey.Event{Status: venuekey.Status{ID: venuekey.ID{Venue: "ttp", Name: "alice"}}}})
	h.close()
	if said := h.wrote(t, "said"); strings.Contains(said, "S3CRET-") || strings.Contains(said, "demo-secret") || !strings.HasSuffix(said, "\n0\n") || !strings.Contains(said, "MINE=mine\n") {
		t.Errorf("hook:\n%s", said)
	}
}
