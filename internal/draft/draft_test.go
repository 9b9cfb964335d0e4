package draft

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

const childVariable = "VENUEKEY_TEST_DRAFT"

// TestMain is also the program that is killed while it writes.
func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		_ = Write(path, "mark", os.Rename, func(file *os.File) error {
			fmt.Fprint(file, "half")
			fmt.Println("half")
			_, err := io.Copy(io.Discard, os.Stdin) // for good
			return err
		})
		return
	}
	os.Exit(m.Run())
}

func drafts(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func text(words string) func(*os.File) error {
	return func(file *os.File) error {
		_, err := file.WriteString(words)
		return err
	}
}

// The draft of a program that lives is left alone; once it was killed, the next
// one that writes removes it.
func TestADraftOfAKilledProgramIsRemovedByTheNext(t *testing.T) {
	if !locks {
		t.Skip("drafts go by their age here")
	}
	path := filepath.Join(t.TempDir(), "file")
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childVariable+"="+path)
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stdout, make([]byte, len("half"))); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, "mark", os.Rename, text("whole")); err != nil {
		t.Fatal(err)
	}
	if left := drafts(t, filepath.Dir(path)); len(left) != 1 {
		t.Fatalf("the draft of a program that lives: %q", left)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it was killed
	if left := drafts(t, filepath.Dir(path)); len(left) != 1 {
		t.Fatalf("what was killed has removed its draft: %q", left)
	}
	Sweep(filepath.Dir(path), "other*")
	if left := drafts(t, filepath.Dir(path)); len(left) != 1 {
		t.Fatal("somebody else's draft was removed")
	}
	Sweep(filepath.Dir(path), "mar?")
	if left := drafts(t, filepath.Dir(path)); len(left) != 0 {
		t.Fatalf("the draft of a program that was killed is left: %q", left)
	}
	if words, err := os.ReadFile(path); err != nil || string(words) != "whole" {
		t.Fatalf("%q %v", words, err)
	}
}

func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	refused := errors.New("no")
	if err := Write(path, "mark", os.Link, func(*os.File) error { return refused }); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if err := Write(path, "mark", os.Link, text("one")); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, "mark", os.Link, text("two")); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("it replaces a file that is there: %v", err)
	}
	if err := Write(path, "mark", os.Rename, text("three")); err != nil {
		t.Fatal(err)
	}
	if words, err := os.ReadFile(path); err != nil || string(words) != "three" {
		t.Fatalf("%q %v", words, err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	if left := drafts(t, filepath.Dir(path)); len(left) != 0 {
		t.Fatalf("%q", left)
	}
}

// Concurrent writers and sweepers in one folder lose no file.
func TestManyWriteAndSweep(t *testing.T) {
	folder := t.TempDir()
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			for n := range 30 {
				path := filepath.Join(folder, fmt.Sprint("file", i))
				if err := Write(path, "mark", os.Rename, text(fmt.Sprint(n))); err != nil {
					t.Error(err)
				}
				Sweep(folder, "mark")
			}
		})
	}
	running.Wait()
	if left := drafts(t, folder); len(left) != 0 {
		t.Errorf("%q", left)
	}
}
