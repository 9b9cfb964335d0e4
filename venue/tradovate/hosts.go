package tradovate

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// hosts.go owns which of Tradovate's hosts serve a user. Since 2026 some users are on
// hosts of their own: an answer with a token names them as apiHosts, and other hosts answer
// 307, or 421 on a WebSocket (fact sheet Tradovate §0).

// ownDomains are Tradovate's, with everything below them.
var ownDomains = []string{"tradovateapi.com", "tradovate.com", "ninjatrader.com", "ninjatrader.dev"}

// domains returns where a user's token and password may go, and nowhere else: Tradovate's
// own domains, and the very hosts that the venue or the app was given instead, such as those
// of an emulated Tradovate.
func (v Venue) domains(app venuekey.App) []string {
	all := slices.Clone(ownDomains)
	given := []string{v.LiveHost, v.DemoHost}
	for _, name := range slices.Sorted(maps.Keys(app.URLs)) {
		given = append(given, app.URLs[name])
	}
	for _, text := range given {
		if address, err := url.Parse(text); err == nil && address.Port() != "" {
			all = append(all, address.Host)
		}
	}
	return all
}

// Owns reports whether an app's requests with a user's token may go to an address: over
// https to Tradovate's own domains, or to a host that the venue or the app was given.
func (v Venue) Owns(app venuekey.App, address *url.URL) bool {
	return oauth.Within(v.domains(app), address)
}

// HostFor returns the URL of the host that apiHosts of a token's Extras names for a
// purpose, such as "live", "demo", "mdLive", "replay" or "reportingLive". It is standard, a
// URL such as LiveHost, if the token names no host for it, or one that Owns does not know.
// Path and scheme are those of standard.
func (v Venue) HostFor(app venuekey.App, token venuekey.Token, purpose, standard string) string {
	var hosts map[string]json.RawMessage // a value of another type must not hide the rest
	if json.Unmarshal([]byte(token.Extra("apiHosts")), &hosts) != nil {
		return standard
	}
	host := stringOf(hosts[purpose])
	to, err := url.Parse(standard)
	if err != nil || host == "" || strings.ContainsAny(host, "/?#@\\") {
		return standard
	}
	to.Host = host
	if again, err := url.Parse(to.String()); err != nil || again.Host != host || !v.Owns(app, again) {
		return standard
	}
	return to.String()
}

// APIFor returns the plain calls for a token, at the hosts that its apiHosts name. An app
// that names the api or me address itself is obeyed.
func (v Venue) APIFor(app venuekey.App, token venuekey.Token) API {
	api := v.API(app)
	purpose := "live"
	if app.Environment == "demo" {
		purpose = "demo"
	}
	if app.URLs["api"] == "" {
		api.Base = v.HostFor(app, token, purpose, api.Base)
	}
	if app.URLs["me"] == "" {
		api.MeBase = v.HostFor(app, token, "live", api.MeBase)
	}
	return api
}
