package core

import (
	"cmp"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/venuekey/venuekey/emulator"
)

// core.go owns the core, and how requests reach a venue's handlers unless a fault strikes.

// Branding is how a venue presents itself on its pages.
type Branding struct {
	// Name is the venue's short name, as in "ctrader".
	Name string
	// Title is its name for people, as in "cTrader".
	Title string
	// Colour is a CSS colour dark enough to carry white text.
	Colour string
}

// Core is what every emulated venue is built from: clock, log, faults, apps and users,
// codes and tokens. It is part of a server's [Base]; [Start] returns it to the server.
type Core struct {
	Clock    *emulator.Clock
	Log      emulator.Log
	Faults   Faults
	Registry Registry
	Codes    Codes
	Tokens   Tokens

	pages   openPages
	started atomic.Pointer[Setup]
	filling sync.Mutex // the registry, at the start and by a reset
}

func (c *Core) begin(setup Setup) {
	c.filling.Lock()
	defer c.filling.Unlock()
	c.started.Store(&setup)
	c.Registry.replace(setup.Apps, setup.Users)
}

// setup returns the server's setup, which is empty before it starts.
func (c *Core) setup() Setup {
	if v := c.started.Load(); v != nil {
		return *v
	}
	return Setup{}
}

// Record adds an event, and fills in the time and the venue.
func (c *Core) Record(e emulator.Event) {
	e.At, e.Venue = c.Clock.Now(), c.setup().Branding.Name
	c.Log.Add(e)
}

// Serve calls the handler, unless there is a fault for one of the names of the request.
func (c *Core) Serve(w http.ResponseWriter, r *http.Request, h http.HandlerFunc, names ...emulator.Endpoint) {
	f, ok := c.Faults.Take(names...)
	if !ok {
		h(w, r)
		return
	}
	at := "any endpoint"
	if len(names) > 0 {
		at = string(names[len(names)-1])
	}
	c.Record(emulator.Event{Kind: emulator.EventFaultInjected, Status: f.Status, Detail: fmt.Sprintf("%s on %s", f.Kind, at)})
	fault(f).serve(w, r, h)
}

// ServeToken is Serve for a token endpoint, where the grant type determines which faults
// can strike.
func (c *Core) ServeToken(w http.ResponseWriter, r *http.Request, grantType string, h http.HandlerFunc) {
	names := []emulator.Endpoint{emulator.AtToken}
	switch grantType {
	case "authorization_code":
		names = append(names, emulator.AtExchange)
	case "refresh_token":
		names = append(names, emulator.AtRefresh)
	}
	c.Serve(w, r, h, names...)
}

// Reset restores the state in which the server started.
func (c *Core) Reset() {
	c.filling.Lock()
	defer c.filling.Unlock()
	setup := c.setup()
	if setup.Knobs != nil {
		setup.Knobs.Reset()
	}
	c.Faults.Clear()
	c.Codes.clear()
	c.Tokens.clear()
	c.pages.clear()
	c.Registry.replace(setup.Apps, setup.Users)
	c.Clock.Advance(-c.Clock.Offset())
	if setup.OnReset != nil {
		setup.OnReset()
	}
	c.Log.Clear()
}

// RevokeUser revokes everything that the user has allowed, as the user could on the venue's
// own page, and returns the number of consents revoked.
func (c *Core) RevokeUser(user string) int {
	ended := c.Tokens.RevokeWhere(func(g emulator.Grant) bool { return g.User == user })
	for _, g := range ended {
		c.Record(emulator.Event{Kind: emulator.EventRevoked, User: g.User, Client: g.Client, Detail: "by the user"})
		c.end(g)
	}
	return len(ended)
}

func (c *Core) end(g emulator.Grant) {
	if onEnd := c.setup().OnEnd; onEnd != nil {
		onEnd(g)
	}
}

// issued returns the fingerprint of what was issued.
func issued(p emulator.Pair) string { return emulator.Fingerprint(cmp.Or(p.Refresh, p.Access)) }
