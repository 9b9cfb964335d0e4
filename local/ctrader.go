package local

import (
	"context"
	"crypto/tls"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
)

// ctrader.go owns the way from a sign-in at cTrader to the Open API, at the addresses that
// the environment names.

// Source hands out the access tokens of one sign-in: a *venuekey.Source, or one of an agent.
type Source interface {
	venuekey.Tokens
	// Access returns a good access token.
	Access(ctx context.Context) (venuekey.Secret, error)
	// Newer reports an access token that the venue did not accept, and returns another.
	Newer(ctx context.Context, refused venuekey.Secret) (venuekey.Secret, error)
}

// CTrader is the Open API for one sign-in. Its Client method is the usual way in.
type CTrader struct {
	// App is the application that the service authorises.
	App venuekey.App
	// Source has the access tokens of the sign-in: those of this vault, unless you put an
	// agent's in its place.
	Source Source
	// Live and Demo are the addresses of its two environments.
	Live, Demo openapi.Endpoint
}

// CTrader returns the Open API for a sign-in at cTrader. It does not connect. The addresses
// are the real ones unless VENUEKEY_CTRADER_LIVE_ADDRESS, …_DEMO_ADDRESS and …_CA_FILE
// name others, which "venuekey emulate" prints. If the sign-in is at an emulated venue and
// an address is a real one, the error is a [venuekey.Error] of ClassMisconfigured.
func (v *Vault) CTrader(ctx context.Context, id venuekey.ID) (*CTrader, error) {
	app, err := v.Apps(ctx, id.Venue)
	if err != nil {
		return nil, err
	}
	c := &CTrader{App: app, Source: v.Source(id), Live: openapi.Live(), Demo: openapi.Demo()}
	for name, endpoint := range map[string]*openapi.Endpoint{"LIVE_ADDRESS": &c.Live, "DEMO_ADDRESS": &c.Demo} {
		if address := v.Place.env(environ.Variable("ctrader", name)); address != "" {
			endpoint.Address = address
		}
	}
	if at := environ.EmulatedAt(app); at != "" && (c.Live.Address == openapi.Live().Address || c.Demo.Address == openapi.Demo().Address) {
		return nil, &venuekey.Error{ID: id, Op: "connect", Class: venuekey.ClassMisconfigured,
			Reason: "the sign-in is at an emulated venue, " + at + ", but the Open API would be the real one",
			Remedy: "set every variable that venuekey emulate prints: " + environ.Variable("ctrader", "LIVE_ADDRESS") + ", …_DEMO_ADDRESS and …_CA_FILE too"}
	}
	roots, err := oauth.Roots(app)
	if err != nil || roots == nil {
		return c, err
	}
	trust := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	c.Live.TLS, c.Demo.TLS = trust, trust
	return c, nil
}

// Client returns a client for live or demo accounts, given by ctidTraderAccountId; without
// any, for all accounts of that environment that the sign-in reaches. Its Run connects,
// keeps it authorised and reconnects:
//
//	go client.Run(ctx)
//	err := client.Ready(ctx)
func (c *CTrader) Client(live bool, accounts ...int64) *openapi.Client {
	client := &openapi.Client{
		Live: live, Endpoint: c.Demo, ClientID: c.App.ClientID, ClientSecret: c.App.ClientSecret,
		Token: c.Source.Access, Rejected: c.Source.Newer, Accounts: accounts,
	}
	if live {
		client.Endpoint = c.Live
	}
	return client
}
