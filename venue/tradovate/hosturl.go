package tradovate

import (
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/loopback"
	"github.com/venuekey/venuekey/oauth"
)

// hosturl.go owns the names of Tradovate's hosts, and the address of each for a token.

// Host names one of Tradovate's hosts (Tradovate facts §0).
type Host string

// The hosts. App.URLs may replace the addresses of live, demo and md by these names.
// HostReporting stands for the one of the app's environment.
const (
	HostLive          Host = "live"
	HostDemo          Host = "demo"
	HostMarketData    Host = "md"
	HostMDDemo        Host = "md-demo"
	HostReplay        Host = "replay"
	HostReportingLive Host = "reporting-live"
	HostReportingDemo Host = "reporting-demo"
	HostReporting     Host = "reporting"
)

// standardHosts has, for each host, its documented address and its name in apiHosts. The
// two for reports are documented by a third party only (Tradovate facts §0).
var standardHosts = map[Host]struct{ address, purpose string }{
	HostLive:          {LiveHost, "live"},
	HostDemo:          {DemoHost, "demo"},
	HostMarketData:    {"https://md.tradovateapi.com", "mdLive"},
	HostMDDemo:        {"https://md-demo.tradovateapi.com", "mdDemo"},
	HostReplay:        {"https://replay.tradovateapi.com", "replay"},
	HostReportingLive: {"https://rpt-live.tradovateapi.com", "reportingLive"},
	HostReportingDemo: {"https://rpt-demo.tradovateapi.com", "reportingDemo"},
}

// Environment returns the app's environment: HostLive, or HostDemo if it says so.
func Environment(app venuekey.App) Host {
	if app.Environment == string(HostDemo) {
		return HostDemo
	}
	return HostLive
}

// HostURL returns the address of a host, including /v1, for calls with a user's token. In
// order of precedence it is the address that the app names, the one in the apiHosts of the
// token (see HostFor), and the documented one. Empty means the host of the app's
// environment.
//
// Besides the constants, host may be a host name, with or without a port, that belongs to
// Tradovate or that the app names. If the app leads to this machine, as to an emulated
// venue, only hosts that the app names are returned: a made-up token is not sent to the real
// ones. Any other host is an error of ClassMisconfigured.
func (v Venue) HostURL(app venuekey.App, token venuekey.Token, host Host) (string, error) {
	switch host {
	case "":
		host = Environment(app)
	case HostReporting:
		host = HostReportingLive
		if Environment(app) == HostDemo {
			host = HostReportingDemo
		}
	}
	known, ok := standardHosts[host]
	if !ok {
		return v.namedHost(app, string(host))
	}
	standard := known.address
	switch host {
	case HostLive:
		standard = either(v.LiveHost, standard)
	case HostDemo:
		standard = either(v.DemoHost, standard)
	}
	if own := app.URLs[string(host)]; own != "" {
		return own, nil
	}
	if host == Environment(app) && app.URLs["api"] != "" {
		return app.URLs["api"], nil
	}
	standard = app.URL(string(host), standard+"/v1")
	named, err := url.Parse(v.HostFor(app, token, known.purpose, standard))
	at, wrong := url.Parse(standard)
	// Behind an address of the app's owner, such as a proxy, nothing goes past that.
	if err != nil || wrong != nil || !oauth.Within(v.callDomains(app), named) || !oauth.Within(v.callDomains(app), at) {
		return standard, nil
	}
	return named.String(), nil
}

// CallsAt returns the plain calls for a token at a host; see HostURL.
func (v Venue) CallsAt(app venuekey.App, token venuekey.Token, host Host) (API, error) {
	api := v.APIFor(app, token)
	base, err := v.HostURL(app, token, host)
	api.Base, api.Domains = base, v.callDomains(app)
	return api, err
}

// callDomains returns where calls with a user's token may go, in the form of oauth.Within.
func (v Venue) callDomains(app venuekey.App) []string {
	all := v.domains(app)
	if at, err := url.Parse(v.API(app).Base); err != nil || !loopback.Host(at.Hostname()) {
		return all
	}
	return slices.DeleteFunc(all, func(domain string) bool { return slices.Contains(ownDomains, domain) })
}

// namedHost returns the address of a host given by its bare name.
func (v Venue) namedHost(app venuekey.App, name string) (string, error) {
	at, err := url.Parse(v.API(app).Base)
	if err == nil && name != "" && !strings.ContainsAny(name, `/?#@\`) {
		if at.Host = name; !loopback.Host(at.Hostname()) {
			at.Scheme, at.Path = "https", "/v1"
		}
		again, wrongName := url.Parse(at.String())
		if wrongName == nil && again.Host == name && oauth.Within(v.callDomains(app), again) {
			return again.String(), nil
		}
	}
	return "", wrong("the token is not sent to "+foreign.Name(name)+": that is no host of Tradovate's",
		"use live, demo, md, md-demo, replay, reporting, or a host name in "+strings.Join(ownDomains, ", "))
}
