//go:build unix

package key

import (
	"os"
	"testing"
)

// modes_test.go owns what is said of files that other users can get at.

func TestOpenFiles(t *testing.T) {
	for _, choice := range []Choice{ChoiceFile, ChoicePassphrase} {
		for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o660, 0o666} {
			c := config(t)
			_, info := mustCreate(t, c, choice)
			if err := os.Chmod(info.Where, mode); err != nil {
				t.Fatal(err)
			}
			_, _, err := c.Load(t.Context())
			wants(t, "load", err, nil, "chmod 600 "+info.Where)
			if stat, err := os.Stat(info.Where); err != nil || stat.Mode().Perm() != mode {
				t.Errorf("load changed the mode to %v (%v)", stat.Mode(), err)
			}
		}
	}
}

func TestOpenChoice(t *testing.T) {
	c := config(t)
	mustCreate(t, c, ChoiceFile)
	for _, test := range []struct {
		mode os.FileMode
		ok   bool
	}{{0o644, true}, {0o664, false}, {0o602, false}} {
		if err := os.Chmod(c.path(memoryName), test.mode); err != nil {
			t.Fatal(err)
		}
		_, _, err := c.Load(t.Context())
		if test.ok && err != nil {
			t.Errorf("load with a choice of mode %04o: %v", test.mode, err)
		} else if !test.ok {
			wants(t, "load", err, nil, "chmod 600 "+c.path(memoryName))
		}
	}
}

func TestOpenFolder(t *testing.T) {
	for _, mode := range []os.FileMode{0o777, 0o770, 0o702} {
		c := config(t)
		if err := os.Mkdir(c.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(c.Dir, mode); err != nil {
			t.Fatal(err)
		}
		_, _, err := c.Create(t.Context(), ChoiceFile)
		wants(t, "create", err, nil, "chmod 700 "+c.Dir)
	}
}
