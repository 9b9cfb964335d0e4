package defined_test

import (
	"os"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	emu "github.com/venuekey/venuekey/emulator/defined"
	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
	"github.com/venuekey/venuekey/venue/venuetest"
)

// parsed returns the definition of that name that comes with the module.
func parsed(t testing.TB, name string) *definition.Definition {
	t.Helper()
	file, text, err := defined.Text(name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := defined.Parse(file, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// apps are the apps with which the embedded definitions are tried.
var apps = map[string]venuekey.App{
	"ttp":       {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	"schwab":    {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	"upstox":    {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	"kite":      {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "https://app.example/callback"},
	"questrade": {},

	"tastytrade":   {ClientID: "demo-client", ClientSecret: "demo-secret"},
	"tradestation": {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	"saxo":         {ClientID: "public-client", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	"tradelocker":  {Params: map[string]venuekey.Secret{"server": "OSP-DEMO"}},
	"deribit":      {ClientID: "demo-client", ClientSecret: "demo-secret"},
	"alpaca":       {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	"public":       {Params: map[string]venuekey.Secret{"key": "wonderland"}},
	"coinbase":     {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	"kraken":       {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	"fyers":        {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "http://127.0.0.1:0/auth/callback"},
	"ig":           {Params: map[string]venuekey.Secret{"key": "the-key-of-the-api"}},
	"dhan":         {ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURI: "https://app.example/callback", Params: map[string]venuekey.Secret{"dhan_client_id": "1100000001"}},
	"capital":      {Params: map[string]venuekey.Secret{"key": "the-key-of-the-api"}},
	"projectx":     {Params: map[string]venuekey.Secret{"user": "alice", "key": "wonderland"}},
}

// Each definition, as client and as emulated venue, keeps the contract of a venue.
func TestEveryDefinitionKeepsTheContract(t *testing.T) {
	for _, name := range defined.Names() {
		app, known := apps[name]
		if !known {
			t.Errorf("%s is not tried", name)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			venuetest.Run(t, func(t testing.TB) venuetest.Subject { return subject(parsed(t, name), app, emu.Knobs{}) })
		})
	}
}

// madeUp are definitions that use what the embedded ones do not.
var madeUp = map[string]venuekey.App{
	"headers": {Params: map[string]venuekey.Secret{"apikey": "the-key-of-the-api"}},
	"nested":  {Params: map[string]venuekey.Secret{"key": "the-key-of-the-api"}},
	"jwt":     {ClientID: "public-client", RedirectURI: "http://127.0.0.1:0/callback"},
	"result":  {ClientID: "demo-client", ClientSecret: "demo-secret", Params: map[string]venuekey.Secret{"user": "alice", "pin": "wonderland"}},
}

func madeUpDefinition(t testing.TB, name string) *definition.Definition {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := defined.Parse(name+".json", text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMadeUpDefinitionsKeepTheContract(t *testing.T) {
	for name, app := range madeUp {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			venuetest.Run(t, func(t testing.TB) venuetest.Subject { return subject(madeUpDefinition(t, name), app, emu.Knobs{}) })
		})
	}
}

func subject(d *definition.Definition, app venuekey.App, knobs emu.Knobs) venuetest.Subject {
	knobs.AnyLoopbackRedirect = true
	server := &emu.Server{Definition: d, Knobs: knobs, Apps: []emulator.App{{ClientID: "demo-client", ClientSecret: "demo-secret", RedirectURIs: []string{"https://app.example/callback"}}, {ClientID: "public-client"}}}
	code := ""
	if d.Authorize != nil {
		code = d.Authorize.CodeParam
	}
	return venuetest.Subject{
		Venue: defined.New(d), App: app, Server: server, CodeParam: code, NotRenewed: d.Renew.With == definition.WithNone,
		Person:   emulator.Person{Name: "alice", Password: "wonderland"},
		TakeBack: func() { server.RevokeUser("alice") },
		Alive:    func(access venuekey.Secret) bool { return server.Alive(string(access)) },
	}
}
