package venues_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
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

// machines_test.go tests two machines with one vault, each with an address of its own that
// Tradovate counts by. The emulator's log is the judge.

// counter counts the renewals that arrive from one address.
type counter struct {
	mu   sync.Mutex
	sent []time.Time
	most int
}

func (c *counter) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.sent = append(c.sent, now)
	for now.Sub(c.sent[0]) >= time.Hour {
		c.sent = c.sent[1:]
	}
	c.most = max(c.most, len(c.sent))
}

// machine returns the Keeper of a machine with a name and an address, and what comes from it.
func (d *desk) machine(name, address string) (*venuekey.Keeper, *counter) {
	c := &counter{}
	from := keepertest.InProcess{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(strings.ToLower(r.URL.Path), "/renewaccesstoken") {
			c.count()
		}
		r.RemoteAddr = address + ":1"
		d.server.ServeHTTP(w, r)
	})}
	k := d.program()
	k.Machine, k.Venues = name, []venuekey.Venue{tradovate.Venue{Transport: from}}
	return k, c
}

// Two machines renew the sign-ins of one vault for days: none dies, and neither address
// exceeds its quota. In between one machine is switched off for some hours, and then the other.
func TestTwoMachinesWithOneVault(t *testing.T) {
	days := 1
	switch {
	case os.Getenv("VENUEKEY_HEAVY") != "":
		days = 7
	case needs.Slow():
		days = 2
	}
	var table strings.Builder
	rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(rows, "sign-ins\talive after %d days\tmost renewals in an hour from each address\n", days)
	for _, number := range []int{1, 5, 10} {
		synctest.Test(t, func(t *testing.T) {
			d, ids := openCrowd(t, number, tradovateemu.Knobs{})
			a, fromA := d.machine("a", "10.0.0.1")
			b, fromB := d.machine("b", "10.0.1.1")
			during := func(length time.Duration, keepers ...*venuekey.Keeper) {
				ctx, stop := context.WithTimeout(t.Context(), length)
				defer stop()
				var all sync.WaitGroup
				for _, k := range keepers {
					all.Go(func() { _ = k.Run(ctx) })
				}
				all.Wait()
			}
			for range days {
				during(16*time.Hour, a, b)
				during(4*time.Hour, a)
				during(4*time.Hour, b)
				if alive := d.alive(ids); alive != number {
					t.Fatalf("%d of %d are alive\n%s", alive, number, d.told(20))
				}
			}
			fmt.Fprintf(rows, "%d\t%d\t%d and %d\n", number, d.alive(ids), fromA.most, fromB.most)
			penalties := d.server.Log().Count(emulator.EventPenalty) + d.server.Log().Count(emulator.EventRenewRefused)
			if fromA.most > tradovateQuota || fromB.most > tradovateQuota || fromA.most == 0 || fromB.most == 0 || penalties > 0 {
				t.Errorf("%d sign-ins: %d and %d renewals in an hour, %d penalties", number, fromA.most, fromB.most, penalties)
			}
		})
	}
	rows.Flush()
	t.Logf("\n%s", table.String())
}

// Two containers behind one address that share a name share its quota.
func TestContainersBehindOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, ids := openCrowd(t, 10, tradovateemu.Knobs{})
		a, fromA := d.machine("office", "10.0.0.1")
		b, _ := d.machine("office", "10.0.0.1")
		ctx, stop := context.WithTimeout(t.Context(), 6*time.Hour)
		defer stop()
		var all sync.WaitGroup
		for _, k := range []*venuekey.Keeper{a, b} {
			all.Go(func() { _ = k.Run(ctx) })
		}
		all.Wait()
		if alive := d.alive(ids); alive != 10 || d.most() > tradovateQuota || fromA.most == 0 {
			t.Errorf("%d alive, %d renewals in an hour", alive, d.most())
		}
	})
}
