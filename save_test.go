package venuekey_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
)

// What is told of a renewed token that the store refused: that it is saved by
// somebody else is good news, that it is lost is not.

// said is a log that can be read while it is written.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// logged gives a Keeper a log and returns it.
func logged(k *venuekey.Keeper) *said {
	log := new(said)
	k.Log = slog.New(slog.NewTextHandler(log, nil))
	return log
}

// warned gives the warnings and errors of a log.
func (s *said) warned() string {
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
				venue := &stageVenue{}
				keeper, store := signedIn(t, venue)
				keeper.Spill = t.TempDir()
				other := newKeeper(t, store, venue)
				other.Spill = keeper.Spill
				store.turn(rotations)
				if _, err := keeper.Refresh(t.Context(), alice); err != nil {
					t.Fatal(err)
				}
				store.turn(nil)
				mustToken(t, other, "access-2") // which saves it
				for range renewals {
					if _, err := other.Refresh(t.Context(), alice); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Second) // it looks at the store again
				log := logged(keeper)
				mustToken(t, keeper, []string{"access-2", "", "access-4"}[renewals])
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
			_, err := k.SignIn(t.Context(), alice, silent{})
			return err
		}, "replaced meanwhile"},
		"signed out": {func(t *testing.T, k *venuekey.Keeper) error { return k.SignOut(t.Context(), alice, false) }, "ended meanwhile"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				venue := &stageVenue{}
				keeper, store := signedIn(t, venue)
				keeper.Spill = t.TempDir()
				store.turn(rotations)
				if _, err := keeper.Refresh(t.Context(), alice); err != nil {
					t.Fatal(err)
				}
				store.turn(nil)
				if err := row.meanwhile(t, newKeeper(t, store, venue)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				log := logged(keeper)
				_, _ = keeper.Token(t.Context(), alice)
				if !strings.Contains(log.warned(), row.want) {
					t.Errorf("%q is not told of, but %s", row.want, log)
				}
			})
		})
	}
}

// A program may end when what it renewed lies in a spill file.
func TestASpilledTokenIsNoReasonNotToEnd(t *testing.T) {
	venue := &stageVenue{}
	keeper, store := signedIn(t, venue)
	keeper.Spill = t.TempDir()
	log := logged(keeper)
	store.turn(rotations)
	if _, err := keeper.Refresh(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if err := keeper.Close(); err != nil {
		t.Fatal(err)
	}
	if file := spills(t, keeper.Spill)[0]; !strings.Contains(log.warned(), file) {
		t.Errorf("where the token lies is not told: %s", log)
	}
}
