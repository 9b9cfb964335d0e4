package local

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// tradovate.go owns the way from a sign-in at Tradovate to its REST API and its WebSocket,
// at the hosts that the app, the environment and the token name.

// Tradovate is the API for one sign-in at Tradovate.
type Tradovate struct {
	// App is the application that the user signed in to.
	App venuekey.App
	// Source has the access tokens of the sign-in: those of this vault, unless you put an
	// agent's in its place.
	Source Source

	venue tradovate.Venue
}

// Tradovate returns the API for a sign-in at Tradovate. It does not connect. The hosts are
// Tradovate's own unless the app or the environment names others (VENUEKEY_TRADOVATE_…_URL),
// which "venuekey emulate" prints; see [tradovate.Venue.HostURL].
func (v *Vault) Tradovate(ctx context.Context, id venuekey.ID) (*Tradovate, error) {
	app, err := v.Apps(ctx, id.Venue)
	if err != nil {
		return nil, err
	}
	t := &Tradovate{App: app, Source: v.Source(id)}
	if found, ok := v.Place.compiled(id.Venue); ok {
		t.venue, _ = found.(tradovate.Venue)
	}
	return t, nil
}

// Call calls an operation of the REST API and returns the JSON of its answer. An empty host
// means that of the app's environment; auth/me always goes to the live host, which alone
// answers it. Errors are those of [tradovate.API.Do].
func (t *Tradovate) Call(ctx context.Context, host tradovate.Host, o tradovate.Operation) (json.RawMessage, error) {
	token, err := t.Source.Token(ctx)
	if err != nil {
		return nil, err
	}
	api, err := t.venue.CallsAt(t.App, *token, host)
	if err != nil {
		return nil, err
	}
	if path, _, _ := strings.Cut(strings.ToLower(o.Path), "?"); host == "" && strings.HasSuffix(strings.Trim(path, "/"), "auth/me") {
		api.Base = api.MeBase
	}
	return api.Do(ctx, token.Access, o)
}

// Me returns the answer of auth/me as Tradovate sent it, with every field.
func (t *Tradovate) Me(ctx context.Context) (json.RawMessage, error) {
	return t.Call(ctx, "", tradovate.Operation{Path: "auth/me"})
}

// UserID returns the number of the user that the sign-in belongs to: from the token's
// extras, or else from auth/me.
func (t *Tradovate) UserID(ctx context.Context) (int64, error) {
	token, err := t.Source.Token(ctx)
	if err != nil {
		return 0, err
	}
	if id, err := strconv.ParseInt(string(token.Extra("userId")), 10, 64); err == nil && id > 0 {
		return id, nil
	}
	text, err := t.Me(ctx)
	var me tradovate.OAuthMeResponse
	if err == nil {
		err = json.Unmarshal(text, &me)
	}
	if err == nil && me.UserID == 0 { // seen for some minutes after a sign-in (Tradovate facts §4)
		return 0, &venuekey.Error{ID: t.Source.ID(), Op: "user", Class: venuekey.ClassLater, Reason: "Tradovate does not say yet which user this is"}
	}
	return me.UserID, err
}

// Client returns a client for the WebSocket of the live or the demo host; an empty host
// means that of the app's environment. Its Run connects, keeps the connection authorised
// and reconnects. Set its Sync to receive the state of the user's accounts.
func (t *Tradovate) Client(ctx context.Context, host tradovate.Host) (*socket.Client, error) {
	token, err := t.Source.Token(ctx)
	if err != nil {
		return nil, err
	}
	endpoint, err := t.endpoint(*token, host)
	if err != nil {
		return nil, err
	}
	return socket.For(t.Source, endpoint), nil
}

// MarketData returns a client for the WebSocket of market data. It presents the market-data
// token, if Tradovate issued one, and otherwise the access token: sources disagree
// (Tradovate facts §5).
func (t *Tradovate) MarketData(ctx context.Context) (*socket.Client, error) {
	return t.Client(ctx, tradovate.HostMarketData)
}

// roles are the hosts that apiHosts of the sign-in may replace while a Client runs.
var roles = map[tradovate.Host]socket.Role{
	tradovate.HostLive: socket.RoleLive, tradovate.HostDemo: socket.RoleDemo, tradovate.HostReplay: socket.RoleReplay,
	tradovate.HostMarketData: socket.RoleMarketData, tradovate.HostMDDemo: socket.RoleDemoMarketData,
}

// endpoint returns a host as the address of its WebSocket.
func (t *Tradovate) endpoint(token venuekey.Token, host tradovate.Host) (socket.Endpoint, error) {
	text, err := t.venue.HostURL(t.App, token, host)
	if err != nil {
		return socket.Endpoint{}, err
	}
	if host == "" {
		host = tradovate.Environment(t.App)
	}
	at, err := url.Parse(text)
	if err != nil || at.Host == "" {
		return socket.Endpoint{}, &venuekey.Error{ID: t.Source.ID(), Op: "connect", Class: venuekey.ClassMisconfigured, Reason: "the address of the host is no URL", Remedy: "venuekey doctor"}
	}
	endpoint := socket.Endpoint{Address: at.Host, Plain: at.Scheme == "http", Role: roles[host]}
	roots, err := oauth.Roots(t.App)
	if roots != nil {
		endpoint.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return endpoint, err
}
