package tradovate

import (
	"net"
	"net/http"
	"slices"
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

// limit is how many requests may come within a time. A negative number is no limit.
type limit struct {
	within time.Duration
	most   int
}

func perHour(most int) limit { return limit{time.Hour, most} }

// isLocked reports whether a caller is over one of the limits, and locked out for an hour,
// which every request restarts (Tradovate facts §6, §10.3). first says that it was not before.
func (q *quota) isLocked(now time.Time, by string, limits ...limit) (locked, first bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !slices.ContainsFunc(limits, func(l limit) bool { return l.most >= 0 }) {
		return false, false
	}
	was := now.Before(q.locked[by])
	over := func(l limit) bool { return l.most >= 0 && since(now.Add(-l.within), q.hits[by]) >= l.most }
	if !was && !slices.ContainsFunc(limits, over) {
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

// since returns how many of the times, which are in order, are after a time.
func since(start time.Time, times []time.Time) int {
	before, _ := slices.BinarySearchFunc(times, start, func(at, start time.Time) int {
		if at.After(start) {
			return 1
		}
		return -1
	})
	return len(times) - before
}

// lastHour drops times that are an hour old.
func lastHour(now time.Time, times []time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= time.Hour {
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
