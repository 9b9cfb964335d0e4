package local_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
	"github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/key"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/store/memory"
	venue "github.com/venuekey/venuekey/venue/tradovate"
)

// example_place_test.go owns the manual of a vault's place, keys, apps and connections.

var ctx = context.Background()

// temporary is a folder for one example.
func temporary() (folder string, remove func()) {
	folder, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Panic(err)
	}
	return folder, func() { os.RemoveAll(folder) }
}

// place is the location of a vault in a folder that does not exist yet.
func place(environ ...string) (*local.Place, func()) {
	folder, remove := temporary()
	at, err := local.Config{Home: filepath.Join(folder, "venuekey"), Environ: environ}.Place()
	if err != nil {
		log.Panic(err)
	}
	return at, remove
}

// A Place is found without reading anything. It says where everything is, and whether the
// folders are this user's alone.
func ExampleConfig_Place() {
	folder, remove := temporary()
	defer remove()
	at, err := local.Config{Home: filepath.Join(folder, "venuekey"), Environ: []string{"VENUEKEY_KEY=file"}}.Place()
	if err != nil {
		fmt.Println(err)
		return
	}
	vault, err := at.Create(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer vault.Close()

	fmt.Println(filepath.Base(at.Address().String()), filepath.Base(at.Marks()), len(at.Spills()) > 0)
	fmt.Println(at.Check(), at.CheckRuntime(), at.CheckFolder(at.Config), errors.Is(at.CheckFolder(at.Config+"/none"), os.ErrNotExist))
	fmt.Println(vault.Writable(ctx), len(local.Venues()), "venues", filepath.Base(at.Audit()), filepath.Base(at.Notices()))
	// Output:
	// vault.db marks true
	// <nil> <nil> <nil> true
	// <nil> 3 venues audit.log notify
}

// An address prints without its password.
func ExampleParseAddress() {
	address, err := local.ParseAddress("postgres://venuekey:secret@db.example.com/trading")
	fmt.Println(address, address.IsDatabase(), address.HasPassword(), address.IsZero(), err)

	_, err = local.ParseAddress("mysql://db.example.com/trading")
	fmt.Println(venuekey.Misconfigured(err))
	// Output:
	// postgres://venuekey@db.example.com/trading true true false <nil>
	// true
}

// A database gets the tables of this version; a file needs no migration.
func ExampleAddress_Migrate() {
	folder, remove := temporary()
	defer remove()
	address, err := local.ParseAddress(filepath.Join(folder, "vault.db"))
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := address.Open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	fmt.Println(address.Migrate(ctx))
	// Output: 1 1 <nil>
}

// The first key is created with the vault, or before it, as "venuekey init" does.
func ExamplePlace_NewKeys() {
	at, remove := place("VENUEKEY_KEY=file")
	defer remove()
	choice, err := at.KeyChoice()
	if err == nil {
		err = at.MakeKeyFolder()
	}
	if err == nil {
		_, _, err = at.NewKeys().Create(ctx, choice)
	}
	fmt.Println(choice, err)

	_, _, err = at.NewKeys().Create(ctx, choice) // never twice
	fmt.Println(errors.Is(err, key.ErrExists), at.KeyError(nil))
	// Output:
	// file <nil>
	// true <nil>
}

// A key is replaced while programs run: add one, then seal everything with it.
func ExampleVault_Rekey() {
	at, remove := place("VENUEKEY_KEY=file")
	defer remove()
	vault, err := at.Create(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer vault.Close()
	if _, err := vault.Adopt(ctx, alice, venuekey.Token{Access: "a", Refresh: "r", Expires: time.Now().Add(time.Hour)}); err != nil {
		fmt.Println(err)
		return
	}
	added, err := at.Keys().Add(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	id, done, err := vault.Rekey(ctx, nil)
	fmt.Println(id == added.ID, done.Sealed > 0, err)
	// Output: true true <nil>
}

// The environment overrides the vault, so a container needs no "app add".
func ExampleVault_App() {
	at, remove := place("VENUEKEY_KEY=file", "VENUEKEY_TTP_CLIENT_ID=my-bot", "VENUEKEY_TTP_CLIENT_SECRET=from-the-mail")
	defer remove()
	vault, err := at.Create(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer vault.Close()
	app, from, err := vault.App(ctx, "ttp")
	fmt.Println(app.ClientID, "from", from, err)
	_, err = vault.StoredApp(ctx, "ttp")
	fmt.Println(local.NotRegistered(err))

	secret, err := at.Secret(ctx, "VENUEKEY_TTP_CLIENT_SECRET") // or VENUEKEY_TTP_CLIENT_SECRET_FILE
	fmt.Println(secret, err)
	// Output:
	// my-bot from environment <nil>
	// true
	// [secret] <nil>
}

// Names can be listed and records copied without the key: everything stays sealed.
func ExamplePlace_OpenSealed() {
	at, remove := place("VENUEKEY_KEY=file")
	defer remove()
	vault, err := at.Create(ctx)
	if err == nil {
		_, err = vault.Adopt(ctx, alice, venuekey.Token{Access: "a", Refresh: "r", Expires: time.Now().Add(time.Hour)})
	}
	if err == nil {
		err = vault.Close()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed, err := at.OpenSealed(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sealed.CloseStore()
	for id, err := range sealed.Keeper.Vault.IDs(ctx) {
		fmt.Println(id, err)
	}
	copied, err := sealed.Keeper.Vault.Copy(ctx, new(memory.Store), nil)
	fmt.Println(copied.Copied > 0, err)
	// Output:
	// ctrader/alice <nil>
	// true <nil>
}

var alice = venuekey.ID{Venue: "ctrader", Name: "alice"}

// With a sign-in at cTrader, the Open API is two lines away. Here it is an emulated one,
// which the environment names.
func ExampleVault_CTrader() {
	environ, stop := emulatedCTrader()
	defer stop()
	at, remove := place(environ...)
	defer remove()
	vault, err := at.Create(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer vault.Close()
	if _, err := vault.SignIn(ctx, alice, user{}); err != nil {
		fmt.Println(err)
		return
	}

	cTrader, err := vault.CTrader(ctx, alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := cTrader.Client(false) // every demo account of the sign-in
	running, end := context.WithCancel(ctx)
	defer end()
	go client.Run(running)
	fmt.Println(client.Ready(ctx), client.State().Accounts[0].ID)
	// Output: <nil> 5001
}

// With a sign-in at Tradovate, so are its REST API and its WebSocket. Here it is an
// emulated one; a live one is named by nothing.
func ExampleVault_Tradovate() {
	server := &tradovate.Server{Knobs: tradovate.Knobs{AnyLoopbackRedirect: true}}
	web := httptest.NewServer(server)
	defer web.Close()
	app := emulator.DefaultApp()
	at, remove := place("VENUEKEY_KEY=file", "VENUEKEY_TRADOVATE_BASE_URL="+web.URL, "VENUEKEY_TRADOVATE_REDIRECT_URI=http://localhost:0/auth/callback",
		"VENUEKEY_TRADOVATE_CLIENT_ID="+app.ClientID, "VENUEKEY_TRADOVATE_CLIENT_SECRET="+app.ClientSecret)
	defer remove()
	vault, err := at.Create(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer vault.Close()
	id := venuekey.ID{Venue: "tradovate", Name: "alice"}
	if _, err := vault.SignIn(ctx, id, user{}); err != nil {
		fmt.Println(err)
		return
	}

	trader, err := vault.Tradovate(ctx, id)
	if err != nil {
		fmt.Println(err)
		return
	}
	user, err := trader.UserID(ctx)
	fmt.Println(user, err)
	me, err := trader.Me(ctx)
	fmt.Println(strings.Contains(string(me), "alice"), err)
	accounts, err := trader.Call(ctx, "", venue.Operation{Path: "account/list"})
	fmt.Println(len(accounts) > 2, err)
	orders, err := trader.Client(ctx, venue.HostDemo) // and the WebSockets
	fmt.Println(orders != nil, err)
	quotes, err := trader.MarketData(ctx)
	fmt.Println(quotes != nil, err)
	// Output:
	// 1001 <nil>
	// true <nil>
	// true <nil>
	// true <nil>
	// true <nil>
}

// emulatedCTrader starts one, and returns the variables that lead to it, as "venuekey
// emulate" prints them.
func emulatedCTrader() (environ []string, stop func()) {
	venue := &ctrader.Server{Knobs: ctrader.Knobs{AnyLoopbackRedirect: true}}
	web := httptest.NewServer(venue)
	api := &openapi.Server{Venue: venue}
	if err := api.Start(); err != nil {
		log.Panic(err)
	}
	folder, remove := temporary()
	authority := filepath.Join(folder, "ca.pem")
	if err := os.WriteFile(authority, api.CAPEM(), 0o600); err != nil {
		log.Panic(err)
	}
	app := emulator.DefaultApp()
	return []string{
		"VENUEKEY_KEY=file", "VENUEKEY_CTRADER_CLIENT_ID=" + app.ClientID, "VENUEKEY_CTRADER_CLIENT_SECRET=" + app.ClientSecret,
		"VENUEKEY_CTRADER_REDIRECT_URI=http://localhost:0/auth/callback", "VENUEKEY_CTRADER_BASE_URL=" + web.URL,
		"VENUEKEY_CTRADER_LIVE_ADDRESS=" + api.Addresses().LiveProtobuf, "VENUEKEY_CTRADER_DEMO_ADDRESS=" + api.Addresses().DemoProtobuf,
		"VENUEKEY_CTRADER_CA_FILE=" + authority,
	}, func() { remove(); api.Close(); web.Close() }
}

// user is a person who signs in and allows access. A program passes &terminal.UI{}.
type user struct{ venuekey.UI }

func (user) Tell(string) {}

func (user) Visit(ctx context.Context, visit venuekey.Visit) error {
	person := emulator.DefaultUser()
	go (&emulator.Person{Name: person.Name, Password: person.Password}).Visit(ctx, visit.Open)
	return nil
}

func (user) Paste(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

// Venues that a file describes: those that come with this module, and your own, in a folder.
func ExamplePlace_Venue() {
	home, err := os.MkdirTemp("", "venuekey")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(home)
	place, err := local.Config{Home: home, Environ: []string{}}.Place()
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = os.Mkdir(place.Definitions(), 0o700)
	_ = os.WriteFile(filepath.Join(place.Definitions(), "broker.json"), []byte(`{"name": "broker", "extends": "schwab"}`), 0o600)
	names := place.VenueNames()
	fmt.Println(names[:3], names[len(names)-1])
	broker, err := place.Venue("broker")
	fmt.Println(broker.Name(), broker.Policy().RenewalLife, err)
	fmt.Println(len(place.DefinitionMark("broker")), place.DefinitionMark("schwab") == "")
	none, err := place.Venue("nowhere")
	fmt.Println(none, err)
	// Output:
	// [ctrader tradovate ttp] broker
	// broker 168h0m0s <nil>
	// 64 true
	// <nil> <nil>
}
