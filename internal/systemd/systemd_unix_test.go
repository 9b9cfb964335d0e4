//go:build unix

package systemd

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// manager is what systemd listens with.
func manager(t *testing.T) (*net.UnixConn, func(string) string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, func(name string) string {
		return map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": strconv.Itoa(os.Getpid())}[name]
	}
}

func heard(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	text := make([]byte, 100)
	n, err := conn.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:n])
}

func TestMessages(t *testing.T) {
	conn, environ := manager(t)
	if err := Notify(environ, "READY=1"); err != nil || heard(t, conn) != "READY=1" {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan bool)
	go func() { Watch(ctx, environ, func() bool { return true }); close(done) }()
	for range 2 {
		if text := heard(t, conn); text != "WATCHDOG=1" {
			t.Error(text)
		}
	}
	stop()
	<-done
	nobody := func(string) string { return "" }
	if err := Notify(nobody, "READY=1"); err != nil {
		t.Error(err)
	}
	Watch(t.Context(), nobody, func() bool { return true })
	if err := Notify(func(string) string { return "relative" }, "READY=1"); err == nil {
		t.Error("a relative name is taken")
	}
}

// A socket that is handed over is used; one for another process is not.
func TestSocketsThatAreHandedOver(t *testing.T) {
	if os.Getenv("VENUEKEY_TEST_CHILD") != "" {
		os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
		list, err := Listeners(os.Getenv)
		if err != nil || len(list) != 1 {
			os.Exit(3)
		}
		conn, err := list[0].Accept()
		if err != nil {
			os.Exit(4)
		}
		_, _ = conn.Write([]byte("here"))
		os.Exit(0)
	}
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	file, err := listener.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	child := exec.Command(os.Args[0], "-test.run=^TestSocketsThatAreHandedOver$")
	child.Env = append(os.Environ(), "VENUEKEY_TEST_CHILD=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=agent")
	child.ExtraFiles = []*os.File{file}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := make([]byte, 10)
	n, _ := conn.Read(text)
	if err := child.Wait(); err != nil || string(text[:n]) != "here" {
		t.Error(err, string(text[:n]))
	}
	for name, environ := range map[string]map[string]string{"another process": {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, "none": {}} {
		if list, err := Listeners(func(name string) string { return environ[name] }); err != nil || len(list) != 0 {
			t.Errorf("%s: %v %v", name, list, err)
		}
	}
	if _, err := Listeners(func(name string) string {
		return map[string]string{"LISTEN_PID": strconv.Itoa(os.Getpid()), "LISTEN_FDS": "many"}[name]
	}); err == nil || !strings.Contains(err.Error(), "LISTEN_FDS") {
		t.Error(err)
	}
}
