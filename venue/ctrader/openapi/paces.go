package openapi

import (
	"time"

	"github.com/venuekey/venuekey/venue/internal/link"
)

// paces.go owns the service's request limits, which a client keeps to.

// paces are the two limits that the service counts separately. They and the connections
// that share them count time from the same moment, so one reading of the clock serves
// all.
type paces struct {
	ordinary, historical *link.Pace
	born                 time.Time
}

func newPaces(o Options) *paces {
	born := time.Now()
	return &paces{link.PerSecond(o.Requests, born), link.PerSecond(o.Historical, born), born}
}
