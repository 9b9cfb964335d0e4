package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// disk_linux_test.go owns the tests that need a disk of their own, or a user
// other than root. Both belong to one thread here, which ends with its test.

const nobody = 65534

// asNobody makes the files of this test belong to somebody whom modes bind, if
// root runs it. dir is given to that user.
func asNobody(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	// The folder above is the test's own too, and only root may enter it.
	for _, own := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chown(own, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	runtime.LockOSThread() // for good
	same := ^uintptr(0)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, same, nobody, same); errno != 0 {
		t.Fatal(errno) // this thread alone: who owns what is asked of the effective user
	}
}

// smallDisk mounts a disk of the given size that only this test's thread sees.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	runtime.LockOSThread() // for good
	if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
		needs.Skip(t, "disks", fmt.Sprintf("a disk of its own cannot be had by this user (%v); TestDiskFull covers SQLite's own limit", err))
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size)); err != nil {
		needs.Skip(t, "disks", fmt.Sprintf("a disk of its own cannot be had here (%v); TestDiskFull covers SQLite's own limit", err))
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestSmallDisk(t *testing.T) {
	path := filepath.Join(smallDisk(t, 512<<10), "venuekey", "vault.db")
	store := openVault(t, path)
	kept := map[string]int64{}
	var err error
	for i := range 1000 {
		key := fmt.Sprint("k", i)
		var version int64
		if version, err = store.Put(t.Context(), venuekey.Record{Key: key, Sealed: make([]byte, 2048)}); err != nil {
			break
		}
		kept[key] = version
	}
	says(t, err, venuekey.ClassFailed, path, "the disk is full", "free some space")
	if len(kept) < 10 {
		t.Fatalf("only %d records fitted on the disk", len(kept))
	}
	check := func(store *Store) {
		t.Helper()
		for key, version := range kept {
			if got, err := store.Get(t.Context(), key); err != nil || got.Version != version {
				t.Fatalf("record %q: version %d, want the acknowledged %d (%v)", key, got.Version, version, err)
			}
		}
	}
	check(store)
	if err := store.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	check(openVault(t, path))
}

func TestFirstStartOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, 16<<10)
	path := filepath.Join(dir, "venuekey", "vault.db")
	_, err := Open(t.Context(), path)
	says(t, err, venuekey.ClassFailed, path, "the disk is full", "free some space")
	if _, err := os.Stat(path); err == nil {
		t.Error("a half-made file is left")
	}
}

// A disk that turned read-only, as Linux does to one with errors: what is there
// is read, also from a log that nobody brought home, writing may succeed later,
// and does so in the same Store once the disk is mended.
func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, 4<<20)
	path := filepath.Join(dir, "venuekey", "vault #1?.db")
	// As after a power cut: the log holds what the file does not.
	elsewhere := place(t)
	alive := openVault(t, elsewhere)
	version, err := alive.Put(t.Context(), venuekey.Record{Key: "k0", Sealed: make([]byte, 2048), NextRefresh: now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		text, err := os.ReadFile(elsewhere + suffix)
		if err == nil {
			err = os.WriteFile(path+suffix, text, 0o644)
		}
		if err != nil || suffix == "-wal" && len(text) == 0 {
			t.Fatalf("%d bytes in %q: %v", len(text), suffix, err)
		}
	}
	mount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	mount(syscall.MS_RDONLY)

	store := openVault(t, path)
	for range 2 {
		record, err := store.Get(t.Context(), "k0")
		if err != nil || record.Version != version || len(record.Sealed) != 2048 {
			t.Fatalf("%+v %v", record.Version, err)
		}
		if records, err := store.List(t.Context(), "", "", 10); err != nil || len(records) != 1 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		_, err = store.Put(t.Context(), record)
		says(t, err, venuekey.ClassLater, path, "its disk is read-only", "can still be read")
		_, err = store.Claim(t.Context(), "", "me", time.Minute, 1)
		says(t, err, venuekey.ClassLater, path, "its disk is read-only", "make the disk writable")
	}
	for _, missing := range []string{filepath.Join(dir, "venuekey", "new.db"), filepath.Join(dir, "new", "vault.db")} {
		_, err := Open(t.Context(), missing)
		says(t, err, venuekey.ClassLater, missing, "its disk is read-only", "another place")
	}

	mount(0)
	record, err := store.Get(t.Context(), "k0")
	if err != nil {
		t.Fatal(err)
	}
	record.Text = "mended"
	if _, err := openVault(t, path).Put(t.Context(), record); err != nil {
		t.Fatalf("somebody else, once the disk is mended: %v", err)
	}
	if record, err = store.Get(t.Context(), "k0"); err != nil || record.Text != "mended" {
		t.Fatalf("what somebody else wrote: %+v %v", record.Text, err)
	}
	if _, err := store.Put(t.Context(), record); err != nil {
		t.Fatalf("once the disk is mended: %v", err)
	}
}
