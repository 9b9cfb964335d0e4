package venuekey_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/sqlite"
)

// testdata/first is a vault as the first version left it on the disk, its key
// beside it: an app, a sign-in as it was signed in, one that was renewed, one whose
// refresh token was refused, one whose answer was lost, and one whose renewed token
// lies in a spill file. Its secrets are made up. Whatever is changed in records,
// seals, schema or spill files, this has to open.

// copyPrivately copies a folder as a vault lies on a disk. Git keeps no modes.
func copyPrivately(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == from {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.Mkdir(target, 0o700)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// ctraderStage is the scripted venue under the name that the records have.
type ctraderStage struct{ *keepertest.Venue }

func (ctraderStage) Name() string { return "ctrader" }

func TestAVaultOfTheFirstVersionOpens(t *testing.T) {
	dir := copyPrivately(t, filepath.Join("testdata", "first"))
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "vault.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	vault, _, err := key.Config{Dir: dir}.Vault(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	app, err := vault.App(t.Context(), "ctrader")
	if err != nil || app.ClientID != "17_abc" || app.ClientSecret != "app-secret" || app.RedirectURI != "http://localhost:17890/callback" {
		t.Errorf("the app: %+v, %v", app, err)
	}

	venue := ctraderStage{&keepertest.Venue{Terms: venuekey.Policy{AfterLostAnswer: venuekey.RetryUntilRefused, DefaultLife: time.Hour}}}
	keeper := &venuekey.Keeper{Vault: vault, Venues: []venuekey.Venue{venue}, Spills: []string{filepath.Join(dir, "spill")}}
	defer keeper.Close()
	for name, want := range map[string]struct {
		access     venuekey.Secret
		state      venuekey.State
		generation int64
	}{
		"fresh":     {"access-of-refresh-fresh", venuekey.StateFresh, 1},
		"renewed":   {"access-of-refresh-renewed-next", venuekey.StateFresh, 2},
		"spilled":   {"access-of-refresh-spilled-next", venuekey.StateFresh, 2},
		"dead":      {"", venuekey.StateNeedsSignIn, 1},
		"uncertain": {"", venuekey.StateUncertain, 1},
	} {
		id := venuekey.ID{Venue: "ctrader", Name: name}
		if want.access != "" {
			token, err := keeper.Token(t.Context(), id)
			if err != nil || token.Access != want.access || token.User != "4711" || token.Expires.Year() != 2126 {
				t.Errorf("%s: the token is another, or %v", id, err)
			}
		}
		status, err := keeper.Status(t.Context(), id)
		if err != nil || status.State != want.state || status.Generation != want.generation {
			t.Errorf("%s: state %q of generation %d, %v; want %q of %d", id, status.State, status.Generation, err, want.state, want.generation)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "spill", "*.spill")); len(left) > 0 {
		t.Errorf("a saved spill is still there: %v", left)
	}
	// What renews is whole too.
	if _, err := keeper.Refresh(t.Context(), venuekey.ID{Venue: "ctrader", Name: "renewed"}); err == nil || venue.Presented["refresh-renewed-next"] != 1 {
		t.Errorf("presented %v; %v", venue.Presented, err)
	}
}
