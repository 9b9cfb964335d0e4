package openapi

import (
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// rate.go owns the limits: requests per second, and connections per app.

// window holds the times of the requests of the last second.
type window struct{ times []time.Time }

func (w *window) recent(now time.Time) int {
	for len(w.times) > 0 && now.Sub(w.times[0]) >= time.Second {
		w.times = w.times[1:]
	}
	return len(w.times)
}

// tooFast counts a request, or refuses it. The caller holds the lock.
func (c *conn) tooFast(k Knobs, t message.PayloadType) error {
	own, limit, code := func(c *conn) *window { return &c.rate }, k.Rate, k.RateCode
	if message.Historical(t) {
		own, limit, code = func(c *conn) *window { return &c.history }, k.HistoricalRate, k.HistoricalRateCode
	}
	now, count := time.Now(), 0
	for other := range c.s.conns {
		if other == c || k.RateOfApp && other.app != "" && other.app == c.app {
			count += own(other).recent(now)
		}
	}
	if limit < 0 || count < limit {
		w := own(c)
		w.times = append(w.times, now)
		return nil
	}
	r := refusal{code: code}
	if code == blocked {
		r.retryAfter = k.RetryAfter
	}
	return r
}

// tooMany reports whether the app has reached its limit of connections. The caller holds the
// lock.
func (s *Server) tooMany(k Knobs, app string) bool {
	n := 0
	for c := range s.conns {
		if c.app == app {
			n++
		}
	}
	return k.MaxConnections > 0 && n >= k.MaxConnections
}
