package crash_test

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// password_test.go tests programs that are killed while they sign in with a kept password.

// calm is Tradovate without maintenance, since these stories run by the real clock.
type calm struct{ tradovate.Venue }

func (v calm) Policy() venuekey.Policy {
	policy := v.Venue.Policy()
	policy.Maintenance = venuekey.Maintenance{}
	return policy
}

// alice types her name and password.
type alice struct{ keepertest.NoUI }

func (alice) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return map[string]venuekey.Secret{"name": "alice", "password": "wonderland"}, nil
}

func (alice) Tell(string) {}

// A program that dies at any step of a sign-in with a kept password costs at most that session:
// the next program signs in once, with the password, which nobody has to type again.
func TestProgramsKilledWhileTheySignIn(t *testing.T) {
	venue := &tradovateemu.Server{Knobs: tradovateemu.Knobs{SessionLimit: 99}}
	web := httptest.NewServer(venue)
	t.Cleanup(web.Close)
	for _, step := range []string{"loaded", "claimed", "answered", "sealed", "saved"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			s := scene{errand: errand{Vault: filepath.Join(t.TempDir(), "vault", "vault.db"), Spill: filepath.Join(t.TempDir(), "spill"), Venue: web.URL,
				ID: venuekey.ID{Venue: "tradovate", Name: step}, Die: step}}
			keeper := s.program(t)
			if _, err := keeper.SignInWith(t.Context(), s.ID, alice{}, venuekey.SignInOptions{KeepPassword: true}); err != nil {
				t.Fatal(err)
			}
			err := keepertest.Rewrite(t.Context(), keeper.Vault, s.ID, func(token *venuekey.Token, record *venuekey.Record) {
				token.Issued, token.Expires, token.SignedIn = time.Now().Add(-30*time.Hour), time.Now().Add(-29*time.Hour), time.Now().Add(-30*time.Hour)
				record.NextRefresh = time.Now().Add(-29 * time.Hour)
			})
			if err != nil {
				t.Fatal(err)
			}
			if output, err := s.command().CombinedOutput(); err == nil {
				t.Fatalf("the program survived: %s", output)
			}
			next := s.program(t)
			token, err := next.Token(t.Context(), s.ID)
			if err != nil || !venue.Alive(string(token.Access)) {
				t.Fatalf("%+v %v", token, err)
			}
			if status, err := next.Status(t.Context(), s.ID); err != nil || !status.KeptPassword {
				t.Errorf("%+v %v", status, err)
			}
		})
	}
	t.Cleanup(func() {
		granted, refused := venue.Log().Count(emulator.EventLoginGranted), venue.Log().Count(emulator.EventLoginRefused)
		if granted != 5+5+2 || refused != 0 { // each user, the next programs, and those that died after the answer
			t.Errorf("%d sign-ins granted, %d refused", granted, refused)
		}
	})
}
