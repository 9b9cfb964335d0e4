package venuekey_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// The store refuses, and the disk that the spill file would lie on is full: the
// token is held in memory, everybody is told, and it is saved when the store
// answers again. The test runs once more in a process of its own, which sees a
// small disk that nobody else sees.
func TestADiskThatFillsUpDuringASpill(t *testing.T) {
	const child = "VENUEKEY_TEST_SMALL_DISK"
	if disk := os.Getenv(child); disk != "" {
		aFullDisk(t, disk)
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^TestADiskThatFillsUpDuringASpill$", "-test.v")
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

func aFullDisk(t *testing.T, disk string) {
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16384,mode=700")
	}
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, bytes.Repeat([]byte("x"), 64<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	venue := &stageVenue{policy: venuekey.Policy{KillsAccess: true}}
	keeper, store := signedIn(t, venue)
	keeper.Spill, keeper.SaveBudget = disk, 100*time.Millisecond
	store.turn(rotations)
	if _, err := keeper.Refresh(t.Context(), alice); err == nil || !strings.Contains(err.Error(), "held in memory") {
		t.Fatalf("a token that is not durable anywhere: %v", err)
	}
	if files := spills(t, disk); len(files) != 1 || files[0] != filler {
		t.Fatalf("half a spill file is left: %s", strings.Join(files, " "))
	}
	// There is room again: the next look puts it on disk, the one after into the
	// store, and it was presented once.
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	mustToken(t, keeper, "access-2")
	if files := spills(t, disk); len(files) != 1 {
		t.Fatalf("there is room again: %s", strings.Join(files, " "))
	}
	store.turn(nil)
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	mustToken(t, newKeeper(t, store, venue), "access-2")
	if most, total := venue.shown(); most != 1 || total != 1 {
		t.Fatalf("%d presentations, one token up to %d times", total, most)
	}
}
