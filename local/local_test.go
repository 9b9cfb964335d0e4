package local

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/key"
)

// local_test.go owns the vault as other programs open it; the command's scripts test it
// through the command.

// at returns a Config whose vault is in a new folder, with nothing else in its environment.
func at(t *testing.T, environ ...string) Config {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	return Config{Environ: append([]string{"VENUEKEY_HOME=" + home, "VENUEKEY_KEY=file"}, environ...)}
}

var alice = venuekey.ID{Venue: "ttp", Name: "alice"}

func TestOpenCreatesNothing(t *testing.T) {
	c := at(t)
	vault, err := c.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer vault.Close()
	if !vault.Missing || vault.Key.ID != "" {
		t.Errorf("there is a vault already: %+v", vault.Key)
	}
	if _, err := vault.Token(t.Context(), alice); !venuekey.NeedsSignIn(err) {
		t.Errorf("%v, want that no one is signed in", err)
	}
	// Saving is refused: it would be forgotten.
	_, err = vault.Adopt(t.Context(), alice, venuekey.Token{Access: "a", Refresh: "r", Expires: time.Now().Add(time.Hour)})
	if !venuekey.Misconfigured(err) || !strings.Contains(err.Error(), "there is no vault with a key") {
		t.Errorf("%v, want that there is no vault", err)
	}
	if _, err := os.Lstat(environ.Get(c.Environ, "VENUEKEY_HOME")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was created: %v", err)
	}
}

func TestCreateCreatesAVaultOnce(t *testing.T) {
	c := at(t)
	var made []key.Info
	c.KeyMade = func(info key.Info) { made = append(made, info) }
	for range 2 {
		vault, err := c.Create(t.Context())
		if err == nil && vault.Missing {
			err = errors.New("it is missing")
		}
		if err == nil {
			_, err = vault.Adopt(t.Context(), alice, venuekey.Token{Access: "a", Refresh: "r", Expires: time.Now().Add(time.Hour)})
		}
		if err == nil {
			err = vault.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(made) != 1 || made[0].Choice != key.ChoiceFile {
		t.Errorf("keys were created: %+v", made)
	}
	vault, err := Config{Home: environ.Get(c.Environ, "VENUEKEY_HOME"), Environ: []string{}}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer vault.Close()
	if token, err := vault.Token(t.Context(), alice); err != nil || token.Access != "a" {
		t.Errorf("%v", err)
	}
	sealed, err := vault.Place.OpenSealed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sealed.CloseStore()
	for id, err := range sealed.Vault.IDs(t.Context()) {
		if err != nil || id != alice {
			t.Errorf("%s, %v", id, err)
		}
	}
	if vault.Key.ID != made[0].ID || vault.Writable(t.Context()) != nil {
		t.Errorf("%+v", vault.Key)
	}
}

// The list of venues is a value: a program can pass its own.
func TestTheVenuesAreThoseOfTheConfig(t *testing.T) {
	c := at(t, "VENUEKEY_ACME_CLIENT_ID=mine", "VENUEKEY_ACME_BASE_URL=https://acme.example", "VENUEKEY_TTP_CLIENT_ID=x")
	c.Venues = []venuekey.Venue{acme{}}
	vault, err := c.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer vault.Close()
	app, from, err := vault.App(t.Context(), "acme")
	if err != nil || from != FromEnvironment || app.ClientID != "mine" || app.URLs["base"] != "https://acme.example" || app.RedirectURI != DefaultRedirect {
		t.Errorf("%+v, %s, %v", app, from, err)
	}
	if _, _, err := vault.App(t.Context(), "ttp"); !venuekey.Misconfigured(err) {
		t.Errorf("%v, want that the venue is unknown", err)
	}
	if unknown := environ.Unknown(c.Environ, c.Venues); !slices.Equal(unknown, []string{"VENUEKEY_TTP_CLIENT_ID"}) {
		t.Errorf("%q", unknown)
	}
}

type acme struct{ venuekey.Venue }

func (acme) Name() string            { return "acme" }
func (acme) Policy() venuekey.Policy { return venuekey.Policy{} }

func TestAPassphraseIsAskedForOnce(t *testing.T) {
	c := at(t, "VENUEKEY_KEY=passphrase")
	var asked []bool
	c.Passphrase = func(_ context.Context, isNew bool) (venuekey.Secret, error) {
		asked = append(asked, isNew)
		return "correct horse battery", nil
	}
	place, err := c.Place()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		vault, err := place.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := vault.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(asked, []bool{true}) {
		t.Errorf("asked %v", asked)
	}
	c.Passphrase = nil
	if _, err := c.Open(t.Context()); !errors.Is(err, ErrNoPassphrase) || !venuekey.Misconfigured(err) {
		t.Errorf("%v, want ErrNoPassphrase", err)
	}
}

func TestAFolderThatOthersMayWriteToIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there a folder is private by its access list")
	}
	c := at(t)
	home := environ.Get(c.Environ, "VENUEKEY_HOME")
	if err := errors.Join(os.Mkdir(home, 0o700), os.Chmod(home, 0o777)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Open(t.Context()); !venuekey.Misconfigured(err) || !strings.Contains(err.Error(), "VENUEKEY_HOME="+home) {
		t.Errorf("%v", err)
	}
}

func TestTheEmulatedAppIsTheEmulators(t *testing.T) {
	if got := emulator.DefaultApp().ClientID; got != emulatedClient {
		t.Errorf("the emulated venues know %q, and %q is looked for", got, emulatedClient)
	}
}

// The log has what nobody may miss, such as the only copy of a token in memory.
func TestAVaultLogsWhereTheProgramDoes(t *testing.T) {
	for _, log := range []*slog.Logger{nil, slog.New(slog.DiscardHandler)} {
		c := at(t)
		c.Log = log
		vault, err := c.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := cmp.Or(log, slog.Default()); vault.Log != want {
			t.Errorf("the log is %v, want %v", vault.Log, want)
		}
		if err := vault.Close(); err != nil {
			t.Error(err)
		}
	}
}
