package key_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/sqlite"
)

// vault_test.go owns the vault that follows its keys: programs on one file, as
// README shows them.

// counting is a venue whose tokens are numbered.
type counting struct{ given atomic.Int64 }

func (*counting) Name() string            { return "counting" }
func (*counting) Policy() venuekey.Policy { return venuekey.Policy{DefaultLife: time.Hour} }

func (v *counting) Login(context.Context, venuekey.App, venuekey.UI) (venuekey.Token, error) {
	return v.next(), nil
}

func (v *counting) Refresh(context.Context, venuekey.App, venuekey.Token) (venuekey.Token, error) {
	return v.next(), nil
}

func (v *counting) next() venuekey.Token {
	n := v.given.Add(1)
	return venuekey.Token{Access: venuekey.Secret(fmt.Sprint("access-", n)), Refresh: venuekey.Secret(fmt.Sprint("refresh-", n))}
}

type silent struct{ venuekey.UI }

var alice = venuekey.ID{Venue: "counting", Name: "alice"}

// program is one as README shows it.
func program(t *testing.T, path string, keys key.Config, venue venuekey.Venue) *venuekey.Keeper {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	vault, _, err := keys.Vault(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return &venuekey.Keeper{Vault: vault, Venues: []venuekey.Venue{venue}}
}

func TestAVaultFollowsARotation(t *testing.T) {
	for _, choice := range []key.Choice{key.ChoiceFile, key.ChoicePassphrase} {
		t.Run(string(choice), func(t *testing.T) {
			asked := 0
			path, venue := filepath.Join(t.TempDir(), "vault.db"), new(counting)
			keys := key.Config{Dir: filepath.Join(t.TempDir(), "key"), Passphrase: func(context.Context) (string, error) {
				asked++
				return "a few words", nil
			}}
			if _, _, err := keys.Create(t.Context(), choice); err != nil {
				t.Fatal(err)
			}
			one := program(t, path, keys, venue)
			if err := one.Vault.SaveApp(t.Context(), venuekey.App{Venue: "counting"}); err != nil {
				t.Fatal(err)
			}
			if _, err := one.SignIn(t.Context(), alice, silent{}); err != nil {
				t.Fatal(err)
			}
			running := program(t, path, keys, venue)
			if _, err := running.Token(t.Context(), alice); err != nil {
				t.Fatal(err)
			}

			// Another program rotates the key and renews; the old key is destroyed.
			if _, err := keys.Add(t.Context()); err != nil {
				t.Fatal(err)
			}
			current, err := keys.Use()
			if err != nil {
				t.Fatal(err)
			}
			asked = 0
			rotating := program(t, path, keys, venue)
			if choice == key.ChoicePassphrase && asked != 1 {
				t.Errorf("the passphrase of two keys was asked for %d times", asked)
			}
			if _, err := rotating.Vault.Rekey(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := rotating.Refresh(t.Context(), alice); err != nil {
				t.Fatal(err)
			}
			if _, err := keys.Retire(); err != nil {
				t.Fatal(err)
			}

			// The one that was running all the time has the new token, and seals with
			// the new key from then on.
			token, err := running.Reject(t.Context(), alice, "access-1")
			if err != nil || token.Access != "access-2" {
				t.Fatalf("%v %v", token, err)
			}
			if _, err := running.Refresh(t.Context(), alice); err != nil {
				t.Fatal(err)
			}
			if sealed, err := one.Census(t.Context()); err != nil || len(sealed) != 1 || sealed[current].Records == 0 {
				t.Errorf("sealed with %v, not with %s alone (%v)", sealed, current, err)
			}
		})
	}
}

func TestAVaultWithoutAKey(t *testing.T) {
	if _, _, err := (key.Config{Dir: t.TempDir()}).Vault(t.Context(), nil); !errors.Is(err, key.ErrNoKey) {
		t.Error(err)
	}
}
