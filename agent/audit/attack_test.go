package audit_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent/audit"
)

// attack_test.go owns the attacks on a log: by whoever can write to its files, by whoever
// is written about, and by another user.

func head(path string) string { return strings.TrimSuffix(path, ".log") + ".head" }

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func textOf(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func grow(t *testing.T, path, more string) { put(t, path, append(textOf(t, path), more...)) }

func trim(t *testing.T, path string, bytes int) {
	t.Helper()
	text := textOf(t, path)
	put(t, path, text[:len(text)-bytes])
}

func change(t *testing.T, path, old, new string) {
	t.Helper()
	text := textOf(t, path)
	if bytes.Count(text, []byte(old)) != 1 {
		t.Fatalf("%s is there %d times", old, bytes.Count(text, []byte(old)))
	}
	put(t, path, bytes.Replace(text, []byte(old), []byte(new), 1))
}

// finds compares what Verify finds, without where it is.
func finds(t *testing.T, path string, want []string) {
	t.Helper()
	report, err := audit.Verify(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, finding := range report.Findings {
		text, _, _ := strings.Cut(finding.String(), " (")
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestAttackALogThatWasTamperedWith(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(rows [][]byte) [][]byte
		want  []string
	}{
		"nothing":            {func(r [][]byte) [][]byte { return r }, nil},
		"a generation":       {rewrite(2, `"generation":3`, `"generation":2`), []string{"line 3 is not as written"}},
		"an outcome":         {rewrite(0, "given", "taken"), []string{"line 1 is not as written"}},
		"the last line":      {rewrite(9, "given", "taken"), []string{"line 10 is not as written"}},
		"white space":        {rewrite(4, `{"n"`, `{ "n"`), []string{"line 5 is not as written"}},
		"a field put in":     {rewrite(4, `"verb"`, `"x":1,"verb"`), []string{"line 5 is not as written"}},
		"a hash":             {rewrite(4, `"prev":"`, `"prev":"0`), []string{"line 5 is not as written"}},
		"no JSON":            {rewrite(4, `{`, `[`), []string{"line 5 is not as written"}},
		"a number":           {rewrite(4, `"n":5`, `"n":50`), []string{"line 5 is not as written"}},
		"one left out":       {func(r [][]byte) [][]byte { return slices.Delete(r, 3, 4) }, []string{"line 4 is missing"}},
		"three left out":     {func(r [][]byte) [][]byte { return slices.Delete(r, 3, 6) }, []string{"lines 4 to 6 are missing"}},
		"the first left out": {func(r [][]byte) [][]byte { return r[1:] }, []string{"line 1 is missing"}},
		"the end cut off":    {func(r [][]byte) [][]byte { return r[:7] }, []string{"lines 8 to 10 are cut off at the end"}},
		"everything cut off": {func([][]byte) [][]byte { return nil }, []string{"lines 1 to 10 are cut off at the end"}},
		"two swapped":        {func(r [][]byte) [][]byte { r[3], r[4] = r[4], r[3]; return r }, []string{"line 4 is not in place"}},
		"one moved back":     {func(r [][]byte) [][]byte { return append(slices.Delete(slices.Clone(r), 2, 3), r[2]) }, []string{"line 3 is not in place"}},
		"one twice":          {func(r [][]byte) [][]byte { return slices.Insert(r, 5, r[4]) }, []string{"line 5 is there once too often, or never was written by a log"}},
		"one put in":         {func(r [][]byte) [][]byte { return slices.Insert(r, 5, []byte("{}\n")) }, []string{"line 6 is there once too often, or never was written by a log"}},
		"an empty row":       {func(r [][]byte) [][]byte { return slices.Insert(r, 5, []byte("\n")) }, []string{"line 6 is there once too often, or never was written by a log"}},
		"two garbled":        {func(r [][]byte) [][]byte { r[3], r[4] = []byte("x\n"), []byte("y\n"); return r }, []string{"line 4 is not as written", "line 5 is not as written"}},
		"the last garbled":   {func(r [][]byte) [][]byte { r[9] = []byte("x\n"); return r }, []string{"line 10 is not as written"}},
		"a row without end":  {func(r [][]byte) [][]byte { return append(r, bytes.Repeat([]byte("x"), 100_000)) }, []string{"the last line is torn"}},
		"a long row": {func(r [][]byte) [][]byte {
			return slices.Insert(r, 5, append(bytes.Repeat([]byte("x"), 100_000), '\n'))
		}, []string{"line 6 is there once too often, or never was written by a log"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := place(t)
			log := open(t, path, audit.Options{})
			write(t, log, 1, 10)
			closed(t, log)
			rows := bytes.SplitAfter(textOf(t, path), []byte("\n"))
			put(t, path, bytes.Join(c.spoil(rows[:10]), nil))
			finds(t, path, c.want)
		})
	}
}

// rewrite changes something in a row.
func rewrite(row int, old, new string) func([][]byte) [][]byte {
	return func(rows [][]byte) [][]byte {
		rows[row] = bytes.Replace(rows[row], []byte(old), []byte(new), 1)
		return rows
	}
}

// Files are parts of the chain as lines are.
func TestAttackFilesThatWereTamperedWith(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, files []string)
		want  []string
	}{
		"the first removed": {func(t *testing.T, f []string) { remove(t, f[0]) }, []string{"lines 1 to 3 are missing"}},
		"one removed":       {func(t *testing.T, f []string) { remove(t, f[1]) }, []string{"lines 4 to 6 are missing"}},
		"the last removed":  {func(t *testing.T, f []string) { remove(t, f[3]) }, []string{"line 10 is cut off at the end"}},
		"two exchanged":     {exchange, []string{"line 4 is not in place", "line 5 is not in place", "line 6 is not in place"}},
		"one emptied":       {func(t *testing.T, f []string) { put(t, f[1], nil) }, []string{"lines 4 to 6 are missing"}},
		"one twice":         {func(t *testing.T, f []string) { put(t, strings.Replace(f[1], "0004", "0005", 1), textOf(t, f[1])) }, []string{"line 4 is there once too often, or never was written by a log", "line 5 is there once too often, or never was written by a log", "line 6 is there once too often, or never was written by a log"}},
		"no head":           {func(t *testing.T, f []string) { remove(t, head(f[3])) }, []string{"the head is missing or cannot be read: whether lines are missing at the end is not known"}},
		"a head of no end": {func(t *testing.T, f []string) {
			put(t, head(f[3]), []byte(`{"first":1,"last":9223372036854775807,"hash":"`+strings.Repeat("0", 64)+`"}`))
		}, []string{"the head is missing or cannot be read: whether lines are missing at the end is not known"}},
		"a head of nothing": {func(t *testing.T, f []string) { put(t, head(f[3]), []byte("{}")) }, []string{"the head is missing or cannot be read: whether lines are missing at the end is not known"}},
		"an old head": {func(t *testing.T, f []string) {
			put(t, head(f[3]), []byte(`{"first":1,"last":0,"hash":"`+strings.Repeat("0", 64)+`"}`))
		}, nil},
		"a file of no number": {func(t *testing.T, f []string) { put(t, strings.Replace(f[0], "000000000001", "1", 1), []byte("x")) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := place(t)
				log := open(t, path, audit.Options{MaxSize: 600})
				write(t, log, 1, 10)
				closed(t, log)
				files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.log"))
				if err != nil || len(files) != 4 {
					t.Fatal(files, err)
				}
				c.spoil(t, files)
				finds(t, path, c.want)
			})
		})
	}
}

func exchange(t *testing.T, files []string) {
	first, second := textOf(t, files[1]), textOf(t, files[2])
	put(t, files[1], second)
	put(t, files[2], first)
}

// Whoever writes a new chain with a new head is found by what was noted elsewhere.
func TestAttackALogThatWasWrittenAnew(t *testing.T) {
	path := place(t)
	log := open(t, path, audit.Options{})
	write(t, log, 1, 5)
	noted := whole(t, path)
	write(t, log, 6, 7)
	closed(t, log)
	anchor := audit.Anchor{Line: noted.Last, Hash: noted.Hash}
	if report, err := audit.VerifyWith(path, anchor); err != nil || !report.Whole() {
		t.Fatalf("%v, %v", report.Findings, err)
	}
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	log = open(t, path, audit.Options{})
	write(t, log, 1, 4)
	if report, err := audit.VerifyWith(path, anchor); err != nil || len(report.Findings) != 1 || report.Findings[0].String() != "line 5 is cut off at the end" {
		t.Errorf("as long as it is shorter: %v, %v", report.Findings, err)
	}
	write(t, log, 5, 8)
	whole(t, path) // by itself
	if report, err := audit.VerifyWith(path, anchor); err != nil || len(report.Findings) != 1 || report.Findings[0].Kind != audit.KindChanged || report.Findings[0].Line != 5 {
		t.Errorf("when it is longer: %v, %v", report.Findings, err)
	}
}

// Whoever is written about writes no lines, no secrets, and not on a terminal.
func TestAttackAnEntryThatWritesLines(t *testing.T) {
	token := "vkc_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWo"
	path := place(t)
	log := open(t, path, audit.Options{})
	for _, text := range []string{
		"bot\n{\"n\":99}", "bot\x1b[2J\x1b]0;title\x07", "bot\u202egnp.exe", token, "Bearer " + token, strings.Repeat("long ", 10_000), "\xff\xfe", `"}`, "<script>",
	} {
		entry := audit.Entry{Consumer: text, Verb: "token" + text, Outcome: text, Peer: &audit.Peer{UID: 1, Exe: "/tmp/" + text}, ID: venuekey.ID{Venue: text, Name: text}}
		if err := log.Write(entry); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Write(audit.Entry{Verb: "token"}); err != nil {
		t.Fatal(err)
	}
	closed(t, log)
	if report := whole(t, path); report.Lines != 10 {
		t.Errorf("%+v", report)
	}
	text := textOf(t, path)
	for _, bad := range []string{token, token[4:], "\x1b", "\u202e", "\\u001b"} {
		if bytes.Contains(text, []byte(bad)) {
			t.Errorf("the log has %q", bad)
		}
	}
	for row := range bytes.Lines(text) {
		if len(row) > audit.LongestLine/2 {
			t.Errorf("a line of %d bytes", len(row))
		}
	}
	if printed := fmt.Sprintf("%v %+v", log, log); strings.Contains(printed, "mu") {
		t.Errorf("it prints as %s", printed)
	}
}

// Whoever may do nothing and asks without end gets no more than a line a second: what others
// did stays in the log.
func TestAttackRefusalsWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := place(t)
		log := open(t, path, audit.Options{MaxSize: 20_000, MaxFiles: 2})
		write(t, log, 1, 1)
		refused := audit.Entry{Peer: &audit.Peer{UID: 1001}, Verb: "token", Outcome: audit.OutcomeForbidden}
		for range 100_000 {
			must(t, log.Write(refused))
		}
		time.Sleep(10 * time.Second)
		for range 20 {
			must(t, log.Write(refused))
		}
		time.Sleep(time.Minute)
		write(t, log, 2, 2)
		for range 100 {
			must(t, log.Write(refused))
		}
		closed(t, log)
		lines := told(t, path)
		counts := map[string]int{}
		for _, line := range lines {
			_, rest, _ := strings.Cut(line, " ")
			counts[rest]++
		}
		if lines[0] != "1 token given 1" || counts["token given 2"] != 1 || counts["token forbidden 0"] != 170 ||
			counts["log refusals since 2000-01-01T00:00:00Z were too many for a line each: 99910 more 0"] != 1 ||
			counts["log refusals since 2000-01-01T00:01:10Z were too many for a line each: 40 more 0"] != 1 {
			t.Errorf("it says %v", counts)
		}
		whole(t, path)

		all := open(t, place(t), audit.Options{EveryRefusal: true})
		for range 1000 {
			must(t, all.Write(refused))
		}
		closed(t, all)
	})
}

// A log that others may read or write, or that is a link, is neither written nor believed.
func TestAttackALogInAFolderOfOthers(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path string){
		"a folder for all": func(t *testing.T, path string) { mode(t, filepath.Dir(path), 0o777) },
		"a log for all":    func(t *testing.T, path string) { mode(t, path, 0o644) },
		"a head for all":   func(t *testing.T, path string) { mode(t, head(path), 0o666) },
		"a link":           func(t *testing.T, path string) { link(t, path) },
		"a head's link":    func(t *testing.T, path string) { link(t, head(path)) },
		"a folder":         func(t *testing.T, path string) { remove(t, path); must(t, os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := place(t)
			log := open(t, path, audit.Options{})
			write(t, log, 1, 1)
			closed(t, log)
			spoil(t, path)
			log, err := audit.Open(path, audit.Options{})
			if err == nil {
				err = log.Write(given(2))
				closed(t, log)
			}
			if venuekey.ClassOf(err) != venuekey.ClassMisconfigured {
				t.Errorf("it is written: %v", err)
			}
			if report, err := audit.Verify(path); err == nil && !strings.HasSuffix(name, "link") && !strings.HasPrefix(name, "a link") {
				t.Errorf("it is believed: %+v", report)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mode(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	must(t, os.Chmod(path, mode))
}

func link(t *testing.T, path string) {
	t.Helper()
	must(t, os.Rename(path, path+".moved"))
	must(t, os.Symlink(path+".moved", path))
}

// Whatever is done to one byte is found, and whatever lies there is read to an end.
func FuzzLog(f *testing.F) {
	f.Add([]byte(nil), uint16(0), byte('x'))
	f.Add([]byte(`{"n":1,"prev":"00","at":"2026-11-26T12:00:00Z","verb":"token","outcome":"given"}`+"\n"), uint16(300), byte(0))
	f.Add([]byte("\n\n{}\n[]\nnull\n{\"n\":-1}\n"), uint16(40), byte('\n'))
	f.Add(bytes.Repeat([]byte("a"), 40_000), uint16(700), byte('"'))
	folder := f.TempDir()
	path := filepath.Join(folder, "whole", "audit.log")
	log, err := audit.Open(path, audit.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for generation := range int64(5) {
		if err := log.Write(given(generation)); err != nil {
			f.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		f.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	heading, _ := os.ReadFile(head(path))
	f.Fuzz(func(t *testing.T, foreign []byte, at uint16, with byte) {
		path := place(t)
		must(t, os.Mkdir(filepath.Dir(path), 0o700))
		put(t, head(path), heading)
		changed := bytes.Clone(text)
		place := int(at) % len(text)
		changed[place] = with
		put(t, path, changed)
		if report, err := audit.Verify(path); err != nil || report.Whole() != (text[place] == with) {
			t.Fatalf("byte %d is %q: %v, %v", place, with, report.Findings, err)
		}
		put(t, path, append(bytes.Clone(text), foreign...))
		report, err := audit.Verify(path)
		if err != nil || len(foreign) == 0 != report.Whole() && !bytes.Contains(foreign, []byte(`"n"`)) {
			t.Fatalf("%q: %v, %v", foreign, report.Findings, err)
		}
		for line := range audit.Read(path) {
			_ = line.Who()
		}
		log, err := audit.Open(path, audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Write(given(9)); err != nil {
			t.Fatal(err)
		}
		closed(t, log)
		put(t, head(path), foreign) // of which most are no head
		if _, err := audit.Verify(path); err != nil {
			t.Fatal(err)
		}
		log, err = audit.Open(path, audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		closed(t, log)
	})
}
