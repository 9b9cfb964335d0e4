//go:build unix

package clients_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/internal/needs"
)

// ssh_unix_test.go forwards the agent's socket by a real ssh and a real sshd, both ways.

const sshSuite = "ssh"

// host is a machine that this user signs in to by a key: an sshd on loopback, with files of its own.
type host struct {
	t                     *testing.T
	folder, address, user string
}

func newHost(t *testing.T) *host {
	t.Helper()
	daemon, err := exec.LookPath("/usr/sbin/sshd")
	for _, program := range []string{"ssh", "ssh-keygen"} {
		if _, missing := exec.LookPath(program); missing != nil {
			err = missing
		}
	}
	if err != nil {
		needs.Skip(t, sshSuite, "ssh and sshd are not installed")
	}
	if _, err := os.Stat("/run/sshd"); os.Geteuid() == 0 && errors.Is(err, fs.ErrNotExist) {
		needs.Skip(t, sshSuite, "the folder /run/sshd is missing, which sshd of root demands")
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, folder: t.TempDir(), user: me.Username}
	for _, name := range []string{"host", "mine"} {
		if said, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", h.path(name)).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, said)
		}
	}
	// The folders above belong to everybody, as /tmp does.
	h.write("config", fmt.Sprintf("HostKey %s\nAuthorizedKeysFile %s\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n", h.path("host"), h.path("mine.pub")))
	h.listen(daemon)
	public, err := os.ReadFile(h.path("host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(h.address)
	h.write("known", fmt.Sprintf("[127.0.0.1]:%s %s", port, public))
	return h
}

func (h *host) path(name string) string { return filepath.Join(h.folder, name) }

func (h *host) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(h.path(name), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// listen gives each connection an sshd of its own, as inetd does, so that the system chooses the port.
func (h *host) listen(daemon string) {
	h.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.address = listener.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			file, err := conn.(*net.TCPConn).File()
			_ = conn.Close() // file is it
			if err != nil {
				continue
			}
			one := exec.Command(daemon, "-i", "-e", "-f", h.path("config"))
			one.Stdin, one.Stdout = file, file
			if one.Start() == nil {
				serving.Go(func() { _ = one.Wait() })
			}
			_ = file.Close()
		}
	})
	h.t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
}

// forwards starts an ssh that forwards sockets, and returns when one is there.
func (h *host) forwards(socket, way, from, to string) {
	h.t.Helper()
	_, port, _ := net.SplitHostPort(h.address)
	run := exec.Command("ssh", "-N", "-F", "none", "-i", h.path("mine"), "-p", port, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes",
		"-o", "UserKnownHostsFile="+h.path("known"), "-o", "StrictHostKeyChecking=yes", way, from+":"+to, h.user+"@127.0.0.1")
	run.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.folder}
	var said strings.Builder
	run.Stdout, run.Stderr = &said, &said
	if err := run.Start(); err != nil {
		h.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	h.t.Cleanup(func() { _ = run.Process.Kill(); <-ended })
	client := &agent.Client{Socket: socket, Short: true}
	for late := time.After(30 * time.Second); client.Running(h.t.Context()) != nil; {
		select {
		case err := <-ended:
			ended <- err
			h.t.Fatalf("ssh ended: %v\n%s", err, said.String())
		case <-late:
			h.t.Fatalf("nothing is forwarded to %s", socket)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A token is read through a socket that ssh forwards from the machine of the agent, and through one that it
// forwards to another machine; and the agent may come and go meanwhile.
func TestTokensThroughSSH(t *testing.T) {
	s := newStage(t, ctrader.Knobs{})
	running := s.agent()
	defer func() { kill(running) }()
	h := newHost(t)
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"-L", "-R"} {
		folder := filepath.Join(t.TempDir(), "forwarded")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		socket := filepath.Join(folder, "agent.sock")
		h.forwards(socket, way, socket, s.socket)
		if info, err := os.Stat(socket); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v %v", way, info.Mode(), err)
		}
		client := &agent.Client{Socket: socket}
		token, err := client.Token(t.Context(), alice)
		if err != nil || !s.venue.Alive(string(token.Access)) {
			t.Errorf("%s: %v", way, err)
		}
		asks := exec.Command(path, "token", alice.String())
		asks.Env = append(s.environ, "VENUEKEY_AGENT_SOCKET="+socket, "VENUEKEY_AGENT=require")
		if said, err := asks.CombinedOutput(); err != nil || !s.venue.Alive(strings.TrimSpace(string(said))) {
			t.Errorf("%s: the command: %v %s", way, err, said)
		}
		kill(running)
		if _, err := client.Token(t.Context(), alice); err == nil || !venuekey.Temporary(err) {
			t.Errorf("%s, while the agent is away: %v", way, err)
		}
		running = s.agent()
		if token, err := client.Refresh(t.Context(), alice); err != nil || !s.venue.Alive(string(token.Access)) {
			t.Errorf("%s, when it is back: %v", way, err)
		}
		client.CloseIdleConnections()
	}
}
