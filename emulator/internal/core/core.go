package core

// This file owns the core: what every emulated venue is made of, and the way
// in which requests reach a venue's handlers past the faults.

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"github.com/venuekey/venuekey/emulator"
)

// Branding is how a venue presents itself on its pages.
type Branding struct {
	// Name is the venue's short name, as in "ctrader".
	Name string
	// Title is its name for people, as in "cTrader".
	Title string
	// Colour is a CSS colour dark enough to carry white text.
	Colour string
}

// Core is what every emulated venue is made of: clock, log, faults, apps and users,
// codes and tokens. A venue makes one with [New] when its server starts.
type Core struct {
	Branding Branding
	Clock    *emulator.Clock
	Log      emulator.Log
	Faults   Faults
	Registry Registry
	Codes    Codes
	Tokens   Tokens

	// OnReset and OnRevoke, if set, let a venue forget what it keeps beside the
	// core when the admin endpoint resets it or revokes a user.
	OnReset  func()
	OnRevoke func(user string)
	// OnEnd, if set, learns of every grant that was revoked.
	OnEnd func(emulator.Grant)

	pages openPages
	apps  []emulator.App
	users []emulator.User
}

// New makes a core. A nil clock means one of its own, no apps [DefaultApp],
// no users [DefaultUsers].
func New(branding Branding, clock *emulator.Clock, apps []emulator.App, users []emulator.User) *Core {
	if len(apps) == 0 {
		apps = []emulator.App{emulator.DefaultApp()}
	}
	if len(users) == 0 {
		users = emulator.DefaultUsers()
	}
	if clock == nil {
		clock = new(emulator.Clock)
	}
	c := &Core{Branding: branding, Clock: clock, apps: slices.Clone(apps), users: slices.Clone(users)}
	c.Registry.replace(c.apps, c.users)
	return c
}

// Record adds an event, with the time and the venue filled in.
func (c *Core) Record(e emulator.Event) {
	e.At, e.Venue = c.Clock.Now(), c.Branding.Name
	c.Log.Add(e)
}

// Inject orders a fault. It panics on an order that makes no sense, since that is
// a mistake in a test.
func (c *Core) Inject(f emulator.Fault) {
	if err := c.Faults.Add(f); err != nil {
		panic(err)
	}
}

// Serve lets the handler answer the request unless a fault was ordered for one
// of the names that the request goes by.
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
	c.Record(emulator.Event{Kind: emulator.FaultInjected, Status: f.Status, Detail: fmt.Sprintf("%s on %s", f.Kind, at)})
	fault(f).serve(w, r, h)
}

// Reset puts everything but the knobs back to where the server started: apps and users,
// clock, codes, tokens, faults, open pages, log.
func (c *Core) Reset() {
	c.Faults.Clear()
	c.Codes.clear()
	c.Tokens.clear()
	c.pages.clear()
	c.Registry.replace(c.apps, c.users)
	c.Clock.Advance(-c.Clock.Offset())
	if c.OnReset != nil {
		c.OnReset()
	}
	c.Log.Clear()
}

// RevokeUser ends everything that the user ever allowed, as when he revokes the
// app on the venue's page, and returns how many consents that were.
func (c *Core) RevokeUser(user string) int {
	ended := c.Tokens.RevokeWhere(func(g emulator.Grant) bool { return g.User == user })
	for _, g := range ended {
		c.Record(emulator.Event{Kind: emulator.Revoked, User: g.User, Client: g.Client, Detail: "by the user"})
		c.end(g)
	}
	if c.OnRevoke != nil {
		c.OnRevoke(user)
	}
	return len(ended)
}

func (c *Core) end(g emulator.Grant) {
	if c.OnEnd != nil {
		c.OnEnd(g)
	}
}

// issued is the fingerprint that stands for what was issued.
func issued(p emulator.Pair) string { return emulator.Fingerprint(cmp.Or(p.Refresh, p.Access)) }
