package audit_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/audit"
)

// fault_test.go owns disks that fail and programs that are killed.

const childVariable = "VENUEKEY_TEST_AUDIT"

// childLines is how many lines a child has written when it says so.
const childLines = 300

// child writes lines until it is killed.
func child(path string) {
	log, err := audit.Open(path, audit.Options{MaxSize: 20_000, MaxFiles: 1000})
	if err != nil {
		panic(err)
	}
	for generation := int64(1); ; generation++ {
		if err := log.Write(given(generation)); err != nil {
			panic(err)
		}
		if generation == childLines {
			os.Stdout.WriteString("written\n")
		}
	}
}

// badDisk fails as it is told, in the middle of a line.
type badDisk struct {
	audit.Disk
	full, rigid, unsynced *atomic.Bool
	syncs                 *atomic.Int64
}

func newBadDisk() badDisk {
	return badDisk{full: new(atomic.Bool), rigid: new(atomic.Bool), unsynced: new(atomic.Bool), syncs: new(atomic.Int64)}
}

func (d badDisk) options(o audit.Options) audit.Options {
	return o.OnDisk(func(disk audit.Disk) audit.Disk { d.Disk = disk; return d })
}

func (d badDisk) Write(text []byte) (int, error) {
	if d.full.Load() {
		n, _ := d.Disk.Write(text[:len(text)/2])
		return n, &fs.PathError{Op: "write", Path: "audit.log", Err: syscall.ENOSPC}
	}
	return d.Disk.Write(text)
}

func (d badDisk) Truncate(size int64) error {
	if d.rigid.Load() {
		return syscall.EIO
	}
	return d.Disk.Truncate(size)
}

func (d badDisk) Sync() error {
	d.syncs.Add(1)
	if d.unsynced.Load() {
		return syscall.EIO
	}
	return d.Disk.Sync()
}

// On a full disk nothing is written by halves, the error says what is wrong, and once there
// is room the log says how much is missing.
func TestAttackAFullDisk(t *testing.T) {
	for _, rigid := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			path, disk := place(t), newBadDisk()
			log := open(t, path, disk.options(audit.Options{}))
			write(t, log, 1, 2)
			disk.full.Store(true)
			disk.rigid.Store(rigid) // not even the half line can be taken back
			for range 3 {
				err := log.Write(given(3))
				known, ok := errors.AsType[*venuekey.Error](err)
				if !ok || known.Class != venuekey.ClassFailed || !strings.Contains(known.Remedy, "make room on the disk of") {
					t.Fatalf("%v", err)
				}
				if !rigid && (!errors.Is(err, syscall.ENOSPC) || known.Error() != "audit: the audit log cannot be written: no space left on device") {
					t.Fatalf("%v", err)
				}
				time.Sleep(time.Minute)
			}
			if !rigid {
				whole(t, path)
			}
			disk.full.Store(false)
			disk.rigid.Store(false)
			write(t, log, 4, 4)
			closed(t, log)
			if report := whole(t, path); report.Last != 4 {
				t.Errorf("%+v", report)
			}
			lines := told(t, path)
			if !strings.HasPrefix(lines[2], "3 log not written since 2000-01-01T00:00:00Z: 3 in all: audit: the audit log cannot be written: ") || lines[3] != "4 token given 4" {
				t.Errorf("it says %q", lines)
			}
		})
	}
}

// What was not written is said at the end at the latest, if there is room by then.
func TestAProgramThatEndsAfterAFullDiskSaysSo(t *testing.T) {
	path, disk := place(t), newBadDisk()
	log := open(t, path, disk.options(audit.Options{}))
	write(t, log, 1, 1)
	disk.full.Store(true)
	if err := log.Write(given(2)); err == nil {
		t.Fatal("it was written")
	}
	disk.full.Store(false)
	closed(t, log)
	if lines := told(t, path); len(lines) != 2 || !strings.HasPrefix(lines[1], "2 log not written since") {
		t.Errorf("it says %q", lines)
	}
	whole(t, path)
}

// A program that ends while the disk is full leaves at most a torn line, which the next one
// mends.
func TestAFullDiskAtTheEnd(t *testing.T) {
	path, disk := place(t), newBadDisk()
	log := open(t, path, disk.options(audit.Options{}))
	write(t, log, 1, 2)
	disk.full.Store(true)
	disk.rigid.Store(true)
	if err := log.Write(given(3)); err == nil {
		t.Fatal("it was written")
	}
	closed(t, log)
	finds(t, path, []string{"the last line is torn"})
	log = open(t, path, audit.Options{})
	write(t, log, 3, 3)
	if report := whole(t, path); report.Last != 4 { // with what was mended
		t.Errorf("%+v", report)
	}
}

// Lines reach the disk within a second, all of them together, and a change before its
// Write returns.
func TestWhenLinesAreOnTheDisk(t *testing.T) {
	for name, c := range map[string]struct {
		options           audit.Options
		durable           bool
		atOnce, inASecond int64
	}{
		"hand-outs":   {audit.Options{}, false, 0, 1},
		"changes":     {audit.Options{}, true, 10, 11},
		"all durable": {audit.Options{Sync: -1}, false, 10, 10},
		"in a minute": {audit.Options{Sync: time.Minute}, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := newBadDisk()
				log := open(t, place(t), disk.options(c.options))
				for range 10 {
					entry := given(1)
					entry.Durable = c.durable
					must(t, log.Write(entry))
				}
				if got := disk.syncs.Load(); got != c.atOnce {
					t.Errorf("%d times at once", got)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if got := disk.syncs.Load(); got != c.inASecond {
					t.Errorf("%d times in a second", got)
				}
				closed(t, log)
			})
		})
	}
}

// A disk that takes lines and does not keep them is noticed a second later, and while it
// lasts.
func TestADiskThatDoesNotKeepWhatItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, disk := place(t), newBadDisk()
		log := open(t, path, disk.options(audit.Options{}))
		write(t, log, 1, 1)
		disk.unsynced.Store(true)
		time.Sleep(2 * time.Second)
		if err := log.Write(given(2)); !errors.Is(err, syscall.EIO) {
			t.Errorf("a second later: %v", err)
		}
		disk.unsynced.Store(false)
		write(t, log, 3, 3)
		closed(t, log)
		if lines := told(t, path); len(lines) != 3 || !strings.HasPrefix(lines[1], "2 log not written since") {
			t.Errorf("it says %q", lines)
		}
		whole(t, path)
	})
}

// A program that is killed again and again in the middle of writing leaves a chain without a
// gap.
func TestAProgramThatIsKilledLosesNoLine(t *testing.T) {
	path := place(t)
	var last int64
	for range 5 {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), childVariable+"="+path)
		out, err := command.StdoutPipe()
		must(t, err)
		must(t, command.Start())
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		must(t, command.Process.Kill())
		_ = command.Wait() // it was killed
		log := open(t, path, audit.Options{MaxSize: 20_000, MaxFiles: 1000})
		must(t, log.Write(audit.Entry{Verb: "admin", Outcome: "given"}))
		closed(t, log)
		report := whole(t, path)
		if report.Last < last+childLines+1 || report.First != 1 {
			t.Fatalf("%+v, and there were %d lines before", report, last)
		}
		last = report.Last
	}
}
