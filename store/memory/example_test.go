package memory_test

import (
	"context"
	"fmt"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/store/memory"
)

// The zero value is ready to use, and forgets everything when its program ends: for
// tests.
func ExampleStore() {
	ctx := context.Background()
	vault := &venuekey.Vault{Store: &memory.Store{}, Key: venuekey.SealKey{1}}
	fmt.Println(vault.SaveApp(ctx, venuekey.App{Venue: "ctrader", ClientID: "my-client"}))
	app, err := vault.App(ctx, "ctrader")
	fmt.Println(app.ClientID, err)
	// Output:
	// <nil>
	// my-client <nil>
}
