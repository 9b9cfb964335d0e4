package socket

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/internal/loopback"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// hosts.go owns the venue's hosts: which there are, where a sign-in says a user's are
// (Tradovate facts §0), and which of those a token may be sent to.

// Role is what a host is for, in the words of apiHosts.
type Role string

// The roles of hosts with a WebSocket.
const (
	RoleLive           Role = "live"
	RoleDemo           Role = "demo"
	RoleMarketData     Role = "mdLive"
	RoleDemoMarketData Role = "mdDemo"
	RoleReplay         Role = "replay"
)

// The hosts of users whom no apiHosts sends elsewhere. Demo and live are the environment
// of a connection and not of the sign-in.
const (
	LiveHost           = "live.tradovateapi.com"
	DemoHost           = "demo.tradovateapi.com"
	MarketDataHost     = "md.tradovateapi.com"
	DemoMarketDataHost = "md-demo.tradovateapi.com"
	ReplayHost         = "replay.tradovateapi.com"
)

// Live is the host of live accounts.
func Live() Endpoint { return Endpoint{Address: LiveHost, Role: RoleLive} }

// Demo is the host of demo accounts, those of prop firms among them.
func Demo() Endpoint { return Endpoint{Address: DemoHost, Role: RoleDemo} }

// MarketData is the host of market data.
func MarketData() Endpoint { return Endpoint{Address: MarketDataHost, Role: RoleMarketData} }

// DemoMarketData is that for demo accounts. Of most programs the first will do.
func DemoMarketData() Endpoint {
	return Endpoint{Address: DemoMarketDataHost, Role: RoleDemoMarketData}
}

// Replay is the host where a market of the past is played again, for one program of a user
// at a time. Users and market data are both there. Who connects joins what is played, or
// begins with a request to replay/initializeclock, after each EventGap as well.
func Replay() Endpoint { return Endpoint{Address: ReplayHost, Role: RoleReplay} }

// named is the endpoint of a role that apiHosts names, or false if it names none that may
// be used: a host of the venue's, or for an address on this machine another one there. A
// program that was given some other address has its reasons, and stays with it.
func (e Endpoint) named(apiHosts venuekey.Secret) (Endpoint, bool) {
	var hosts map[string]json.RawMessage
	var address string
	if json.Unmarshal([]byte(apiHosts), &hosts) != nil || json.Unmarshal(hosts[string(e.Role)], &address) != nil || e.Role == "" {
		return Endpoint{}, false
	}
	host, port := strings.ToLower(address), ""
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
	}
	own, _ := e.hostPort()
	switch {
	case isVenue(own) && isVenue(host) && (port == "" || port == "443"):
		e.Address = host
		if e.TLS != nil && e.TLS.ServerName != "" { // which was meant for the other host
			e.TLS = e.TLS.Clone()
			e.TLS.ServerName = ""
		}
		return e, true
	case loopback.Host(own) && loopback.Host(host) && strings.Trim(port, "0123456789") == "":
		e.Address = address
		return e, true
	}
	return Endpoint{}, false
}

// isVenue reports whether a host is one of the venue's, to which a token may go. A name with
// anything else in it than a name can have ends somewhere else: what belongs to whom must
// not depend on who parses it.
func isVenue(host string) bool {
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || slices.Contains(strings.Split(host, "."), "") {
		return false
	}
	return tradovate.Venue{}.Owns(venuekey.App{}, &url.URL{Scheme: "https", Host: host})
}

// detour is what Run knows of hosts that did not serve this user.
type detour struct {
	wrong map[string]bool // the addresses that said so, since one that did not
	skip  string          // the address that could not be reached, for one try
}

// where is where to connect to: to the host that the sign-in names, unless that is known
// to be of no use, else to that of the endpoint.
func (c *Client) where(ctx context.Context) Endpoint {
	named, ok := c.Endpoint.named(c.extra(ctx, "hosts", c.Hosts))
	skipped := c.detour.skip == named.Address
	c.detour.skip = ""
	if !ok || skipped || c.detour.wrong[named.Address] && !c.detour.wrong[c.Endpoint.Address] {
		return c.Endpoint
	}
	return named
}

// unreached decides what a failed connection means for the next one. A host that serves
// other users says so with 421 (Tradovate facts §0): the sign-in may name another by now,
// and if it does not a newer token does. Only then can nobody but a person help.
func (c *Client) unreached(ctx context.Context, at Endpoint, err error) error {
	var known *Error
	if !errors.As(err, &known) || known.Kind != KindMisdirected {
		if at.Address != c.Endpoint.Address {
			c.detour.skip = at.Address
		}
		return err
	}
	if c.Hosts == nil {
		return err
	}
	if c.detour.wrong == nil {
		c.detour.wrong = map[string]bool{}
	}
	c.detour.wrong[at.Address] = true
	later := *known
	later.Class = venuekey.ClassLater
	if !c.detour.wrong[c.where(ctx).Address] {
		return &later
	}
	replaced, failed := c.token.Replaced(ctx)
	switch {
	case venuekey.NeedsSignIn(failed):
		return c.tokenError(failed)
	case !c.detour.wrong[c.where(ctx).Address]:
		return &later
	case replaced:
		return err
	}
	// Nobody could say anything newer, so both are tried again after a while.
	c.detour.wrong, later.RetryAfter = nil, c.doubt()
	return &later
}

// extra is a field of the sign-in, or "" without one.
func (c *Client) extra(ctx context.Context, name string, get func(context.Context) (venuekey.Secret, error)) venuekey.Secret {
	if get == nil {
		return ""
	}
	options := c.Options.filled()
	ctx, cancel := context.WithTimeout(ctx, options.Timeout)
	defer cancel()
	value, err := get(ctx)
	if err != nil {
		options.Log.Debug("the sign-in could not be asked", "for", name, "error", foreign.Error(err))
		return ""
	}
	return value
}
