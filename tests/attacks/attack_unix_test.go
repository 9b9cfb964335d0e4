//go:build unix

package attacks_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
)

// attack_unix_test.go owns what another user of the machine does to spill files and
// marks.

const secondUser = "a second user"

func TestAttackASpillFolderThatAnotherUserMade(t *testing.T) {
	street := needs.Street(t)
	needs.StrangerDoes(t, secondUser, street, "mkdir -m 777 spill marks")
	venue := &keepertest.Venue{}
	keeper, store := keepertest.SignedIn(t, venue)
	own := filepath.Join(street, "own")
	keeper.Spills, keeper.Marks = []string{filepath.Join(street, "spill"), own}, filepath.Join(street, "marks")
	store.Refuse(keepertest.Rotations)
	if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
		t.Fatal(err)
	}
	if files := keepertest.Spills(t, own); len(files) != 1 {
		t.Errorf("in our folder: %q", files)
	}
	for _, folder := range []string{"spill", "marks"} {
		if left, _ := os.ReadDir(filepath.Join(street, folder)); len(left) != 0 {
			t.Errorf("something was written to his: %q", left)
		}
	}
}

// What a program reads in its folders is a file, and its own.
func TestAttackAPipeAmongSpillsAndMarks(t *testing.T) {
	venue := &keepertest.Venue{}
	keeper, store := keepertest.SignedIn(t, venue)
	keeper.Spills, keeper.Marks = []string{t.TempDir()}, filepath.Join(t.TempDir(), "marks")
	store.Refuse(keepertest.Rotations)
	if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
		t.Fatal(err)
	}
	store.Refuse(nil)
	files := append(keepertest.Spills(t, keeper.Spills[0]), keepertest.Files(t, keeper.Marks, "*")...)
	if len(files) < 1 {
		t.Fatalf("%q", files)
	}
	if err := os.MkdirAll(keeper.Marks, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := errors.Join(os.Remove(file), syscall.Mkfifo(file, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	next := keepertest.New(t, store, venue)
	next.Spills, next.Marks = keeper.Spills, keeper.Marks
	ended := make(chan error, 1)
	go func() {
		_, err := next.Status(t.Context(), keepertest.Alice)
		ended <- errors.Join(err, next.Close())
	}()
	select {
	case err := <-ended:
		if err != nil && !strings.Contains(err.Error(), "is not a file") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		for _, file := range files {
			if pipe, err := os.OpenFile(file, os.O_RDWR, 0); err == nil {
				defer pipe.Close()
			}
		}
		t.Error("it hangs")
	}
}

// Marks of another user would keep a sign-in from being renewed.
func TestAttackMarksOfAnotherUser(t *testing.T) {
	needs.Stranger(t, secondUser)
	venue := &keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryNever}}
	keeper := keepertest.OnOlderCopy(t, venue)
	keepertest.WantState(t, keeper, venuekey.StateUncertain, "the vault went back in time")
	for _, file := range keepertest.Files(t, keeper.Marks, "*") {
		if err := os.Chown(file, needs.StrangerID, needs.StrangerID); err != nil {
			t.Fatal(err)
		}
	}
	if status, err := keeper.Status(t.Context(), keepertest.Alice); err != nil || status.Behind {
		t.Errorf("his marks are believed: %+v %v", status, err)
	}
}
