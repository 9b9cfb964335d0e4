package notify

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
)

// model_test.go plays what nobody thought of: troubles, mendings and restarts in any order, at
// any hour.

// player is a sign-in whose luck changes, and the process that watches over it.
type player struct {
	t      *testing.T
	d      *desk
	folder string
	quiet  Quiet
	now    venuekey.Event // what is wrong; no kind if nothing is
	told   []Notice
}

// start begins a process, which hears first how it stands.
func (p *player) start() {
	p.d = again(p.t, p.folder, func(d *Teller) { d.Quiet = p.quiet })
	if p.now.Kind == "" {
		p.d.Hear(is(venuekey.EventFound, venuekey.StateFresh, monthLong))
		return
	}
	p.d.Hear(p.now)
}

// end ends it, and takes what it said.
func (p *player) end() {
	p.d.stop()
	p.told = append(p.told, p.d.got...)
}

// step changes something, and lets time pass.
func (p *player) step(draw *rand.Rand) {
	kinds := []venuekey.Event{
		is(venuekey.EventTrouble, venuekey.StateDegraded, 5*dayLong),
		is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, 5*dayLong),
		is(venuekey.EventTrouble, venuekey.StateNeedsSignIn, 2*time.Hour),
		is(venuekey.EventTrouble, venuekey.StateExpired, -time.Second),
	}
	switch n := draw.IntN(10); {
	case n < 4:
		p.now = kinds[n]
		p.d.Hear(p.now)
	case n < 6 && p.now.Kind != "":
		p.now = venuekey.Event{}
		p.d.Hear(is(venuekey.EventRecovered, venuekey.StateFresh, monthLong))
	case n < 8: // killed, and perhaps mended meanwhile
		p.end()
		if draw.IntN(2) == 0 {
			p.now = venuekey.Event{}
		}
		time.Sleep(time.Duration(draw.IntN(180)) * time.Minute)
		p.start()
	}
	time.Sleep(time.Duration(draw.IntN(600)) * time.Minute)
	synctest.Wait()
}

// check judges all that was said.
func (p *player) check(seed uint64) {
	open := false
	for i, n := range p.told {
		where := fmt.Sprintf("seed %d, notice %d of %d: %s %s +%d at %s", seed, i, len(p.told), n.Event, n.State, n.Repeat, n.At)
		until, quiet := p.quiet.Until(n.At)
		dies := n.At.Add(time.Duration(*n.Left) * time.Second)
		if quiet && (n.Event == venuekey.EventRecovered || n.Repeat > 0 || n.State == venuekey.StateDegraded || !dies.Before(until)) {
			p.t.Errorf("%s could wait until %s", where, until)
		}
		if n.Event == venuekey.EventRecovered && !open {
			p.t.Errorf("%s: nobody was told of trouble", where)
		}
		if i > 0 && n.Repeat > 0 && n.Since.Equal(p.told[i-1].Since) && n.At.Sub(p.told[i-1].At) < time.Hour {
			p.t.Errorf("%s comes after %s", where, n.At.Sub(p.told[i-1].At))
		}
		open = n.Event != venuekey.EventRecovered
	}
	if open {
		p.t.Errorf("seed %d: nobody was told that it is over", seed)
	}
}

// Whatever happens in whatever order: what can wait does not disturb the night, what was told
// is told to be over, once, and nothing else is.
func TestTroublesInAnyOrder(t *testing.T) {
	said := 0
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			q, err := ParseQuiet("22:00-07:00@UTC")
			if err != nil {
				t.Fatal(err)
			}
			draw := rand.New(rand.NewPCG(seed, 1))
			p := &player{t: t, folder: newFolder(t), quiet: q}
			p.start()
			for range 40 {
				p.step(draw)
			}
			p.d.Hear(is(venuekey.EventRecovered, venuekey.StateFresh, monthLong))
			time.Sleep(dayLong)
			p.end()
			p.check(seed)
			said += len(p.told)
		})
	}
	if said < 150 {
		t.Errorf("only %d notices were said", said)
	}
}
