package key

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// passphrase_test.go owns passphrases that can be guessed, and files that somebody
// had in his hands.

func TestAttackAPassphraseThatIsGuessed(t *testing.T) {
	for passphrase, ok := range map[string]bool{"x": false, "1234567": false, "äöüäöüä": false, "12345678": true, "äöüäöüäö": true} {
		c := config(t)
		c.Passphrase = says(passphrase)
		_, _, err := c.Create(t.Context(), ChoicePassphrase)
		if ok != (err == nil) || !ok && !errors.Is(err, ErrWeak) {
			t.Errorf("create with %q: %v", passphrase, err)
		}
		if left, _ := os.ReadDir(c.Dir); !ok && len(left) > 0 {
			t.Errorf("create with %q left %v", passphrase, left)
		}
		d := config(t)
		d.Passphrase = says(passphrase)
		if _, _, err := d.Import(t.Context(), ChoicePassphrase, [][Size]byte{{1}}, identify([Size]byte{1})); ok != (err == nil) || !ok && !errors.Is(err, ErrWeak) {
			t.Errorf("import with %q: %v", passphrase, err)
		}
	}
}

// A user with a short one can go on with it, and can rotate.
func TestAShortPassphraseThatIsInUseOpens(t *testing.T) {
	c := config(t)
	key, info := mustCreate(t, c, ChoicePassphrase)
	if err := (wrapped{dir: c.Dir, ask: says("x"), cost: cheap}).replace(t.Context(), info.ID, key); err != nil {
		t.Fatal(err)
	}
	c.Passphrase = says("x")
	if loaded, _, err := c.Load(t.Context()); err != nil || loaded != key {
		t.Fatal(err)
	}
	if _, err := c.Add(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestKeysAreNotWithoutNumber(t *testing.T) {
	c := config(t)
	mustCreate(t, c, ChoiceFile)
	keys := make([][Size]byte, mostKeys+1)
	for i := range keys {
		keys[i][0] = byte(i)
	}
	if _, _, err := c.Import(t.Context(), ChoiceFile, keys, identify(keys[0])); !errors.Is(err, errTooMany) {
		t.Error(err)
	}
	m, err := c.remembered()
	if err != nil {
		t.Fatal(err)
	}
	for m.Keys = m.all(); len(m.Keys) < mostKeys; {
		m.Keys = append([]string{identify(keys[len(m.Keys)])}, m.Keys...)
	}
	if err := c.rememberAnew(m); err != nil {
		t.Fatal(err)
	}
	if again, err := c.remembered(); err != nil || len(again.Keys) != mostKeys {
		t.Errorf("%d keys, %v", len(again.Keys), err)
	}
	if _, err := c.Add(t.Context()); !errors.Is(err, errTooMany) {
		t.Error(err)
	}
}

// Whatever stands in the file of a key under a passphrase, it is that key or an
// error, and costs no more than can be borne.
func FuzzWrappedKey(f *testing.F) {
	folder := f.TempDir()
	w := wrapped{dir: folder, ask: says("a few words"), cost: cheap}
	key := [Size]byte{1, 2, 3}
	id := identify(key)
	if err := w.store(f.Context(), id, key); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(w.where(id))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(strings.Replace(string(whole), "memory=8 ", "memory=2097152 ", 1)))
	f.Add([]byte(strings.Replace(string(whole), "time=1 ", "time=4294967296 ", 1)))
	f.Add(bytes.ReplaceAll(whole, []byte("\n"), []byte("\r\n")))
	f.Add(append(bytes.Clone(whole), whole...))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, ok := readWrapped(text)
		if !ok {
			return
		}
		if !file.cost.bearable() {
			t.Fatalf("%v is borne", file.cost)
		}
		if file.cost.time > 1 || file.cost.memory > 64 || file.cost.threads > 2 {
			return // what it costs is known, and this has many rounds
		}
		w := wrapped{dir: t.TempDir(), ask: func(context.Context) (string, error) { return "a few words", nil }}
		if err := os.WriteFile(filepath.Join(w.dir, filepath.Base(w.where(id))), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if loaded, err := w.load(t.Context(), id); err == nil && loaded != key {
			t.Fatal("another key was opened")
		}
	})
}
