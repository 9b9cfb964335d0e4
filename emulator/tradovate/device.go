package tradovate

import (
	"sync"

	"github.com/venuekey/venuekey/emulator"
)

// device.go owns which device a session was opened from, and whether that may trade.

// devices are the device IDs of sessions, by the ID of their grant. The zero value is ready
// to use.
type devices struct {
	mu  sync.Mutex
	ids map[string]string
}

func (d *devices) set(grant, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ids == nil {
		d.ids = map[string]string{}
	}
	d.ids[grant] = id
}

func (d *devices) of(grant string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ids[grant]
}

func (d *devices) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids = nil
}

// mayTrade reports whether a session may send orders: on the live host only from a device that
// is approved (Tradovate facts §1.5).
func (s *Server) mayTrade(k Knobs, g emulator.Grant, env environment) bool {
	return !k.OrdersDenied && (env == demo || k.UnapprovedDevice == "" || s.devices.of(g.ID) != k.UnapprovedDevice)
}
