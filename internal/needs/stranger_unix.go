//go:build unix

package needs

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// stranger_unix.go owns the second user of the machine, who plays the attacks.

// StrangerID is the number of a user and of a group that own nothing.
const StrangerID = 65534

// Stranger returns the attributes to start a process as another user. It skips the test
// unless it runs as root.
func Stranger(t testing.TB, suite string) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, suite, "a second user needs root")
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: StrangerID, Gid: StrangerID}}
}

// StrangerDoes runs a line of shell as the other user, in a folder.
func StrangerDoes(t testing.TB, suite, folder, line string) {
	t.Helper()
	command := exec.Command("/bin/sh", "-ec", line)
	command.Dir, command.SysProcAttr = folder, Stranger(t, suite)
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("the other user cannot play their part: %v %s", err, text)
	}
}

// StrangerRuns returns this test's program as the other user would start it, with an environment
// that says what to do.
func StrangerRuns(t testing.TB, suite string, environ ...string) *exec.Cmd {
	t.Helper()
	as := Stranger(t, suite)
	itself, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(itself)
	path := filepath.Join(Street(t), "program")
	if err == nil {
		err = os.WriteFile(path, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, "-test.run=^$")
	command.Env = append([]string{"GORACE=atexit_sleep_ms=0"}, environ...)
	command.Dir, command.SysProcAttr = "/", as
	return command
}

// Street returns a folder like /tmp: every user can create files in it, and nobody can
// move another user's.
func Street(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "street-")
	if err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(folder) })
		err = os.Chmod(folder, 0o777|os.ModeSticky)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}
