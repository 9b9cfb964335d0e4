package crash_test

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
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
)

// The store refuses, and the disk that the spill file would lie on is full: the
// token is held in memory, everybody is told, and it is saved when the store
// answers again. The test runs once more in a process of its own, which sees a
// small disk that nobody else sees.
func TestADiskThatFillsUpDuringASpill(t *testing.T) {
	onSmallDisk(t, aFullDisk)
}

// onSmallDisk runs a test in a process that has a small disk.
func onSmallDisk(t *testing.T, test func(t *testing.T, disk string)) {
	const child = "VENUEKEY_TEST_SMALL_DISK"
	if disk := os.Getenv(child); disk != "" {
		test(t, disk)
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
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

// smallDisk makes a disk of its own for this process.
func smallDisk(t *testing.T, disk string) {
	t.Helper()
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=65536,mode=700")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// fillUp takes all the room that a disk has, and gives the file that has it.
func fillUp(t *testing.T, disk string) string {
	t.Helper()
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, bytes.Repeat([]byte("x"), 256<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	return filler
}

func aFullDisk(t *testing.T, disk string) {
	smallDisk(t, disk)
	filler := fillUp(t, disk)
	venue := &keepertest.Venue{Terms: venuekey.Policy{KillsAccess: true}}
	keeper, store := keepertest.SignedIn(t, venue)
	keeper.Spills, keeper.SaveBudget = []string{disk}, 100*time.Millisecond
	store.Refuse(keepertest.Rotations)
	if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err == nil || !strings.Contains(err.Error(), "held in memory") {
		t.Fatalf("a token that is not durable anywhere: %v", err)
	}
	if files := keepertest.Files(t, disk, "*"); len(files) != 1 || files[0] != filler {
		t.Fatalf("half a spill file is left: %s", strings.Join(files, " "))
	}
	// There is room again: the next look puts it on disk, the one after into the
	// store, and it was presented once.
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	keepertest.WantToken(t, keeper, "access-2")
	if files := keepertest.Spills(t, disk); len(files) != 1 {
		t.Fatalf("there is room again: %s", strings.Join(files, " "))
	}
	store.Refuse(nil)
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	keepertest.WantToken(t, keepertest.New(t, store, venue), "access-2")
	if most, total := venue.Shown(); most != 1 || total != 1 {
		t.Fatalf("%d presentations, one token up to %d times", total, most)
	}
}

// The disk fills up after the reserve was made: the spill lies in its place. The
// next one finds no reserve, and goes to the second folder.
func TestAReserveTakesTheSpillOfAFullDisk(t *testing.T) {
	onSmallDisk(t, func(t *testing.T, disk string) {
		smallDisk(t, disk)
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills = []string{filepath.Join(disk, "spill"), t.TempDir()}
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		fillUp(t, disk)
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatalf("the reserve is of no use: %v", err)
		}
		if files := keepertest.Spills(t, keeper.Spills[0]); len(files) != 1 {
			t.Fatal(keepertest.Files(t, keeper.Spills[0], "*"))
		}
		next := keepertest.New(t, store, venue)
		next.Spills = keeper.Spills
		keepertest.WantToken(t, next, "access-3")
		store.Refuse(nil)
		if _, err := next.Refresh(t.Context(), keepertest.Alice); err != nil { // which saves it
			t.Fatal(err)
		}
		if files := keepertest.Spills(t, keeper.Spills[0]); len(files) != 0 {
			t.Fatal(files)
		}
		// What the reserve took is free again and taken by others.
		if err := os.WriteFile(filepath.Join(disk, "more"), bytes.Repeat([]byte("x"), 256<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		_ = os.Remove(filepath.Join(keeper.Spills[0], ".reserve"))
		_ = os.WriteFile(filepath.Join(disk, "still more"), bytes.Repeat([]byte("x"), 256<<10), 0o600)
		store.Refuse(keepertest.Rotations)
		if _, err := next.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatalf("the second folder is of no use: %v", err)
		}
		if files := keepertest.Spills(t, keeper.Spills[1]); len(files) != 1 {
			t.Fatal(files)
		}
		last := keepertest.New(t, store, venue)
		last.Spills = keeper.Spills
		store.Refuse(nil)
		keepertest.WantToken(t, last, string(mustLoad(t, next).Access))
	})
}

// mustLoad is the token that a Keeper hands out.
func mustLoad(t *testing.T, keeper *venuekey.Keeper) *venuekey.Token {
	t.Helper()
	token, err := keeper.Token(t.Context(), keepertest.Alice)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
