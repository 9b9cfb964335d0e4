package tradovate

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// quota.go owns quotas: how many requests an address or a user may make per hour.

// quota counts requests by address, or by user, in a sliding hour. The zero value is ready to
// use.
type quota struct {
	mu     sync.Mutex
	hits   map[string][]time.Time
	locked map[string]time.Time
}

// limit is how many requests may be made within a time, an hour at most; below zero any number.
type limit struct {
	most   int
	within time.Duration
}

// isLocked reports whether a caller is over a limit, and locked out for an hour, which
// every request restarts (Tradovate facts §6, §10.3). first says that it was not before.
func (q *quota) isLocked(now time.Time, by string, limits ...limit) (locked, first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	was, over, any := now.Before(q.locked[by]), false, false
	for _, l := range limits {
		any = any || l.most >= 0
		over = over || l.most >= 0 && len(last(l.within, now, q.hits[by])) >= l.most
	}
	if !any || !was && !over {
		return false, false
	}
	if q.locked == nil {
		q.locked = make(map[string]time.Time)
	}
	q.locked[by] = now.Add(time.Hour)
	return true, !was
}

// isSpent reports whether a caller has used the quota up.
func (q *quota) isSpent(now time.Time, by string, limit int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return limit >= 0 && len(lastHour(now, q.hits[by])) >= limit
}

// count adds a request.
func (q *quota) count(now time.Time, by string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.hits == nil {
		q.hits = make(map[string][]time.Time)
	}
	q.hits[by] = append(lastHour(now, q.hits[by]), now)
}

func (q *quota) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hits, q.locked = nil, nil
}

// lastHour drops times that are an hour old.
func lastHour(now time.Time, times []time.Time) []time.Time { return last(time.Hour, now, times) }

// last drops times that are as old as that.
func last(within time.Duration, now time.Time, times []time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= within {
		times = times[1:]
	}
	return times
}

// address returns the client's address without the port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
