package core

import (
	"cmp"
	"slices"
	"sync"

	"github.com/venuekey/venuekey/emulator"
)

// base.go owns the base of a venue's server: the methods that tests call on any venue.

// Base is what the servers of all venues have in common, for a Server to embed. Its methods
// are those of [emulator.Venue], which documents them. The zero value is ready to use, and
// so is that of a Server: it holds faults, and no sign-ins, until the first request makes
// the server [Start] it.
type Base struct {
	// Clock is the venue's clock; nil means a new one, which Time returns. It must not be
	// changed once the server is in use.
	Clock *emulator.Clock

	clocked sync.Once
	core    Core
}

// Setup configures the core when a server starts.
type Setup struct {
	Branding Branding
	Apps     []emulator.App  // none means [emulator.DefaultApp]
	Users    []emulator.User // none means [emulator.DefaultUsers]
	Knobs    Knobs
	// Policy returns the token policy according to the current knobs.
	Policy func() Policy
	// OnReset, if set, is called by a reset, for the server to drop its own state.
	OnReset func()
	// OnEnd, if set, is called with every grant that is revoked.
	OnEnd func(emulator.Grant)
}

// Start sets up the base, and returns the core for the server's endpoints. A server calls
// it once.
func Start(b *Base, setup Setup) *Core {
	setup.Apps, setup.Users = slices.Clone(setup.Apps), slices.Clone(setup.Users)
	if len(setup.Apps) == 0 {
		setup.Apps = []emulator.App{emulator.DefaultApp()}
	}
	if len(setup.Users) == 0 {
		setup.Users = emulator.DefaultUsers()
	}
	c := b.ready()
	c.begin(setup)
	return c
}

// ready returns the core, and makes sure that it has a clock.
func (b *Base) ready() *Core {
	b.clocked.Do(func() {
		b.core.Clock = cmp.Or(b.Clock, new(emulator.Clock))
	})
	return &b.core
}

// Time implements [emulator.Venue].
func (b *Base) Time() *emulator.Clock { return b.ready().Clock }

// Events implements [emulator.Venue].
func (b *Base) Events() []emulator.Event { return b.core.Log.Events() }

// Log implements [emulator.Venue].
func (b *Base) Log() *emulator.Log { return &b.core.Log }

// Inject implements [emulator.Venue].
func (b *Base) Inject(f emulator.Fault) {
	if err := b.core.Faults.Add(f); err != nil {
		panic(err)
	}
}

// Alive implements [emulator.Venue].
func (b *Base) Alive(access string) bool {
	c := b.ready()
	return c.Tokens.Alive(c.Clock.Now(), access)
}

// RefreshAlive implements [emulator.Venue].
func (b *Base) RefreshAlive(refresh string) bool {
	c := b.ready()
	policy := c.setup().Policy
	return policy != nil && c.Tokens.RefreshAlive(c.Clock.Now(), refresh, policy())
}

// RevokeUser implements [emulator.Venue].
func (b *Base) RevokeUser(name string) int { return b.ready().RevokeUser(name) }

// Reset implements [emulator.Venue].
func (b *Base) Reset() { b.ready().Reset() }
