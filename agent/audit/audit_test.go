package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/audit"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		child(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// The stories of a log: what it says, how it goes on, and what becomes of it when a program
// or a disk fails.

var alice = venuekey.ID{Venue: "ctrader", Name: "alice"}

func given(generation int64) audit.Entry {
	return audit.Entry{Consumer: "bot-7", ID: alice, Verb: "token", Outcome: "given", Generation: generation}
}

func place(t *testing.T) string { return filepath.Join(t.TempDir(), "audit", "audit.log") }

func open(t *testing.T, path string, options audit.Options) *audit.Log {
	t.Helper()
	log, err := audit.Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// write writes entries with the generations from first to last.
func write(t *testing.T, log *audit.Log, first, last int64) {
	t.Helper()
	for generation := first; generation <= last; generation++ {
		if err := log.Write(given(generation)); err != nil {
			t.Fatal(err)
		}
	}
}

func closed(t *testing.T, log *audit.Log) {
	t.Helper()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// whole sees that nothing is wrong with a log, and returns the report.
func whole(t *testing.T, path string) audit.Report {
	t.Helper()
	report, err := audit.Verify(path)
	if err != nil || !report.Whole() {
		t.Fatalf("%v, %v", report.Findings, err)
	}
	return report
}

// told are the lines of a log, as "number verb outcome generation".
func told(t *testing.T, path string) (lines []string) {
	t.Helper()
	for line, err := range audit.Read(path) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprint(line.Number, " ", line.Verb, " ", line.Outcome, " ", line.Generation))
	}
	return lines
}

func TestALogSaysWhoGotWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := place(t)
		log := open(t, path, audit.Options{})
		entries := []audit.Entry{
			given(3),
			{Peer: &audit.Peer{UID: 1000, PID: 77, Exe: "/usr/bin/python3"}, ID: alice, Verb: "refresh", Outcome: "refused"},
			{Peer: &audit.Peer{}, Verb: "admin", Outcome: "forbidden", At: time.Date(2026, 11, 26, 13, 0, 0, 0, time.FixedZone("CET", 3600)), Durable: true},
		}
		for _, entry := range entries {
			if err := log.Write(entry); err != nil {
				t.Fatal(err)
			}
		}
		closed(t, log)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"n":1,"prev":"0000000000000000000000000000000000000000000000000000000000000000","at":"2000-01-01T00:00:00Z","consumer":"bot-7","id":"ctrader/alice","verb":"token","outcome":"given","generation":3}
{"n":2,"prev":"135c97e86fe0657959ebe38103ae2a386391b03f419037402dce274ccc193fec","at":"2000-01-01T00:00:00Z","peer":{"uid":1000,"pid":77,"exe":"/usr/bin/python3"},"id":"ctrader/alice","verb":"refresh","outcome":"refused"}
{"n":3,"prev":"b2970e03dc0b6996c134e68799904b30d7eb0a5c1221c606145afe4995f960de","at":"2026-11-26T12:00:00Z","peer":{"uid":0},"verb":"admin","outcome":"forbidden"}
`
		if string(text) != want {
			t.Errorf("the file is\n%s", text)
		}
		var who []string
		for line, err := range audit.Read(path) {
			if err != nil {
				t.Fatal(err)
			}
			who = append(who, line.Who())
		}
		if !slices.Equal(who, []string{"bot-7", "uid 1000 pid 77 /usr/bin/python3", "uid 0"}) {
			t.Errorf("it was %q", who)
		}
		if report := whole(t, path); report.First != 1 || report.Last != 3 || report.Lines != 3 || report.Files != 1 || len(report.Hash) != 64 {
			t.Errorf("%+v", report)
		}
	})
}

// The chain goes on across files and across programs, and the oldest files go.
func TestTheChainGoesOnAcrossFiles(t *testing.T) {
	path := place(t)
	options := audit.Options{MaxSize: 1000, MaxFiles: 3}
	for round := range int64(4) {
		log := open(t, path, options)
		write(t, log, 10*round+1, 10*round+10)
		closed(t, log)
		if report := whole(t, path); report.Last != 10*round+10 {
			t.Fatalf("%+v", report)
		}
	}
	report := whole(t, path)
	if report.Files != 3 || report.First < 20 || report.Lines != report.Last-report.First+1 {
		t.Errorf("%+v", report)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(files) != 4 { // and the head
		t.Errorf("%v, %v", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || info.Size() > 1000 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

// Goroutines that write at once write lines one after the other, and whoever verifies
// meanwhile finds nothing wrong, though files get other names and the oldest go.
func TestManyWriteAtOnce(t *testing.T) {
	path := place(t)
	log := open(t, path, audit.Options{MaxSize: 40_000, MaxFiles: 3})
	write(t, log, 1, 1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				if err := log.Write(given(1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for last := int64(0); last < 1500; {
		report, err := audit.Verify(path)
		if err != nil || !report.Whole() {
			t.Fatalf("%v, %v", report.Findings, err)
		}
		last = report.Last
	}
	all.Wait()
	closed(t, log)
	if report := whole(t, path); report.Last != 1601 || report.Files != 3 {
		t.Errorf("%+v", report)
	}
	if err := log.Write(given(1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after its end: %v", err)
	}
	if err := log.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestALogHasOneWriter(t *testing.T) {
	path := place(t)
	first := open(t, path, audit.Options{})
	write(t, first, 1, 1)
	_, err := audit.Open(path, audit.Options{})
	if venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !strings.Contains(err.Error(), fmt.Sprintf("another program (pid %d) writes the audit log", os.Getpid())) {
		t.Fatalf("the second: %v", err)
	}
	write(t, first, 2, 2)
	closed(t, first)
	second := open(t, path, audit.Options{})
	write(t, second, 3, 3)
	if report := whole(t, path); report.Last != 3 {
		t.Errorf("%+v", report)
	}
}

// What a killed program or a power cut leaves behind is mended at the next start, and the
// log says what was mended.
func TestALogIsMended(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		lines []string // the last ones, after one more was written
		found []string
	}{
		"nothing": {func(*testing.T, string) {}, []string{"3 token given 3", "4 token given 4"}, nil},
		"a torn line": {func(t *testing.T, path string) { grow(t, path, `{"n":4,"prev":"`) },
			[]string{"3 token given 3", "4 log mended: the last line was torn, and 15 bytes of it are cut off 0", "5 token given 4"}, nil},
		"a line without its end": {func(t *testing.T, path string) { trim(t, path, 1) },
			[]string{"2 token given 2", "4 log mended: the last line was torn, and 197 bytes of it are cut off 0", "5 log mended: lines 3 to 3 are missing 0", "6 token given 4"},
			[]string{"line 3 is missing"}},
		"a line that the disk lost": {func(t *testing.T, path string) { trim(t, path, 198) },
			[]string{"2 token given 2", "4 log mended: lines 3 to 3 are missing 0", "5 token given 4"}, []string{"line 3 is missing"}},
		"no head": {func(t *testing.T, path string) { remove(t, head(path)) },
			[]string{"3 token given 3", "4 log mended: the head could not be read; whether lines were missing at the end is not known 0", "5 token given 4"}, nil},
		"a spoilt head": {func(t *testing.T, path string) { put(t, head(path), []byte("{")) },
			[]string{"3 token given 3", "4 log mended: the head could not be read; whether lines were missing at the end is not known 0", "5 token given 4"}, nil},
		"all of it lost, but the head": {func(t *testing.T, path string) { remove(t, path) },
			[]string{"4 log mended: lines 1 to 3 are missing 0", "5 token given 4"}, []string{"lines 1 to 3 are missing"}},
		"the last line changed": {func(t *testing.T, path string) { change(t, path, `"generation":3`, `"generation":9`) },
			[]string{"3 token given 9", "4 log mended: line 3 is not as it was written 0", "5 token given 4"}, []string{"line 3 is not as written"}},
		"killed before the head": {func(t *testing.T, path string) {
			old, err := os.ReadFile(head(path))
			if err != nil {
				t.Fatal(err)
			}
			log := open(t, path, audit.Options{})
			write(t, log, 33, 33)
			closed(t, log)
			put(t, head(path), old)
		}, []string{"4 token given 33", "5 token given 4"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // for times of one length
				path := place(t)
				log := open(t, path, audit.Options{})
				write(t, log, 1, 3)
				closed(t, log)
				c.spoil(t, path)
				log = open(t, path, audit.Options{})
				write(t, log, 4, 4)
				closed(t, log)
				lines := told(t, path)
				if got := lines[max(0, len(lines)-len(c.lines)):]; !slices.Equal(got, c.lines) {
					t.Errorf("it says\n%s", strings.Join(got, "\n"))
				}
				finds(t, path, c.found)
			})
		})
	}
}

// A program that was killed between two files goes on with the next.
func TestKilledBetweenTwoFiles(t *testing.T) {
	for _, empty := range []bool{false, true} {
		path := place(t)
		log := open(t, path, audit.Options{})
		write(t, log, 1, 3)
		closed(t, log)
		if err := os.Rename(path, strings.TrimSuffix(path, ".log")+"-000000000001.log"); err != nil {
			t.Fatal(err)
		}
		if empty {
			put(t, path, nil)
		}
		whole(t, path)
		log = open(t, path, audit.Options{MaxSize: 500})
		write(t, log, 4, 9)
		closed(t, log)
		if report := whole(t, path); report.Last != 9 || report.First != 1 || report.Files != 4 {
			t.Errorf("%+v", report)
		}
	}
}

func TestWhatFollowsIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := place(t)
		ctx, cancel := context.WithCancel(t.Context())
		var got []int64
		var following sync.WaitGroup
		following.Go(func() { // before there is a log
			for line, err := range audit.Follow(ctx, path, 0) {
				if err != nil {
					t.Error(err)
				}
				got = append(got, line.Number)
			}
		})
		log := open(t, path, audit.Options{MaxSize: 700, MaxFiles: 20})
		for i := range int64(40) {
			write(t, log, i, i)
			if i%7 == 0 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Second)
		cancel()
		following.Wait()
		if len(got) != 40 || !slices.IsSorted(got) || got[0] != 1 || got[39] != 40 {
			t.Errorf("got %v", got)
		}
		var later []int64
		for line := range audit.Follow(t.Context(), path, 35) {
			if later = append(later, line.Number); line.Number == 40 {
				break
			}
		}
		if !slices.Equal(later, []int64{36, 37, 38, 39, 40}) {
			t.Errorf("after 35: %v", later)
		}
	})
}

func ExampleOpen() {
	folder, _ := os.MkdirTemp("", "audit")
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "audit.log")

	log, err := audit.Open(path, audit.Options{MaxSize: 1 << 20, MaxFiles: 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	id := venuekey.ID{Venue: "ctrader", Name: "alice"}
	err = log.Write(audit.Entry{Consumer: "bot-7", ID: id, Verb: "token", Outcome: "given", Generation: 12})
	fmt.Println(err) // with an error nothing is handed out
	err = log.Write(audit.Entry{Peer: &audit.Peer{UID: 1000, PID: 77}, ID: id, Verb: "admin", Outcome: "given", Durable: true})
	fmt.Println(err, log.Close())

	for line, err := range audit.Read(path) {
		fmt.Println(line.Number, line.Who(), line.ID, line.Verb, line.Outcome, err)
	}
	// Output:
	// <nil>
	// <nil> <nil>
	// 1 bot-7 ctrader/alice token given <nil>
	// 2 uid 1000 pid 77 ctrader/alice admin given <nil>
}

func ExampleVerify() {
	folder, _ := os.MkdirTemp("", "audit")
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "audit.log")
	log, _ := audit.Open(path, audit.Options{})
	for generation := range int64(3) {
		_ = log.Write(audit.Entry{Consumer: "bot-7", Verb: "token", Outcome: "given", Generation: generation})
	}
	_ = log.Close()
	before, _ := audit.Verify(path)
	fmt.Println(before.Whole(), before.First, before.Last)

	text, _ := os.ReadFile(path)
	rows := bytes.SplitAfter(text, []byte("\n"))
	_ = os.WriteFile(path, bytes.Join([][]byte{rows[0], rows[2]}, nil), 0o600)
	report, _ := audit.VerifyWith(path, audit.Anchor{Line: before.Last, Hash: before.Hash})
	fmt.Println(report.Findings)
	// Output:
	// true 1 3
	// [line 2 is missing]
}

func ExampleFollow() {
	folder, _ := os.MkdirTemp("", "audit")
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "audit.log")
	log, _ := audit.Open(path, audit.Options{})
	defer log.Close()
	_ = log.Write(audit.Entry{Consumer: "bot-7", Verb: "status", Outcome: "given"})

	for line, err := range audit.Follow(context.Background(), path, 0) {
		fmt.Println(line.Number, line.Consumer, err)
		break // or it goes on until the context ends
	}
	// Output: 1 bot-7 <nil>
}
