package pgtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/internal/needs"
)

// pooler.go owns a PgBouncer in front of the server.

// Pooler starts a PgBouncer in the given mode, "session" or "transaction", and returns
// the address of the database through it. It ends with the test.
func (s *Server) Pooler(t testing.TB, address, mode string) string {
	t.Helper()
	s.need(t)
	program := bouncer()
	if program == "" {
		needs.Skip(t, "postgres", "PgBouncer is not installed")
	}
	port := 6432 + s.count.Add(1) // of a socket's name: nothing else is there
	file := filepath.Join(s.dir, fmt.Sprintf("pooler%d", port))
	settings := fmt.Sprintf(`[databases]
* = host=%s user=postgres
[pgbouncer]
pool_mode = %s
listen_addr =
listen_port = %d
unix_socket_dir = %[1]s
auth_type = any
default_pool_size = 40
max_client_conn = 300
ignore_startup_parameters =
logfile = %[4]s.log
pidfile = %[4]s.pid
`, s.dir, mode, port, file)
	if err := os.WriteFile(file+".ini", []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-q", file+".ini")
	cmd.Dir = s.dir
	detach(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // the error says that it was killed
		_ = os.Remove(file + ".pid")
	})
	s.await(t, filepath.Join(s.dir, fmt.Sprintf(".s.PGSQL.%d", port)), file+".log")
	return strings.Replace(address, "host="+s.dir, fmt.Sprintf("host=%s port=%d", s.dir, port), 1)
}

// await returns when something listens on the socket.
func (s *Server) await(t testing.TB, socket, log string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log)
			t.Fatalf("%v\n%s", err, said)
		}
		time.Sleep(time.Millisecond)
	}
}

// bouncer returns where PgBouncer is installed; Debian puts it where only root's shell
// looks.
func bouncer() string {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
