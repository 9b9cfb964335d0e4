// Package stand gives the examples a cTrader: the real one if the environment has an app's
// client ID, and otherwise an emulated one in this process, with a made-up person at the
// browser.
package stand

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	signin "github.com/venuekey/venuekey/emulator/ctrader"
	emulated "github.com/venuekey/venuekey/emulator/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
)

// CTrader is a cTrader, real or emulated.
type CTrader struct {
	// App is the app that is registered there.
	App venuekey.App
	// Live and Demo are its two environments.
	Live, Demo openapi.Endpoint
	// Person signs in; nil if a human has to.
	Person *emulator.Person

	venue *signin.Server
	api   *emulated.Server
	token func() string
	close func()
}

// Open returns the real cTrader if VENUEKEY_CTRADER_CLIENT_ID is set, and else an emulated
// one. Close it.
func Open() (*CTrader, error) {
	if id := os.Getenv("VENUEKEY_CTRADER_CLIENT_ID"); id != "" {
		return &CTrader{
			App: venuekey.App{Venue: "ctrader", ClientID: id, ClientSecret: venuekey.Secret(os.Getenv("VENUEKEY_CTRADER_CLIENT_SECRET")),
				RedirectURI: "http://localhost:8080/auth/callback"},
			Live: openapi.Live(), Demo: openapi.Demo(), close: func() {},
		}, nil
	}
	venue := &signin.Server{Knobs: signin.Knobs{AnyLoopbackRedirect: true}}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	web := &http.Server{Handler: venue, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = web.Serve(socket) }() // until Close
	api := &emulated.Server{Venue: venue}
	if err := api.Start(); err != nil {
		return nil, err
	}
	trust := &tls.Config{RootCAs: api.CA(), MinVersion: tls.VersionTLS12}
	app, user := emulator.DefaultApp(), emulator.DefaultUser()
	return &CTrader{
		App: venuekey.App{Venue: "ctrader", ClientID: app.ClientID, ClientSecret: venuekey.Secret(app.ClientSecret),
			RedirectURI: "http://localhost:0/auth/callback", URLs: map[string]string{"base": "http://" + socket.Addr().String()}},
		Live:   openapi.Endpoint{Address: api.Addresses().LiveProtobuf, TLS: trust},
		Demo:   openapi.Endpoint{Address: api.Addresses().DemoProtobuf, TLS: trust},
		Person: &emulator.Person{Name: user.Name, Password: user.Password},
		venue:  venue,
		api:    api,
		token: sync.OnceValue(func() string {
			return venue.Issue(emulator.Grant{User: user.Name, Client: app.ClientID, Scope: "trading"}).Access
		}),
		close: func() {
			_ = web.Close()
			_ = api.Close()
		},
	}, nil
}

// Emulated reports whether it is an emulated one.
func (c *CTrader) Emulated() bool { return c.venue != nil }

// Environ returns the environment for a program to use the emulated one with a separate
// vault in a folder. It is what "venuekey emulate" prints.
func (c *CTrader) Environ(folder string) ([]string, error) {
	ca := filepath.Join(folder, "ca.pem")
	return []string{
		"VENUEKEY_HOME=" + filepath.Join(folder, "home"), "VENUEKEY_KEY=file",
		"VENUEKEY_CTRADER_CLIENT_ID=" + c.App.ClientID, "VENUEKEY_CTRADER_CLIENT_SECRET=" + string(c.App.ClientSecret),
		"VENUEKEY_CTRADER_REDIRECT_URI=" + c.App.RedirectURI, "VENUEKEY_CTRADER_BASE_URL=" + c.App.URLs["base"],
		"VENUEKEY_CTRADER_LIVE_ADDRESS=" + c.Live.Address, "VENUEKEY_CTRADER_DEMO_ADDRESS=" + c.Demo.Address, "VENUEKEY_CTRADER_CA_FILE=" + ca,
	}, os.WriteFile(ca, c.api.CAPEM(), 0o600)
}

// Close stops the emulated one.
func (c *CTrader) Close() { c.close() }

// Token returns an access token from elsewhere: VENUEKEY_ACCESS_TOKEN, which "venuekey exec"
// sets, or one that the emulated venue issues.
func (c *CTrader) Token(context.Context) (venuekey.Secret, error) {
	if c.venue == nil {
		return venuekey.Secret(os.Getenv("VENUEKEY_ACCESS_TOKEN")), nil
	}
	return venuekey.Secret(c.token()), nil
}
