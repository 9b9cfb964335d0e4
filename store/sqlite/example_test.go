package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/sqlite"
)

// Any number of programs on this machine can open the same file. Its content is sealed;
// key.Config.Vault provides a real key.
func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "venuekey-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "vault", "vault.db")

	for range 2 { // the first makes the file
		store, err := sqlite.Open(ctx, path)
		if err != nil {
			fmt.Println(err) // says what to do
			return
		}
		vault := &venuekey.Vault{Store: store, Key: venuekey.SealKey{1}}
		app, err := vault.App(ctx, "ctrader")
		fmt.Println(app.ClientID, venuekey.Misconfigured(err))
		if err := vault.SaveApp(ctx, venuekey.App{Venue: "ctrader", ClientID: "my-client"}); err != nil {
			fmt.Println(err)
		}
		if err := store.Close(); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// true
	// my-client false
}
