// Package pgtest is for tests that need PostgreSQL. It starts a private server of the
// newest installed version, on a Unix socket in a folder of its own, and removes it
// afterwards, even if the tests are killed.
//
// A package whose tests share one server keeps it in a variable and stops it in TestMain;
// a single test calls Start. If PostgreSQL is not installed the tests skip, through
// package needs.
package pgtest

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/venuekey/venuekey/internal/needs"
)

// pgtest.go owns the server: its folder, its start, its databases, its end.

// oldest is the oldest major version that venuekey supports.
const oldest = 14

// Server is a private PostgreSQL server. Its zero value is ready to use: the first call
// that needs the server starts it.
type Server struct {
	// Flushes says that the server flushes to disk, as in production. It makes the server
	// slow, and matters only for machines that lose power; committed data survives a
	// killed server either way. Set it before the first call.
	Flushes bool
	// Network, such as "10.77.0.0/24", makes the server listen on TCP as well, on every
	// address, and trust clients from that network. It is for networks that a test has
	// created for itself.
	Network string

	start  sync.Once
	err    error
	bin    string // the folder of the server's programs
	dir    string // holds the data, the log and the socket
	count  atomic.Int64
	reaper *exec.Cmd
	alive  io.Closer // the reaper's standard input
}

// errMissing means that no PostgreSQL is installed.
var errMissing = fmt.Errorf("PostgreSQL %d or later is not installed", oldest)

// Start returns a server that is stopped when the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	server := &Server{}
	t.Cleanup(server.Stop)
	server.need(t)
	return server
}

// Database creates an empty database, which is dropped when the test ends, and returns
// its address: keywords and values, to which more may be appended. The user is a
// superuser without a password; other roles need theirs.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	return s.DatabaseAs(t, "")
}

// URL converts an address from Database into the URL form.
func URL(address string) string {
	name, query := "", url.Values{}
	for word := range strings.FieldsSeq(address) {
		key, value, _ := strings.Cut(word, "=")
		if key == "dbname" {
			name = value
			continue
		}
		query.Set(key, value)
	}
	return "postgres:///" + name + "?" + query.Encode()
}

// DatabaseAs is Database with further options of CREATE DATABASE, such as "ENCODING
// LATIN1 TEMPLATE template0".
func (s *Server) DatabaseAs(t testing.TB, options string) string {
	t.Helper()
	s.need(t)
	name := fmt.Sprintf("test%d", s.count.Add(1))
	s.sql(t, "postgres", "CREATE DATABASE "+name+" "+options)
	t.Cleanup(func() { s.sql(t, "postgres", "DROP DATABASE "+name+" WITH (FORCE)") })
	return fmt.Sprintf("host=%s user=postgres dbname=%s", s.dir, name)
}

// SQL runs statements in the database at the address, as its superuser, and
// returns what they print.
func (s *Server) SQL(t testing.TB, address, statements string) string {
	t.Helper()
	s.need(t)
	for word := range strings.FieldsSeq(address) {
		if name, ok := strings.CutPrefix(word, "dbname="); ok {
			return s.sql(t, name, statements)
		}
	}
	t.Fatalf("address %q names no database", address)
	return ""
}

// Restart stops the server in the given mode, "fast" or "immediate" (a crash), and starts
// it again. It returns when the server answers.
func (s *Server) Restart(t testing.TB, mode string) {
	t.Helper()
	s.need(t)
	if err := s.control("restart", "-m", mode); err != nil {
		t.Fatal(err)
	}
}

// Halt stops the server in the given mode until Resume.
func (s *Server) Halt(t testing.TB, mode string) {
	t.Helper()
	s.need(t)
	if err := s.control("stop", "-m", mode); err != nil {
		t.Fatal(err)
	}
}

// Resume starts a server that Halt stopped.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	s.need(t)
	if err := s.control("start"); err != nil {
		t.Fatal(err)
	}
}

// Demote restarts the server as a read-only standby, as after a failover; Promote makes
// it the primary again.
func (s *Server) Demote(t testing.TB) {
	t.Helper()
	s.need(t)
	file := filepath.Join(s.data(), "standby.signal")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Restart(t, "fast")
}

// Promote undoes Demote, without a restart.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	s.need(t)
	if err := s.control("promote"); err != nil {
		t.Fatal(err)
	}
}

// Stop stops the server and removes its folder. A server that was never started needs no
// Stop, and a stopped one cannot be used again.
func (s *Server) Stop() {
	s.start.Do(func() { s.err = errors.New("server is stopped") })
	if s.alive == nil {
		return
	}
	_ = s.alive.Close()
	_ = s.reaper.Wait() // errors are on standard error
	s.alive, s.err = nil, errors.New("server is stopped")
}

// need starts the server, or skips the test if none is installed.
func (s *Server) need(t testing.TB) {
	t.Helper()
	s.start.Do(func() { s.err = s.launch() })
	switch {
	case errors.Is(s.err, errMissing):
		needs.Skip(t, "postgres", s.err.Error())
	case s.err != nil:
		t.Fatal(s.err)
	}
}

func (s *Server) launch() error {
	if s.bin = programs(); s.bin == "" {
		return errMissing
	}
	// A socket's path may have 107 bytes, so this is not in the test's folder.
	dir, err := os.MkdirTemp(shortTemp(), "vkpg")
	if err != nil {
		return err
	}
	s.dir = dir
	if err := giveAway(dir); err != nil {
		return err
	}
	if err := s.reap(); err != nil {
		return err
	}
	if _, err := s.run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"postgresql.conf": "fsync = " + onOff(s.Flushes) + "\nlisten_addresses = '" + s.listens() + "'\nunix_socket_directories = '" + dir + "'\nmax_connections = 300\n",
		"pg_hba.conf":     "local all postgres trust\nlocal all all scram-sha-256\n" + s.trusts(),
	} {
		file, err := os.OpenFile(filepath.Join(s.data(), name), os.O_APPEND|os.O_WRONLY, 0)
		if name == "pg_hba.conf" && err == nil {
			err = file.Truncate(0)
		}
		if err == nil {
			_, err = file.WriteString(content)
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			return err
		}
	}
	return s.control("start")
}

func (s *Server) listens() string {
	if s.Network == "" {
		return ""
	}
	return "*"
}

func (s *Server) trusts() string {
	if s.Network == "" {
		return ""
	}
	return "host all postgres " + s.Network + " trust\n"
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// reap starts a program that waits until this one closes a pipe, or dies, and then stops
// the server and removes its folder.
func (s *Server) reap() error {
	s.reaper = exec.Command("/bin/sh", "-c", `cat >/dev/null
		for pid in "$2"/*.pid; do [ -f "$pid" ] && kill -9 "$(cat "$pid")" 2>/dev/null; done
		[ -f "$2/data/postmaster.pid" ] && "$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null
		rm -rf "$2"`, "reaper", s.bin, s.dir)
	s.reaper.Dir = s.dir
	s.reaper.Stderr = os.Stderr
	detach(s.reaper)
	stdin, err := s.reaper.StdinPipe()
	if err != nil {
		return err
	}
	if err := s.reaper.Start(); err != nil {
		return err
	}
	s.alive = stdin
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) control(verb string, options ...string) error {
	_, err := s.run("pg_ctl", append([]string{verb, "-w", "-D", s.data(), "-l", filepath.Join(s.dir, "log")}, options...)...)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		err = fmt.Errorf("%w\n%s", err, log)
	}
	return err
}

func (s *Server) sql(t testing.TB, database, statements string) string {
	t.Helper()
	output, err := s.run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", s.dir, "-U", "postgres", "-d", database, "-c", statements)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(output)
}

// run runs one of the server's programs as a user that may run it.
func (s *Server) run(program string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	detach(cmd)
	// Not a pipe: the server inherits it and would keep it open.
	output, err := os.CreateTemp(s.dir, "output")
	if err != nil {
		return "", err
	}
	defer func() { _ = errors.Join(output.Close(), os.Remove(output.Name())) }()
	cmd.Stdout, cmd.Stderr = output, output
	failed := cmd.Run()
	text, err := os.ReadFile(output.Name())
	if failed != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), failed, text)
	}
	return string(text), err
}

// programs returns the folder of the newest installed server: where Debian puts each
// version, or where the shell finds it.
func programs() string {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	newest := func(a, b string) int { return major(b) - major(a) }
	slices.SortFunc(folders, newest)
	for _, path := range folders {
		if major(path) >= oldest {
			return filepath.Dir(path)
		}
	}
	path, err := exec.LookPath("initdb")
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return ""
	}
	said, err := exec.Command(path, "--version").Output() // initdb (PostgreSQL) 15.3
	words := strings.Fields(string(said))
	if err != nil || len(words) < 3 {
		return ""
	}
	number, _, _ := strings.Cut(words[2], ".")
	if n, err := strconv.Atoi(number); err != nil || n < oldest {
		return ""
	}
	return filepath.Dir(path)
}

// major parses the version in /usr/lib/postgresql/15/bin/initdb.
func major(path string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	if err != nil {
		return 0
	}
	return n
}

func shortTemp() string {
	if dir := os.TempDir(); len(dir) < 40 {
		return dir
	}
	return "/tmp"
}
