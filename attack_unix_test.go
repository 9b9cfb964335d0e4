//go:build unix

package venuekey_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/needs"
)

// attack_unix_test.go owns what another user of the machine does to spill files and
// marks.

const secondUser = "a second user"

func TestAttackASpillFolderThatAnotherUserMade(t *testing.T) {
	street := needs.Street(t)
	needs.StrangerDoes(t, secondUser, street, "mkdir -m 777 spill marks")
	venue := &stageVenue{}
	keeper, store := signedIn(t, venue)
	own := filepath.Join(street, "own")
	keeper.Spills, keeper.Marks = []string{filepath.Join(street, "spill"), own}, filepath.Join(street, "marks")
	store.turn(rotations)
	if _, err := keeper.Refresh(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if files := spills(t, own); len(files) != 1 {
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
	venue := &stageVenue{}
	keeper, store := signedIn(t, venue)
	keeper.Spills, keeper.Marks = []string{t.TempDir()}, filepath.Join(t.TempDir(), "marks")
	store.turn(rotations)
	if _, err := keeper.Refresh(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	store.turn(nil)
	files := append(spills(t, keeper.Spills[0]), filesIn(t, keeper.Marks, "*")...)
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
	next := newKeeper(t, store, venue)
	next.Spills, next.Marks = keeper.Spills, keeper.Marks
	ended := make(chan error, 1)
	go func() {
		_, err := next.Status(t.Context(), alice)
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
	venue := &stageVenue{policy: venuekey.Policy{AfterLostAnswer: venuekey.RetryNever}}
	keeper := onOlderCopy(t, venue)
	mustState(t, keeper, venuekey.StateUncertain, "the vault went back in time")
	for _, file := range filesIn(t, keeper.Marks, "*") {
		if err := os.Chown(file, needs.StrangerID, needs.StrangerID); err != nil {
			t.Fatal(err)
		}
	}
	if status, err := keeper.Status(t.Context(), alice); err != nil || status.Behind {
		t.Errorf("his marks are believed: %+v %v", status, err)
	}
}

// A link in the place of the reserve leads what is written over it to any file.
func TestAttackALinkInThePlaceOfTheReserve(t *testing.T) {
	folder, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	precious := strings.Repeat("precious", 2048)
	if err := errors.Join(os.WriteFile(victim, []byte(precious), 0o600), os.Symlink(victim, filepath.Join(folder, ".reserve"))); err != nil {
		t.Fatal(err)
	}
	if err := venuekey.WriteReserved(filepath.Join(folder, "x.spill"), []byte("{}")); err == nil {
		t.Error("it was written over")
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != precious {
		t.Errorf("the other file holds %.9q now (%v)", text, err)
	}
	// And a link is no space.
	venue := &stageVenue{}
	keeper, _ := signedIn(t, venue)
	keeper.Spills = []string{folder}
	if _, err := keeper.Refresh(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(filepath.Join(folder, ".reserve")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the reserve: %v %v", info.Mode(), err)
	}
}
