package local

import (
	"context"
	"crypto/tls"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
)

// ctrader.go owns the way from a sign-in at cTrader to its Open API, at the addresses
// that the environment names.

// CTrader is the Open API as one sign-in sees it.
type CTrader struct {
	App    venuekey.App
	Source *venuekey.Source
	// Live and Demo are its two environments.
	Live, Demo openapi.Endpoint
}

// CTrader gives the Open API for a sign-in at cTrader; nothing is connected. Its
// addresses and whom it trusts are the real ones, or what VENUEKEY_CTRADER_LIVE_ADDRESS,
// …_DEMO_ADDRESS and …_CA_FILE say, which "venuekey emulate" prints. That a sign-in
// at an emulated venue would go to the real API is an *venuekey.Error of
// ClassMisconfigured.
func (v *Vault) CTrader(ctx context.Context, id venuekey.ID) (*CTrader, error) {
	app, err := v.Apps(ctx, id.Venue)
	if err != nil {
		return nil, err
	}
	c := &CTrader{App: app, Source: v.Source(id), Live: openapi.Live(), Demo: openapi.Demo()}
	for name, endpoint := range map[string]*openapi.Endpoint{"LIVE_ADDRESS": &c.Live, "DEMO_ADDRESS": &c.Demo} {
		if address := v.Place.env(Variable("ctrader", name)); address != "" {
			endpoint.Address = address
		}
	}
	if at := EmulatedAt(app); at != "" && (c.Live.Address == openapi.Live().Address || c.Demo.Address == openapi.Demo().Address) {
		return nil, &venuekey.Error{ID: id, Op: "connect", Class: venuekey.ClassMisconfigured,
			Reason: "the sign-in is at an emulated venue, " + at + ", and the Open API would be the real one",
			Remedy: "set all that venuekey emulate prints: " + Variable("ctrader", "LIVE_ADDRESS") + ", …_DEMO_ADDRESS and …_CA_FILE too"}
	}
	roots, err := oauth.Roots(app)
	if err != nil || roots == nil {
		return c, err
	}
	trust := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	c.Live.TLS, c.Demo.TLS = trust, trust
	return c, nil
}

// Client is a connection to one of the environments that stays authorised: for the
// accounts, or for all of that environment if none is named. Run it.
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
