package core

import (
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey/emulator"
)

// Whatever a test asks of a server before its first request is answered, and waits
// for the start.
func TestABaseIsReadyBeforeItsStart(t *testing.T) {
	t.Parallel()
	var b Base
	b.Inject(emulator.Fault{Kind: emulator.FaultDropBefore})
	b.Time().Advance(time.Hour)
	if b.Alive("a") || b.RefreshAlive("r") || b.RevokeUser("alice") != 0 || len(b.Events()) != 0 {
		t.Error("a venue without sign-ins has some")
	}
	c := Start(&b, Setup{Branding: Branding{Name: "v"}, Policy: func() Policy { return Policy{} }})
	if c.Clock != b.Time() || c.Clock.Offset() != time.Hour {
		t.Error("the clock was exchanged")
	}
	if len(c.Faults.Pending()) != 1 {
		t.Error("the fault is gone")
	}
	pair := c.Tokens.Issue(c.Clock.Now(), emulator.Grant{User: "alice"}, Policy{AccessLife: day})
	if !b.Alive(pair.Access) || !b.RefreshAlive(pair.Refresh) || b.RevokeUser("alice") != 1 || b.Alive(pair.Access) {
		t.Error("the base does not see what the core issues")
	}
	if events := b.Events(); len(events) != 1 || events[0].Venue != "v" {
		t.Errorf("events %+v", events)
	}
}

func TestABaseKeepsTheClockThatItIsGiven(t *testing.T) {
	t.Parallel()
	shared := new(emulator.Clock)
	if b := (Base{Clock: shared}); b.Time() != shared || Start(&b, Setup{}).Clock != shared {
		t.Error("another clock")
	}
}

// A reset before the first request does not leave a venue without users.
func TestABaseIsResetWhileItStarts(t *testing.T) {
	t.Parallel()
	for range 200 {
		var b Base
		var both sync.WaitGroup
		both.Go(func() { b.Reset() })
		both.Go(func() { Start(&b, Setup{}) })
		both.Wait()
		if _, known := b.core.Registry.SignIn("alice", "wonderland"); !known {
			t.Fatal("alice is not known")
		}
	}
}

func TestABaseRefusesAFaultThatMakesNoSense(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	new(Base).Inject(emulator.Fault{Kind: "nonsense"})
}
