package venues_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/emulator"
	tradovateemu "github.com/venuekey/venuekey/emulator/tradovate"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/internal/needs"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// maintenance_test.go tests sign-ins at Tradovate through its maintenance, which the emulator
// keeps by the clock: nothing answers in the published windows.

// lives is what became of a sign-in over many windows.
type lives struct {
	windows, humans, warned, dead int
}

// throughMaintenance has one sign-in live for some days, and returns what became of it. A human
// signs in again where the program says that it takes one.
func throughMaintenance(t *testing.T, kind string, phase time.Duration, days int) (l lives) {
	d := openDesk(t, kind == "OAuth", tradovateemu.Knobs{Maintenance: true})
	time.Sleep(phase)
	id := alice
	human := func() {
		if kind == "kept" {
			d.keep()
		} else {
			d.signIn("alice")
		}
	}
	human()
	events := keepertest.Listen(t, d.keeper, id)
	windows := tradovate.Venue{}.Policy().Maintenance
	alive := func() bool {
		token, err := d.keeper.Token(t.Context(), id)
		return err == nil && d.server.Alive(string(token.Access))
	}
	for end := time.Now().Add(time.Duration(days) * 24 * time.Hour); time.Now().Before(end); l.windows++ {
		w, _ := windows.Next(time.Now())
		for time.Now().Before(w.From.Add(-time.Minute)) {
			d.run(min(time.Hour, time.Until(w.From.Add(-time.Minute))))
			if !alive() {
				l.dead++
				t.Errorf("%s, phase %s: no token at %s, outside of maintenance\n%s", kind, phase, time.Now().UTC(), d.told(8))
				return l
			}
		}
		d.run(time.Until(w.To.Add(4 * time.Minute)))
		if alive() {
			continue
		}
		_, err := d.keeper.Token(t.Context(), id)
		if kind != "password" || w.To.Sub(w.From) <= time.Hour || !venuekey.NeedsSignIn(err) {
			l.dead++
			t.Errorf("%s, phase %s: lost in the window of %s: %v\n%s", kind, phase, w.From.UTC(), err, d.told(8))
			return l
		}
		l.humans++
		for _, e := range events.Take() {
			if e.Kind == venuekey.EventWarning && e.Status.Left > 0 && strings.Contains(e.Reason, "maintenance") && w.From.Sub(e.At) > time.Hour {
				l.warned++
				break
			}
		}
		human()
	}
	if n := d.server.Log().Count(emulator.EventPenalty) + d.server.Log().Count(emulator.EventLoginRefused); n > 0 {
		t.Errorf("%s: %d penalties and failed sign-ins", kind, n)
	}
	return l
}

// Whatever its phase, an OAuth sign-in and one with a kept password live on after every window,
// and never lack a token outside of them. A password session needs a human after Friday evening
// and after the weekend, who was warned while the token lived, and never after the hour of a
// weekday.
func TestMaintenanceAtEveryPhase(t *testing.T) {
	from, days, step := 75*time.Hour, 3, 80*time.Minute // over a weekend
	switch {
	case os.Getenv("VENUEKEY_HEAVY") != "":
		from, days, step = 0, 60, 10*time.Minute
	case needs.Slow():
		from, days, step = 0, 8, 40*time.Minute
	}
	var table strings.Builder
	rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "sign-in\tphases\twindows\tlost\thumans needed\twarned before")
	for _, kind := range []string{"OAuth", "kept", "password"} {
		var sum lives
		phases := 0
		for phase := time.Duration(0); phase < 80*time.Minute; phase += step {
			synctest.Test(t, func(t *testing.T) {
				l := throughMaintenance(t, kind, from+phase, days)
				sum.windows, sum.humans, sum.warned, sum.dead = sum.windows+l.windows, sum.humans+l.humans, sum.warned+l.warned, sum.dead+l.dead
			})
			phases++
		}
		if sum.dead > 0 || sum.warned != sum.humans || kind == "password" && sum.humans == 0 || kind != "password" && sum.humans > 0 {
			t.Errorf("%s: %+v", kind, sum)
		}
		fmt.Fprintf(rows, "%s\t%d\t%d\t%d\t%d\t%d\n", kind, phases, sum.windows, sum.dead, sum.humans, sum.warned)
	}
	rows.Flush()
	t.Logf("%d days\n%s", days, table.String())
}
