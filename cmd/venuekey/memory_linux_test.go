package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/venuekey/venuekey/internal/needs"
)

// memory_linux_test.go owns what others get of a running command's memory.

// handOn lets children of this process have a file, as a shell's own do.
func handOn(t *testing.T, file *os.File) {
	t.Helper()
	if _, err := unix.FcntlInt(file.Fd(), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
}

// forEverybody is the command where another user can run it, and a home of that
// user's.
func forEverybody(t *testing.T) (path, home string) {
	t.Helper()
	itself, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	street := needs.Street(t)
	path, home = filepath.Join(street, "venuekey"), filepath.Join(street, "home")
	if err := errors.Join(copyProgram(itself, path), os.Mkdir(home, 0o700), os.Chown(home, needs.StrangerID, needs.StrangerID)); err != nil {
		t.Fatal(err)
	}
	return path, home
}

func copyProgram(from, to string) error {
	if os.Link(from, to) == nil {
		return os.Chmod(to, 0o755)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// waitingAtAPipe starts the command as another user, with a secret in its environment,
// where it waits for what never comes.
func waitingAtAPipe(t *testing.T, environ ...string) *exec.Cmd {
	t.Helper()
	path, home := forEverybody(t)
	pipe := filepath.Join(home, "pipe")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Chown(pipe, needs.StrangerID, needs.StrangerID)); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("/bin/sh", "-c", `ulimit -c unlimited; exec "$@"`, "sh", path, "backup", "import", pipe)
	c.Dir, c.SysProcAttr = home, needs.Stranger(t, suite)
	c.Env = append([]string{"HOME=" + home, "VENUEKEY_HOME=" + home, "VENUEKEY_BACKUP_PASSPHRASE=sentinel-passphrase"}, environ...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _, _ = c.Process.Wait() })
	writer := awaitReader(t, pipe)
	t.Cleanup(func() { _ = writer.Close() })
	return c
}

func TestAttackTheMemoryOfACommand(t *testing.T) {
	needs.Stranger(t, suite)
	c := waitingAtAPipe(t)
	for _, file := range []string{"environ", "mem", "maps"} {
		// Another program of the same user.
		thief := exec.Command("/bin/sh", "-c", "head -c 1 /proc/"+strconv.Itoa(c.Process.Pid)+"/"+file)
		thief.SysProcAttr = needs.Stranger(t, suite)
		said, err := thief.CombinedOutput()
		if err == nil || !strings.Contains(string(said), "ermission denied") {
			t.Errorf("%s can be read: %q %v", file, said, err)
		}
	}
}

func TestAttackACoreOfACommand(t *testing.T) {
	needs.Stranger(t, suite)
	c := waitingAtAPipe(t, "GOTRACEBACK=crash")
	if limits, err := os.ReadFile("/proc/" + strconv.Itoa(c.Process.Pid) + "/limits"); err != nil || !strings.Contains(string(limits), "Max core file size        unlimited ") {
		needs.Skip(t, suite, "the limit of a core cannot be raised here")
	}
	_ = c.Process.Signal(syscall.SIGQUIT)
	_ = c.Wait()
	status, ok := c.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		t.Fatalf("it did not crash: %v", c.ProcessState)
	}
	if status.CoreDump() {
		t.Error("the system wrote a core")
	}
	if cores, _ := filepath.Glob(filepath.Join(c.Dir, "core*")); len(cores) > 0 {
		t.Errorf("%q", cores)
	}
}
