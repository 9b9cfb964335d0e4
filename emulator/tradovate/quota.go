package tradovate

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// quota.go owns quotas: how many requests an address may make per hour.

// quota counts requests by address in a sliding hour. An address that exceeds it is locked
// out for an hour, and every request meanwhile restarts that hour (Tradovate facts §6,
// §10.3). The zero value is ready to use.
type quota struct {
	mu     sync.Mutex
	hits   map[string][]time.Time
	locked map[string]time.Time
}

// take counts a request unless the address is over the limit, and reports whether it is.
func (q *quota) take(now time.Time, addr string, limit int) (over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.over(now, addr, limit) {
		return true
	}
	q.hit(now, addr)
	return false
}

// isOver reports whether the address is over the limit, without counting a request. It is
// for quotas that only failures use up.
func (q *quota) isOver(now time.Time, addr string, limit int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.over(now, addr, limit)
}

// count adds a failure.
func (q *quota) count(now time.Time, addr string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hit(now, addr)
}

func (q *quota) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hits, q.locked = nil, nil
}

// over reports whether the address is over the limit, and prolongs a lockout. The caller
// holds the mutex.
func (q *quota) over(now time.Time, addr string, limit int) bool {
	if limit < 0 || !now.Before(q.locked[addr]) && len(lastHour(now, q.hits[addr])) < limit {
		return false
	}
	if q.locked == nil {
		q.locked = make(map[string]time.Time)
	}
	q.locked[addr] = now.Add(time.Hour)
	return true
}

func (q *quota) hit(now time.Time, addr string) {
	if q.hits == nil {
		q.hits = make(map[string][]time.Time)
	}
	q.hits[addr] = append(lastHour(now, q.hits[addr]), now)
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
