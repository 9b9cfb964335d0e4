//go:build unix

package key

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey/internal/needs"
)

// attack_unix_test.go owns what another user of the machine does to keys.

const suite = "a second user"

// Whoever makes the folder chooses the key: root with the home of another user
// sealed with that user's.
func TestAttackAKeyThatAnotherUserMade(t *testing.T) {
	street := needs.Street(t)
	needs.StrangerDoes(t, suite, street, "mkdir -m 700 empty made")
	c := config(t)
	for _, choice := range []Choice{ChoiceFile, ChoicePassphrase} {
		c.Dir = filepath.Join(street, "empty")
		_, _, err := c.Create(t.Context(), choice)
		wants(t, "create in his folder", err, nil, "belongs to another user")
	}
	if left, _ := os.ReadDir(c.Dir); len(left) != 0 {
		t.Errorf("something was written there: %v", left)
	}
	theirs := filepath.Join(street, "theirs")
	c.Dir = theirs
	_, info := mustCreate(t, c, ChoiceFile)
	needs.StrangerDoes(t, suite, street, "true")
	give := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			if err := os.Lchown(path, needs.StrangerID, needs.StrangerID); err != nil {
				t.Fatal(err)
			}
		}
	}
	take := func(path string) {
		t.Helper()
		if err := os.Lchown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{theirs, c.path(memoryName), info.Where} {
		give(path)
		_, _, err := c.Load(t.Context())
		wants(t, "load with his "+filepath.Base(path), err, nil, "belongs to another user")
		if path != info.Where { // which adding another does not read
			_, err = c.Add(t.Context())
			wants(t, "add with his "+filepath.Base(path), err, nil, "belongs to another user")
		}
		_, _, err = c.Import(t.Context(), ChoiceFile, [][Size]byte{{1}}, identify([Size]byte{1}))
		wants(t, "import with his "+filepath.Base(path), err, nil, "belongs to another user")
		take(path)
	}
	if _, _, err := c.Load(t.Context()); err != nil {
		t.Error(err)
	}
}

// A folder may be opened to others after the key was made.
func TestAttackAKeyFolderThatWasOpened(t *testing.T) {
	for _, mode := range []os.FileMode{0o777, 0o770, 0o702, 0o777 | os.ModeSticky} {
		c := config(t)
		mustCreate(t, c, ChoiceFile)
		if err := os.Chmod(c.Dir, mode); err != nil {
			t.Fatal(err)
		}
		_, _, err := c.Load(t.Context())
		wants(t, fmt.Sprintf("load from %v", mode), err, nil, "chmod 700 "+c.Dir)
	}
}

// soon runs what must not hang.
func soon(t *testing.T, pipe string, run func() error) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(5 * time.Second):
		t.Error("it hangs")
		if file, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
			_ = file.Close()
		}
		return <-ended
	}
}

func TestAttackAPipeInThePlaceOfAKey(t *testing.T) {
	for _, choice := range []Choice{ChoiceFile, ChoicePassphrase} {
		c := config(t)
		_, info := mustCreate(t, c, choice)
		for _, path := range []string{c.path(memoryName), info.Where} {
			whole, err := os.ReadFile(path)
			if err == nil {
				err = errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600))
			}
			if err != nil {
				t.Fatal(err)
			}
			err = soon(t, path, func() error { _, _, err := c.Load(t.Context()); return err })
			wants(t, "load from a pipe", err, nil, "is not a file")
			if err := errors.Join(os.Remove(path), os.WriteFile(path, whole, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Another user's drafts and links in a folder that was open once.
func TestAttackALinkInThePlaceOfANewKey(t *testing.T) {
	c := config(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := errors.Join(os.Mkdir(c.Dir, 0o700), os.WriteFile(victim, []byte("precious"), 0o600), os.Symlink(victim, c.path(memoryName))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Create(t.Context(), ChoiceFile); err == nil {
		t.Error("a key was made where a link stands")
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
		t.Errorf("%q %v", text, err)
	}
}

func TestAttackACostThatTakesTheMachineDown(t *testing.T) {
	for _, cost := range []string{
		"time=3 memory=2097152 threads=4", "time=64 memory=65536 threads=4", "time=3 memory=65536 threads=255", "time=4294967295 memory=8 threads=1",
		"time=1 memory=4294967295 threads=1", "time=0 memory=64 threads=1", "time=1 memory=0 threads=1", "time=1 memory=64 threads=0",
		"time=1 memory=64 threads=1 and more", "time=+1 memory=64 threads=1", "time=1  memory=64 threads=1", "",
	} {
		c := config(t)
		_, info := mustCreate(t, c, ChoicePassphrase)
		text, err := os.ReadFile(info.Where)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		for i := range lines {
			if strings.HasPrefix(lines[i], "argon2id: ") {
				lines[i] = "argon2id: " + cost
			}
		}
		if err := os.WriteFile(info.Where, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		c.Passphrase = func(_ context.Context) (string, error) {
			t.Errorf("%q: a passphrase is asked for", cost)
			return "", errors.New("no")
		}
		_, _, err = c.Load(t.Context())
		wants(t, cost, err, ErrLost, "is damaged")
	}
}
