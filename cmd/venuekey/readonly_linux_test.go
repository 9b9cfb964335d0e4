package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/venuekey/venuekey/internal/needs"
)

// readonly_linux_test.go owns what commands do on a disk that turned read-only, as
// Linux does to one with errors.

// A good token is served; what would have to write says that it is the disk, and
// that it may pass. The test runs once more in a process of its own, which sees a
// disk that nobody else sees.
func TestATokenOnAReadOnlyDisk(t *testing.T) {
	const child = "VENUEKEY_TEST_READ_ONLY_DISK"
	if disk := os.Getenv(child); disk != "" {
		onAReadOnlyDisk(t, disk)
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^TestATokenOnAReadOnlyDisk$", "-test.v")
	command.Env = append(os.Environ(), child+"="+t.TempDir(), "GORACE=atexit_sleep_ms=0")
	command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	output, err := command.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		needs.Skip(t, "disks", "a disk of its own cannot be had by this user")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

func onAReadOnlyDisk(t *testing.T, disk string) {
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4194304,mode=700")
	}
	if err != nil {
		t.Fatal(err)
	}
	freshSignIn(t, disk)
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	app := []string{"VENUEKEY_CTRADER_CLIENT_ID=x", "VENUEKEY_CTRADER_CLIENT_SECRET=y", "VENUEKEY_CTRADER_BASE_URL=http://127.0.0.1:1"}
	for _, test := range []struct {
		args      string
		code      int
		out, told string
	}{
		{"token ctrader/alice", exitGood, "access\n", ""},
		{"status ctrader/alice", exitGood, "fresh", ""},
		{"list", exitGood, "ctrader/alice", ""},
		{"store check", exitGood, "0 records do not open", ""},
		{"refresh ctrader/alice", exitTemporary, "", "its disk is read-only"},
		{"logout ctrader/alice", exitTemporary, "", "make the disk writable again"},
		{"token ctrader/alice", exitGood, "access\n", ""},
	} {
		o := newOutside(t, strings.Fields(test.args)...)
		o.environ = append(app, "VENUEKEY_HOME="+disk, "VENUEKEY_KEY=file")
		if code := run(t.Context(), o.host); code != test.code || !strings.Contains(o.out.String(), test.out) || !strings.Contains(o.err.String(), test.told) {
			t.Errorf("%s ended with %d: %s%s", test.args, code, o.out, o.err)
		}
	}
}
