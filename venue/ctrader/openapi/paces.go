package openapi

import (
	"time"

	"github.com/venuekey/venuekey/venue/internal/link"
)

// paces.go owns the limits of the service that a client keeps to.

// paces are the two budgets that the service counts separately.
// They and the connections that share them count time from one moment, so that a
// look at the clock does for all.
type paces struct {
	ordinary, historical *link.Pace
	born                 time.Time
}

func newPaces(o Options) *paces {
	born := time.Now()
	return &paces{link.PerSecond(o.Requests, born), link.PerSecond(o.Historical, born), born}
}
