package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/venuekey/venuekey"
)

// file_test.go owns what becomes of files that are not as they should be.

// ruin is a way to spoil a vault, and what is then said about it.
type ruin struct {
	name  string
	spoil func(t *testing.T, path string)
	class venuekey.Class
	says  string
	do    string
}

var ruins = []ruin{
	{"garbage over the header", overwrite(0, 100), venuekey.ClassDamaged, "is damaged", "backup"},
	{"garbage over everything", overwrite(0, 1<<20), venuekey.ClassDamaged, "is damaged", "backup"},
	{"a short text", write("# my notes\n"), venuekey.ClassDamaged, "cut short", "backup"},
	{"one byte", write("S"), venuekey.ClassDamaged, "cut short", "backup"},
	{"a long text", write(strings.Repeat("my notes ", 10_000)), venuekey.ClassDamaged, "is damaged", "backup"},
	{"cut to nothing", cut(0), venuekey.ClassDamaged, "is empty or cut short", "backup"},
	{"cut inside the header", cut(50), venuekey.ClassDamaged, "cut short", "backup"},
	{"cut after the header", cut(100), venuekey.ClassDamaged, "cut short", "backup"},
	{"cut inside the first page", cut(1000), venuekey.ClassDamaged, "is damaged", "backup"},
	{"cut after the first page", cut(4096), venuekey.ClassDamaged, "is damaged", "backup"},
	{"cut in the middle", cut(20_000), venuekey.ClassDamaged, "is damaged", "backup"},
	{"another program's database", execute("PRAGMA application_id=0"), venuekey.ClassMisconfigured, "is not a vault", "another place"},
	{"a newer schema", execute("PRAGMA user_version=2"), venuekey.ClassMisconfigured, "was written by a newer venuekey (schema 2", "update"},
	{"a folder in its place", folderInPlace, venuekey.ClassMisconfigured, "is a folder", "path of a file"},
	{"its log left alone", logAlone, venuekey.ClassDamaged, "is gone, but its log", "put the file back"},
}

// A spoilt vault is told apart from a missing one, and stays as it is.
func TestSpoiltFiles(t *testing.T) {
	for _, ruin := range ruins {
		t.Run(ruin.name, func(t *testing.T) {
			path := place(t)
			fill(t, path, 20)
			ruin.spoil(t, path)
			before := contents(t, path)
			for range 2 {
				store, err := Open(t.Context(), path)
				if err == nil {
					_ = store.Close()
				}
				says(t, err, ruin.class, path, ruin.says, ruin.do)
			}
			after := contents(t, path)
			for name, was := range before {
				if !bytes.Equal(after[name], was) {
					t.Errorf("%s: was changed by opening it", name)
				}
			}
		})
	}
}

// Damage further inside is noticed by the call that reads it.
func TestSpoiltInside(t *testing.T) {
	path := place(t)
	fill(t, path, 20)
	overwrite(4096, 1<<20)(t, path)
	store, err := Open(t.Context(), path)
	if err != nil {
		says(t, err, venuekey.ClassDamaged, path, "is damaged", "backup")
		return
	}
	defer store.Close()
	_, err = store.Get(t.Context(), "k7")
	says(t, err, venuekey.ClassDamaged, path, "is damaged", "backup")
	_, err = store.Put(t.Context(), venuekey.Record{Key: "new"})
	says(t, err, venuekey.ClassDamaged, path, "is damaged", "backup")
}

func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path, says, do string
	}{
		{"not/there/vault.db", "there is no folder", "mkdir"},
		{"file/vault.db", "is a file", "another place"},
		{"", "is a folder", "path of a file"},
		{"a vault?mode=memory#x%20&y.db", "", ""},
		{"file:x.db", "", ""},
		{"new/vault.db", "", ""},
	} {
		path := filepath.Join(dir, filepath.FromSlash(test.path))
		if strings.ContainsAny(test.path, "?:") && !posix {
			continue // Windows has no such names
		}
		store, err := Open(t.Context(), path)
		if test.says != "" {
			says(t, err, venuekey.ClassMisconfigured, path, test.says, test.do)
			continue
		}
		if err != nil {
			t.Errorf("open %s: %v", path, err)
			continue
		}
		_ = store.Close()
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("open %s: no file was made there (%v)", path, err)
		}
	}
}

// Many first starts at once agree on one file and leave nothing else behind.
func TestFirstStarts(t *testing.T) {
	path := place(t)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			store, err := Open(t.Context(), path)
			if err != nil {
				t.Errorf("open: %v", err)
				return
			}
			defer store.Close()
			if _, err := store.Put(t.Context(), venuekey.Record{Key: fmt.Sprint("k", i)}); err != nil {
				t.Errorf("put: %v", err)
			}
		})
	}
	wg.Wait()
	got, err := openVault(t, path).List(t.Context(), "", "", 100)
	if err != nil || len(got) != 12 {
		t.Errorf("list: %d records, want 12 (%v)", len(got), err)
	}
	for name := range contents(t, path) {
		if !strings.HasPrefix(name, filepath.Base(path)) {
			t.Errorf("folder holds %s too", name)
		}
	}
}

func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := place(t)
	if _, err := Open(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Error("open made a folder although its context had ended")
	}
}

func TestOpenDoesNotWrite(t *testing.T) {
	path := place(t)
	fill(t, path, 5)
	long := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range []string{path, path + "-wal"} {
		if err := os.Chtimes(name, long, long); err != nil {
			t.Fatal(err)
		}
	}
	store := openVault(t, path)
	if _, err := store.Get(t.Context(), "k1"); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err != nil || !info.ModTime().Equal(long) {
			t.Errorf("%s: was written to (%v)", filepath.Base(name), err)
		}
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() > 0 {
		t.Errorf("log: was not emptied at the end (%v)", err)
	}
}

// A file that was put in the place of the open one is the vault from then on;
// nothing is acknowledged that only the one without a name would hold.
func TestReplacedWhileOpen(t *testing.T) {
	if !posix {
		t.Skip("Windows does not let anybody move a file that is open")
	}
	path := place(t)
	store := openVault(t, path)
	if _, err := store.Put(t.Context(), venuekey.Record{Key: "old"}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, path+".away"+suffix); err != nil {
			t.Fatal(err)
		}
	}
	_, err := store.Put(t.Context(), venuekey.Record{Key: "lost"})
	says(t, err, venuekey.ClassFailed, path, "is gone", "put the file back")
	if _, err := os.Stat(path); err == nil {
		t.Fatal("file was made anew by a store that had lost it")
	}
	fill(t, path, 1)
	if _, err := store.Put(t.Context(), venuekey.Record{Key: "new"}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Get(t.Context(), "old"); !errors.Is(err, venuekey.ErrNotFound) {
		t.Errorf("get from the file that went: %v", err)
	}
	if _, err := openVault(t, path).Get(t.Context(), "new"); err != nil {
		t.Errorf("get from the file that came: %v", err)
	}
}

// says checks that an error names the file and tells what is wrong and what to
// do.
func says(t *testing.T, err error, class venuekey.Class, path, reason, remedy string) {
	t.Helper()
	var known *venuekey.Error
	if !errors.As(err, &known) {
		t.Fatalf("error: %v (%T), want one that says %q", err, err, reason)
	}
	if known.Class != class || !strings.Contains(known.Reason, reason) || !strings.Contains(known.Reason, path) || !strings.Contains(known.Remedy, remedy) {
		t.Errorf("error: %v: %s; %s\nwant %v: …%s…; …%s…", known.Class, known.Reason, known.Remedy, class, reason, remedy)
	}
}

// fill makes a vault of n records of 2 KiB and closes it.
func fill(t *testing.T, path string, n int) {
	t.Helper()
	store := openVault(t, path)
	for i := range n {
		if _, err := store.Put(t.Context(), venuekey.Record{Key: fmt.Sprint("k", i), Sealed: make([]byte, 2048)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// contents is everything in the file's folder but SQLite's index of the log,
// which holds nothing of its own.
func contents(t *testing.T, path string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() || strings.HasSuffix(entry.Name(), "-shm") {
			continue
		}
		if found[entry.Name()], err = os.ReadFile(filepath.Join(filepath.Dir(path), entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func overwrite(from, to int) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		all, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := from; i < min(to, len(all)); i++ {
			all[i] = 0xa5
		}
		write(string(all))(t, path)
	}
}

func write(text string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func cut(size int64) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
	}
}

func execute(sql string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		db, err := sqlite3.Open(path)
		if err == nil {
			err = errors.Join(db.Exec(sql), db.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func folderInPlace(t *testing.T, path string) {
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
}

func logAlone(t *testing.T, path string) {
	write("frames of a file that is gone")(t, path+"-wal")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// What SQLite says where another program stands still while it writes.
func TestAProgramThatStandsStillInsideAWrite(t *testing.T) {
	err := explain(t.Context(), "/vault.db", fmt.Errorf("step: %w", sqlite3.PROTOCOL))
	says(t, err, venuekey.ClassFailed, "/vault.db", "is suspended inside a write", "kill -CONT")
}

// A program that was killed while it made the file leaves a draft of it.
func TestDraftsOfKilledProgramsGo(t *testing.T) {
	path := place(t)
	fill(t, path, 1)
	left := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"-1.new")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	openVault(t, path)
	if _, err := os.Stat(left); err == nil && posix { // elsewhere its age decides
		t.Error("it is still there")
	}
}
