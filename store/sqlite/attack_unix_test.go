//go:build unix

package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// attack_unix_test.go owns what another user of the machine puts where a vault is
// or will be.

const suite = "a second user"

func TestAttackAVaultThatAnotherUserMade(t *testing.T) {
	street := needs.Street(t)
	needs.StrangerDoes(t, suite, street, "mkdir -m 755 his")
	path := filepath.Join(street, "his", "vault.db")
	_, err := Open(t.Context(), path)
	says(t, err, venuekey.ClassMisconfigured, path, "belongs to another user", "its owner")
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 0 {
		t.Errorf("something was made there: %v", left)
	}
	path = filepath.Join(street, "ours", "vault.db")
	fill(t, path, 1)
	for _, name := range []string{path, path + "-wal", path + "-shm", filepath.Dir(path)} {
		if err := os.Chown(name, needs.StrangerID, needs.StrangerID); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), path)
		says(t, err, venuekey.ClassMisconfigured, path, "belongs to another user", "its owner")
		if err := os.Chown(name, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, path, 0)
}

// A link that was planted while the folder was open to others leads what SQLite
// writes, and what it cuts off, to another file.
func TestAttackALinkInThePlaceOfTheLog(t *testing.T) {
	for name, plant := range map[string]func(victim, at string) error{"link": os.Symlink, "second name": os.Link} {
		for _, suffix := range []string{"-wal", "-shm"} {
			for _, stage := range []string{"new", "old"} {
				t.Run(name+suffix+" "+stage, func(t *testing.T) {
					path, victim := place(t), filepath.Join(t.TempDir(), "victim")
					if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
						t.Fatal(err)
					}
					if stage == "old" {
						fill(t, path, 1)
						if err := os.Remove(path + suffix); err != nil {
							t.Fatal(err)
						}
					} else if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := plant(victim, path+suffix); err != nil {
						t.Fatal(err)
					}
					store, err := Open(t.Context(), path)
					if err == nil {
						_, err = store.Put(t.Context(), venuekey.Record{Key: "k"})
						err = errors.Join(err, store.Close())
					}
					says(t, err, venuekey.ClassMisconfigured, path, "is a ", "rm "+path+suffix)
					if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
						t.Errorf("the other file holds %.20q now (%v)", text, err)
					}
				})
			}
		}
	}
}

func TestAttackAPipeInThePlaceOfTheVault(t *testing.T) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		path := place(t)
		fill(t, path, 1)
		if err := errors.Join(os.Remove(path+suffix), syscall.Mkfifo(path+suffix, 0o600)); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			store, err := Open(t.Context(), path)
			if err == nil {
				err = errors.Join(errors.New("it is opened"), store.Close())
			}
			ended <- err
		}()
		select {
		case err := <-ended:
			says(t, err, venuekey.ClassMisconfigured, path, "is not a file", "")
		case <-time.After(5 * time.Second):
			t.Errorf("%q hangs", suffix)
			if pipe, err := os.OpenFile(path+suffix, os.O_RDWR, 0); err == nil {
				defer pipe.Close()
			}
		}
	}
}

// A vault that was put elsewhere by its owner is found through the link.
func TestAVaultBehindALinkOfOnesOwn(t *testing.T) {
	path, elsewhere := place(t), place(t)
	fill(t, elsewhere, 3)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.Symlink(elsewhere, path)); err != nil {
		t.Fatal(err)
	}
	store := openVault(t, path)
	if records, err := store.List(t.Context(), "", "", 9); err != nil || len(records) != 3 {
		t.Errorf("%d records, %v", len(records), err)
	}
	needs.Stranger(t, suite)
	if err := os.Lchown(path, needs.StrangerID, needs.StrangerID); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path)
	says(t, err, venuekey.ClassMisconfigured, path, "another user", "rm ")
}
