package audit_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/audit"
	"github.com/venuekey/venuekey/internal/needs"
)

// disk_linux_test.go owns a disk that is really full.

const diskVariable = "VENUEKEY_TEST_AUDIT_DISK"

// A disk fills up under a log, in the middle of a line and between two files; a program
// that is started on it writes nothing; and when there is room, the log is whole and says
// what is missing. The test runs once more in a process that sees a disk of its own.
func TestAttackADiskThatFillsUpUnderTheLog(t *testing.T) {
	if disk := os.Getenv(diskVariable); disk != "" {
		fillsUp(t, disk)
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), diskVariable+"="+t.TempDir(), "GORACE=atexit_sleep_ms=0")
	command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	output, err := command.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		needs.Skip(t, "disks", "a disk of its own cannot be had by this user")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

func fillsUp(t *testing.T, disk string) {
	must(t, syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""))
	must(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=131072,mode=700"))
	path, options := filepath.Join(disk, "audit", "audit.log"), audit.Options{MaxSize: 10_000, MaxFiles: 100, Sync: -1}
	log := open(t, path, options)
	written := int64(0)
	for log.Write(given(written+1)) == nil {
		written++
	}
	for range 3 {
		err := log.Write(given(0))
		if !errors.Is(err, syscall.ENOSPC) || venuekey.ClassOf(err) != venuekey.ClassFailed || !strings.Contains(err.Error(), "no space left on device") {
			t.Fatalf("after %d lines: %v", written, err)
		}
	}
	if report := whole(t, path); report.Last != written || report.Files < 5 {
		t.Fatalf("%+v, and %d were written", report, written)
	}
	closed(t, log)
	if report := whole(t, path); report.Last != written {
		t.Fatalf("%+v, and %d were written", report, written)
	}

	// A program that begins here says the same.
	filler := filepath.Join(disk, "filler")
	_ = os.WriteFile(filler, bytes.Repeat([]byte("x"), 256<<10), 0o600) // what is left
	log, err := audit.Open(path, options)
	if err == nil {
		for range 50 { // until the last block of the file is full
			if err = log.Write(given(0)); err != nil {
				break
			}
			written++
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("the next one: %v", err)
		}
		closed(t, log)
	}

	remove(t, filler)
	must(t, os.Remove(oldest(t, path)))
	log = open(t, path, options)
	must(t, log.Write(given(7)))
	closed(t, log)
	report, err := audit.Verify(path)
	if err != nil || len(report.Findings) != 1 || report.Findings[0].Kind != audit.KindMissing || report.Findings[0].Line != 1 || report.Last != written+1 {
		t.Errorf("%+v, %v", report, err) // with the file that was removed by hand, and nothing else
	}
}

// oldest is the oldest file of a log.
func oldest(t *testing.T, path string) string {
	t.Helper()
	files, err := filepath.Glob(strings.TrimSuffix(path, ".log") + "-*.log")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files[0]
}
