package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/filelock"
	"github.com/venuekey/venuekey/internal/own"
)

// socket.go owns the agent's socket: where it lies, and that there is one agent for it.

const (
	// mostPath is the longest path that a Unix socket may have: sun_path has 108 bytes on
	// Linux and 104 on macOS and the BSDs, one of which ends it.
	mostPath = 103
	// vaultHeader names the vault that a client means.
	vaultHeader = "Venuekey-Vault"
)

// VaultName is a short name for the vault at an address, which tells it from others and says
// nothing about it.
func VaultName(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:6])
}

// SocketPath is where the agent of a vault has its socket in a folder. Each vault has another, so
// that nobody gets the tokens of one for those of another.
func SocketPath(folder, vault string) string { return filepath.Join(folder, "agent-"+vault+".sock") }

// Listen makes the agent's socket and listens on it. Its folder is made if need be, and must be
// this user's alone. A socket that an agent left behind when it was killed is replaced; while
// another agent runs, the error says which. Close removes the socket.
func Listen(path string) (net.Listener, error) {
	if len(path) > mostPath {
		return nil, tooLong(path, "name a shorter one with --socket")
	}
	folder := filepath.Dir(path)
	if err := own.MakeFolder(folder); err != nil {
		return nil, misplaced(err.Error(), "")
	}
	if err := private(folder); err != nil {
		return nil, err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	listener, err := listenOn(path)
	if err != nil {
		unlock(lock)
		return nil, err
	}
	made, err := os.Lstat(path)
	if socket, ok := listener.(*net.UnixListener); ok && err == nil {
		socket.SetUnlinkOnClose(false) // which would remove whatever lies there by then
	}
	return &owned{Listener: listener, lock: lock, path: path, made: made}, nil
}

// Handed is a listener that the system made and handed over, such as systemd with its units. Its
// path has one agent too: while another runs, the error says which, and the listener is closed.
// Close leaves the socket, which is the system's.
func Handed(l net.Listener) (net.Listener, error) {
	path := l.Addr().String()
	if l.Addr().Network() != "unix" || !filepath.IsAbs(path) {
		return l, nil // no other agent could replace it
	}
	lock, err := lockFile(path + ".lock")
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS): // nor where this user can make no file
		return l, nil
	case err != nil:
		_ = l.Close()
		return nil, err
	}
	return &owned{Listener: l, lock: lock}, nil
}

func misplaced(reason, remedy string) *venuekey.Error {
	return &venuekey.Error{Op: "agent", Class: venuekey.ClassMisconfigured, Reason: reason, Remedy: remedy}
}

// tooLong is the error of a path that no socket can have. The system's would be "invalid argument".
func tooLong(path, remedy string) *venuekey.Error {
	return misplaced(fmt.Sprintf("the path of the socket has %d bytes, and a socket's may have %d: %s", len(path), mostPath, path), remedy)
}

// private checks the folder of a socket: it is no link, this user's, and nobody else's.
func private(folder string) error {
	info, err := os.Lstat(folder)
	switch {
	case err != nil:
		return misplaced(err.Error(), "")
	case info.Mode()&fs.ModeSymlink != 0:
		return misplaced(folder+" is a link, and whoever made it says where the socket lies", "name another path with --socket")
	case !info.IsDir():
		return misplaced(folder+" is no folder", "name another path with --socket")
	}
	if err := own.Folder(folder); err != nil {
		return misplaced(err.Error(), "")
	}
	if hasModes && info.Mode().Perm()&0o077 != 0 {
		return misplaced(fmt.Sprintf("the folder of the socket, %s, is open to others (mode %04o)", folder, info.Mode().Perm()), "chmod 700 "+folder)
	}
	return nil
}

// listenOn listens on a path that no agent uses. What lies there is removed if it is a socket.
func listenOn(path string) (net.Listener, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, misplaced(err.Error(), "")
	case info.Mode()&fs.ModeSocket == 0 && hasModes:
		return nil, misplaced(path+" is there already, and is no socket", "move it away, or name another path with --socket")
	case isHeard(path):
		return nil, misplaced("something that is no agent listens at "+path+" already, such as systemd for its unit",
			"let it start the agent, or end it first: systemctl --user stop venuekey-agent.socket")
	default:
		if err := os.Remove(path); err != nil {
			return nil, misplaced(err.Error(), "")
		}
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, misplaced(err.Error(), "")
	}
	if err := os.Chmod(path, 0o600); err != nil && hasModes {
		_ = listener.Close()
		return nil, misplaced(err.Error(), "")
	}
	return listener, nil
}

// isHeard reports whether somebody listens at a socket. EAGAIN says that too many wait for them (connect(2)).
func isHeard(path string) bool {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return errors.Is(err, syscall.EAGAIN) || errors.Is(err, os.ErrDeadlineExceeded)
	}
	_ = conn.Close()
	return true
}

// owned is the listener of the one agent of a path.
type owned struct {
	net.Listener
	lock *os.File
	path string
	made fs.FileInfo // the socket that Listen made; nil if the system did
	once sync.Once
}

// Close removes the socket and lets another agent have the path. A socket that somebody else has
// put there since, with the lock out of the way, is theirs.
func (o *owned) Close() (err error) {
	o.once.Do(func() {
		if now, missing := os.Lstat(o.path); o.made != nil && missing == nil && os.SameFile(o.made, now) {
			_ = os.Remove(o.path) // before others can take it
		}
		err = o.Listener.Close()
		unlock(o.lock)
	})
	return err
}

// lockFile takes the lock of a path, and writes into it who has it.
func lockFile(path string) (*os.File, error) {
	file, err := own.Open(path, os.O_RDWR|os.O_CREATE, 0o022)
	if err != nil {
		return nil, &venuekey.Error{Op: "agent", Class: venuekey.ClassMisconfigured, Err: err}
	}
	if free, err := filelock.Try(file); err != nil || !free {
		text := make([]byte, 32)
		n, _ := file.ReadAt(text, 0)
		_ = file.Close()
		who := "another agent"
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n]))); err == nil {
			who = fmt.Sprintf("another agent (process %d)", pid)
		}
		return nil, &venuekey.Error{Op: "agent", Class: venuekey.ClassMisconfigured, Reason: who + " serves this vault at " + strings.TrimSuffix(path, ".lock"),
			Remedy: "use it, or end it first"}
	}
	_ = file.Truncate(0)
	_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return file, nil
}

func unlock(file *os.File) { _ = file.Close() }
