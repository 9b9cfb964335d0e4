package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/venuekey/venuekey/internal/address"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// address_attack_test.go owns addresses with a password in them.

// passwordAddresses are the ways to write one, to a server that is not there.
var passwordAddresses = []string{
	"postgres://me:hunter2@127.0.0.1:1/x",
	"postgres://me@127.0.0.1:1/x?password=hunter2",
	"postgres://me@127.0.0.1:1/x?pass%77ord=hunter2",
	"postgres://127.0.0.1:1,127.0.0.1:2/x?sslpassword=hunter2",
	"postgres://me:hunter2@127.0.0.1:1,127.0.0.1:2/x",
	"host=127.0.0.1 port=1 user=me password=hunter2 dbname=x",
	"password=hunter2 host=127.0.0.1 port=1",
	"password = 'hunter2' host=127.0.0.1 port=1",
	"host='127.0.0.1' port=1 sslpassword=hunter2",
	"  host=127.0.0.1\tport=1\npassword=hunter2",
	"dbname='postgres://me:hunter2@127.0.0.1:1/x'",
	"host=127.0.0.1 port=1 password='hunter2", // which cannot be read
	"POSTGRES://me:hunter2@127.0.0.1:1/x",
	"jdbc:postgresql://127.0.0.1:1/x?user=me&password=hunter2",
	"mysql://me:hunter2@127.0.0.1:1/x",
	"Host=127.0.0.1;Port=1;Password=hunter2",
	"postgres:/me:hunter2@127.0.0.1:1/x",
	"Postgresql:me:hunter2@127.0.0.1:1",
	"me:hunter2@127.0.0.1/x",
	"host2=127.0.0.1 password=hunter2",
	"\ufeffhost=127.0.0.1 password=hunter2",
}

// A password in an address is refused among the arguments, in whatever form it is
// written, shown nowhere, and never the name of a file.
func TestAttackAPasswordInAnAddress(t *testing.T) {
	t.Chdir(t.TempDir())
	try := func(what string, argument bool, o outside) {
		t.Helper()
		code := run(t.Context(), o.host)
		said := fmt.Sprint(o.out, o.err)
		if strings.Contains(said, "hunter2") {
			t.Errorf("%s: the password is shown: %s", what, said)
		}
		if code == exitGood || argument && code != exitUsage {
			t.Errorf("%s: it ends with %d: %s", what, code, said)
		}
		err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
			if strings.Contains(path, "hunter2") {
				t.Errorf("%s: there is a file %q", what, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, address := range passwordAddresses {
		for _, args := range [][]string{{"list", "--store", address}, {"store", "copy", address}, {"-v", "store", "migrate", "--store=" + address}} {
			try(strings.Join(args, " "), true, newOutside(t, args...))
		}
		for _, args := range [][]string{{"list"}, {"status", "--json"}, {"doctor"}, {"doctor", "--json"}, {"-v", "store", "check"}, {"init"}} {
			o := newOutside(t, args...)
			o.environ = append(o.environ, "VENUEKEY_STORE="+address)
			try("VENUEKEY_STORE="+address+" "+strings.Join(args, " "), false, o)
		}
	}
}

// The form of keywords and values is understood wherever an address is taken, and
// a file of such a name can still be meant.
func TestAnAddressOfKeywords(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("pw", []byte("127.0.0.1:*:*:*:hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("services", []byte("[trading]\nhost=127.0.0.1\nport=1\npassword=hunter2\ndbname=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"host=127.0.0.1 port=1 dbname=x passfile=pw", "service=trading servicefile=services", "postgres:///?service=trading&servicefile=services",
		"postgres://me@127.0.0.1:1,127.0.0.1:1/x"} {
		o := newOutside(t, "list", "--store", address)
		if code := run(t.Context(), o.host); code != exitTemporary || !strings.Contains(o.err.String(), "database x on 127.0.0.1:1 cannot be reached") && !strings.Contains(o.err.String(), "cannot be reached") {
			t.Errorf("%s: %d: %s", address, code, o.err)
		}
		if strings.Contains(fmt.Sprint(o.out, o.err), "hunter2") {
			t.Errorf("%s: the password is shown: %s", address, o.err)
		}
	}
	for text, shown := range map[string]string{
		"host=/run/pg dbname='my db' user=me password=hunter2 sslmode=disable": "host=/run/pg user=me dbname='my db'",
		"service=trading":                      "service=trading",
		"password=hunter2":                     "the database of VENUEKEY_STORE",
		"host='x":                              "the database of VENUEKEY_STORE",
		"postgres://me:hunter2@h:1/x?a=b":      "postgres://me@h:1/x",
		"postgres://me:hunter2@h:1,i:2/x?a=b":  "postgres://me@h:1,i:2/x",
		"dbname=postgres://me:hunter2@h:1/x":   "the database of VENUEKEY_STORE",
		filepath.Join(t.TempDir(), "vault.db"): "vault.db",
	} {
		if got := address.Shown(text); got != shown && !strings.HasSuffix(got, "/vault.db") {
			t.Errorf("%q is shown as %q, want %q", text, got, shown)
		}
	}
	o := newOutside(t, "init", "--store", "./host=x.db")
	if code := run(t.Context(), o.host); code != exitGood || !exists("host=x.db") {
		t.Errorf("a file that looks like an address: %d: %s", code, o.err)
	}
}

// What the driver takes for a password is found, and not shown, however the address
// is written.
func FuzzHasPassword(f *testing.F) {
	for _, text := range passwordAddresses {
		f.Add(text)
	}
	f.Add("host=a\\ b password=x\\'y sslpassword='z'")
	f.Add("postgres://h/d?user=a&password=x")
	f.Add("postgres://u:p%40x@/d")
	f.Setenv("PGPASSWORD", "")
	f.Setenv("PGPASSFILE", "/nonexistent")
	f.Fuzz(func(t *testing.T, text string) {
		if !address.IsDatabase(text) || strings.Contains(text, "serv") || strings.Contains(text, "passfile") {
			return
		}
		config, err := pgconn.ParseConfig(text)
		if err != nil || config.Password == "" {
			return
		}
		if !address.HasPassword(text) {
			t.Errorf("%q has the password %q", text, config.Password)
		}
		// A short one may be part of another word.
		if shown := address.Shown(text); len(config.Password) > 6 && strings.Contains(shown, config.Password) && !strings.Contains(config.Host+config.User+config.Database, config.Password) {
			t.Errorf("%q is shown as %q", text, shown)
		}
	})
}

// An app's address is sent, shown and kept in plain: no password belongs into one.
func TestAttackAPasswordInAnAddressOfAnApp(t *testing.T) {
	for _, name := range append(environ.URLNames(local.Venues()), "redirect") {
		for _, address := range []string{"https://u:hunter2@127.0.0.1/x", "https://hunter2@127.0.0.1/x", "https://127.0.0.1/x?password=hunter2", "https://127.0.0.1/x?a=b&Client_Secret=hunter2", "https://127.0.0.1/x#hunter2"} {
			args := []string{"app", "add", "ttp", "--client-id", "abc", "--secret-stdin", "--url", name + "=" + address}
			switch name {
			case "base":
				args = append(args[:6], "--base-url", address)
			case "redirect":
				args = append(args[:6], "--redirect-uri", address)
			}
			o := newOutside(t, args...)
			o.stdin = strings.NewReader("secret\n")
			code := run(t.Context(), o.host)
			if said := fmt.Sprint(o.out, o.err); code == exitGood || strings.Contains(said, "hunter2") {
				t.Errorf("%s: %d: %s", args, code, said)
			}
			for _, looks := range [][]string{{"app", "list", "--json"}, {"app", "list"}, {"doctor"}, {"login", "ttp/alice", "--paste"}} {
				o := newOutside(t, looks...)
				o.environ = append(o.environ, "VENUEKEY_TTP_CLIENT_ID=abc", "VENUEKEY_TTP_CLIENT_SECRET=secret", environ.Variable("ttp", strings.Replace(name+"_URL", "redirect_URL", "REDIRECT_URI", 1))+"="+address)
				_ = run(t.Context(), o.host)
				if said := fmt.Sprint(o.out, o.err); strings.Contains(said, "hunter2") {
					t.Errorf("%s with %s: %s", looks, address, said)
				}
			}
		}
	}
}
