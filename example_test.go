package venuekey_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	ctraderemu "github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/venue/ctrader"
)

// browser is a UI with an emulated user; a program in a terminal uses &terminal.UI{}.
type browser struct {
	person emulator.Person
	done   chan error
}

func (b browser) Visit(ctx context.Context, visit venuekey.Visit) error {
	go func() { b.done <- b.person.Visit(ctx, visit.URL) }()
	return nil
}
func (browser) Paste(context.Context) (string, error) { return "", errors.ErrUnsupported }
func (browser) Ask(context.Context, []venuekey.Field) (map[string]venuekey.Secret, error) {
	return nil, errors.ErrUnsupported
}
func (browser) Tell(line string) {}

// A program signs alice in to an emulated cTrader, uses her token, and renews
// it. With sqlite.Open instead of the memory store, and without the base URL, it signs in
// to the real one.
func Example() {
	ctx := context.Background()
	emulated := httptest.NewServer(&ctraderemu.Server{Knobs: ctraderemu.Knobs{AnyLoopbackRedirect: true}})
	defer emulated.Close()

	folder, err := os.MkdirTemp("", "venuekey-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	keys := key.Config{Dir: folder} // "venuekey doctor" shows where the command has its own
	if _, _, err := keys.Create(ctx, key.ChoiceFile); err != nil {
		fmt.Println(err)
		return
	}
	vault, _, err := keys.Vault(ctx, &memory.Store{}) // it follows rotations of keys
	if err != nil {
		fmt.Println(err)
		return
	}
	keeper := &venuekey.Keeper{Vault: vault, Venues: []venuekey.Venue{ctrader.Venue{}}}
	defer keeper.Close()

	err = vault.SaveApp(ctx, venuekey.App{
		Venue: "ctrader", ClientID: "demo-client", ClientSecret: "demo-secret",
		RedirectURI: "http://127.0.0.1:0/auth/callback",
		URLs:        map[string]string{"base": emulated.URL},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	alice := venuekey.ID{Venue: "ctrader", Name: "alice"}
	ui := browser{emulator.Person{Name: "alice", Password: "wonderland"}, make(chan error, 1)}
	if _, err := keeper.SignIn(ctx, alice, ui); err != nil {
		fmt.Println(err)
		return
	}

	source := keeper.Source(alice)
	token, err := source.Token(ctx)
	fmt.Println(token.Access, token.Scopes, err)
	before := token.Access

	token, err = keeper.Refresh(ctx, alice)
	fmt.Println(token.Access != before, err)
	// Output:
	// [secret] [trading] <nil>
	// true <nil>
}
