package core

import (
	"cmp"
	"slices"
	"sync"

	"github.com/venuekey/venuekey/emulator"
)

// base.go owns the base of a venue's server: what a test asks of any of them.

// Base is what the servers of all venues have in common, for a Server to embed: its
// methods are those of [emulator.Venue], which says what they do. The zero value is
// ready, and so is a Server's: faults wait in it, and nobody is signed in, until the
// first request has the server [Start] it.
type Base struct {
	// Clock is the venue's time; nil means one of its own, see Time. It must not be
	// changed once the server is in use.
	Clock *emulator.Clock

	clocked sync.Once
	core    Core
}

// Setup is what a server says of itself when it starts.
type Setup struct {
	Branding Branding
	Apps     []emulator.App  // none means [emulator.DefaultApp]
	Users    []emulator.User // none means [emulator.DefaultUsers]
	Knobs    Knobs
	// Policy is how refresh tokens are treated, as the knobs stand.
	Policy func() Policy
	// OnReset, if set, lets the server forget what it keeps beside the core.
	OnReset func()
	// OnEnd, if set, learns of every grant that was revoked.
	OnEnd func(emulator.Grant)
}

// Start gives the base its setup, and the server the core to build its endpoints on.
// A server calls it once.
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

// ready is the core, whose clock runs.
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
