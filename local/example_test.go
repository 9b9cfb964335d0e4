package local_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
)

// Open opens the command's vault, with its folders, key and environment. If there is none
// yet, no one is signed in.
func ExampleOpen() {
	home, err := os.MkdirTemp("", "example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(home)
	os.Setenv("VENUEKEY_HOME", filepath.Join(home, "venuekey")) // only so that this example does not find yours
	ctx := context.Background()

	vault, err := local.Open(ctx)
	if err != nil {
		panic(err)
	}
	defer vault.Close()
	_, err = vault.Token(ctx, venuekey.ID{Venue: "ctrader", Name: "alice"})
	fmt.Println(venuekey.NeedsSignIn(err))
	// Output: true
}

// A program that saves something creates the vault if there is none.
func ExampleConfig_Create() {
	home, err := os.MkdirTemp("", "example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(home)
	ctx := context.Background()

	vault, err := local.Config{Home: filepath.Join(home, "venuekey"), Key: key.ChoiceFile}.Create(ctx)
	if err != nil {
		panic(err)
	}
	defer vault.Close()
	id := venuekey.ID{Venue: "ctrader", Name: "alice"}
	if _, err := vault.Adopt(ctx, id, venuekey.Token{Access: "from-elsewhere", Refresh: "works-once", Expires: time.Now().Add(720 * time.Hour)}); err != nil {
		panic(err)
	}
	state, err := vault.State(ctx, id)
	fmt.Println(vault.Key.Choice, state, err)
	// Output: file fresh <nil>
}
