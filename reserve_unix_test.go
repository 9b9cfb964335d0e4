//go:build unix

package venuekey_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
)

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
	venue := &keepertest.Venue{}
	keeper, _ := keepertest.SignedIn(t, venue)
	keeper.Spills = []string{folder}
	if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(filepath.Join(folder, ".reserve")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the reserve: %v %v", info.Mode(), err)
	}
}
