package socket

import (
	"time"

	"github.com/venuekey/venuekey/venue/tradovate"
)

// maintenance.go owns how a Client waits for the end of the venue's maintenance.

// tryInMaintenance is how often the venue is tried during its maintenance, which may end
// early.
const tryInMaintenance = 2 * time.Minute

// windowEnd is when the maintenance window ends that a time is in; zero outside of them.
func windowEnd(at time.Time) time.Time {
	if window, ok := tradovate.Maintenance().Next(at); ok && window.Contains(at) {
		return window.To.In(at.Location())
	}
	return time.Time{}
}
