package venuekey_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/store/memory"
)

// What is told of a renewed token that the store refused: that it is saved by
// somebody else is good news, that it is lost is not.

// said is a log that can be read while it is written.
type venueError struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *venueError) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *venueError) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// logged gives a Keeper a log and returns it.
func logged(k *venuekey.Keeper) *venueError {
	log := new(venueError)
	k.Log = slog.New(slog.NewTextHandler(log, nil))
	return log
}

// warned gives the warnings and errors of a log.
func (s *venueError) warned() string {
	var lines []string
	for line := range strings.Lines(s.String()) {
		if !strings.Contains(line, "level=INFO") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestASpillThatAnotherProgramSavedIsNoLoss(t *testing.T) {
	for name, renewals := range map[string]int{"saved": 0, "saved and renewed since": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{}
				keeper, store := keepertest.SignedIn(t, venue)
				keeper.Spills = []string{t.TempDir()}
				other := keepertest.New(t, store, venue)
				other.Spills = keeper.Spills
				store.Refuse(keepertest.Rotations)
				if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
					t.Fatal(err)
				}
				store.Refuse(nil)
				keepertest.WantToken(t, other, "access-2") // which saves it
				for range renewals {
					if _, err := other.Refresh(t.Context(), keepertest.Alice); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Second) // it looks at the store again
				log := logged(keeper)
				keepertest.WantToken(t, keeper, []string{"access-2", "", "access-4"}[renewals])
				if warned := log.warned(); warned != "" {
					t.Error(warned)
				}
			})
		})
	}
}

func TestARenewedTokenThatIsDroppedIsTold(t *testing.T) {
	for name, row := range map[string]struct {
		meanwhile func(*testing.T, *venuekey.Keeper) error
		want      string
	}{
		"signed in anew": {func(t *testing.T, k *venuekey.Keeper) error {
			_, err := k.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{})
			return err
		}, "replaced meanwhile"},
		"signed out": {func(t *testing.T, k *venuekey.Keeper) error { return k.SignOut(t.Context(), keepertest.Alice, false) }, "ended meanwhile"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{}
				keeper, store := keepertest.SignedIn(t, venue)
				keeper.Spills = []string{t.TempDir()}
				store.Refuse(keepertest.Rotations)
				if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
					t.Fatal(err)
				}
				store.Refuse(nil)
				if err := row.meanwhile(t, keepertest.New(t, store, venue)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				log := logged(keeper)
				_, _ = keeper.Token(t.Context(), keepertest.Alice)
				if !strings.Contains(log.warned(), row.want) {
					t.Errorf("%q is not told of, but %s", row.want, log)
				}
			})
		})
	}
}

// A program may end when what it renewed lies in a spill file.
func TestASpilledTokenIsNoReasonNotToEnd(t *testing.T) {
	venue := &keepertest.Venue{}
	keeper, store := keepertest.SignedIn(t, venue)
	keeper.Spills = []string{t.TempDir()}
	log := logged(keeper)
	store.Refuse(keepertest.Rotations)
	if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
		t.Fatal(err)
	}
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	if file := keepertest.Spills(t, keeper.Spills[0])[0]; !strings.Contains(log.warned(), file) {
		t.Errorf("where the token lies is not told: %s", log)
	}
}

// Neither the store nor a spill folder takes the token: it is held, that is told
// once and can be asked for, and it is saved as soon as something takes it.
func TestATokenThatIsInMemoryOnlyIsHeld(t *testing.T) {
	for name, spills := range map[string]func(t *testing.T) []string{
		"no folder":                  func(*testing.T) []string { return nil },
		"folders that cannot be had": func(t *testing.T) []string { return []string{notAFolder(t), notAFolder(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &keepertest.Venue{}
				keeper, store := keepertest.SignedIn(t, venue)
				keeper.Spills = spills(t)
				log := logged(keeper)
				store.Refuse(keepertest.Rotations)
				if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err == nil {
					t.Fatal("a token was handed out that is nowhere")
				}
				if held := keeper.Held(); len(held) != 1 || held[0] != keepertest.Alice {
					t.Errorf("held: %v", held)
				}
				if err := keeper.Close(); err == nil || !strings.Contains(err.Error(), "stage/alice") {
					t.Errorf("closed: %v", err)
				}
				if told := strings.Count(log.String(), "only copy of a renewed token"); told != 1 {
					t.Errorf("told %d times: %s", told, log)
				}
				store.Refuse(nil)
				if err := keeper.Close(); err != nil || len(keeper.Held()) != 0 {
					t.Errorf("closed: %v, held %v", err, keeper.Held())
				}
				keepertest.WantToken(t, keepertest.New(t, store, venue), "access-2")
			})
		})
	}
}

// A sign-in that nothing takes is held like a renewal.
func TestASignInThatNothingTakesIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue, store := &keepertest.Venue{}, &keepertest.Store{Store: &memory.Store{}}
		keeper := keepertest.New(t, store, venue)
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.SignIn(t.Context(), keepertest.Alice, keepertest.NoUI{}); err == nil || len(keeper.Held()) != 1 {
			t.Fatalf("%v, held %v", err, keeper.Held())
		}
		store.Refuse(nil)
		if err := keeper.Close(); err != nil {
			t.Fatal(err)
		}
		keepertest.WantToken(t, keepertest.New(t, store, venue), "access-1")
	})
}

// notAFolder is a file where a folder should be.
func notAFolder(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The first folder takes nothing, the second does; any program that looks in both
// finds the newest.
func TestTheNextSpillFolderIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills = []string{notAFolder(t), t.TempDir()}
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		// An older spill that could not be removed lies in a folder that is looked
		// at earlier.
		older := t.TempDir()
		file := keepertest.Spills(t, keeper.Spills[1])[0]
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(older, filepath.Base(file)), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		store.Refuse(nil)
		time.Sleep(2 * time.Second)
		keepertest.WantToken(t, keeper, "access-2")
		store.Refuse(keepertest.Rotations)
		if _, err := keeper.Refresh(t.Context(), keepertest.Alice); err != nil {
			t.Fatal(err)
		}
		store.Refuse(nil)
		next := keepertest.New(t, store, venue)
		next.Spills = []string{older, keeper.Spills[1]}
		keepertest.WantToken(t, next, "access-3")
		for _, folder := range next.Spills {
			if files := keepertest.Spills(t, folder); len(files) != 0 {
				t.Errorf("left: %v", files)
			}
		}
	})
}

// A vault that can only be read: a good token is served, and nothing fails that
// is not needed for it.
func TestAStoreThatOnlyReadsServesGoodTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		keeper, store := keepertest.SignedIn(t, venue)
		keeper.Spills, keeper.Marks = []string{notAFolder(t)}, notAFolder(t)
		store.Refuse(func(venuekey.Record) error { return keepertest.ErrDiskFull })
		time.Sleep(keepertest.Life * 9 / 10) // it is due
		keepertest.WantToken(t, keeper, "access-1")
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
		if _, total := venue.Shown(); total != 0 {
			t.Error("a token was presented whose successor could not be kept")
		}
	})
}
