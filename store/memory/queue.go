package memory

import (
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
)

// queue.go owns the order in which records become due, so that the cost of a claim
// depends on what is due rather than on what is stored: simulated years consist mostly of
// claims that find nothing.

// queue holds one item for each write of a record with a due time. Items of records that
// were written again are stale, and are dropped when their time comes.
type queue []item

type item struct {
	at      time.Time
	key     string
	version int64
}

func (q *queue) add(record venuekey.Record) {
	if !record.NextRefresh.IsZero() {
		heap.Push(q, item{free(record), record.Key, record.Version})
	}
}

// free returns when a record can be claimed.
func free(r venuekey.Record) time.Time {
	if r.LeaseOwner != "" && r.LeaseUntil.After(r.NextRefresh) {
		return r.LeaseUntil
	}
	return r.NextRefresh
}

// takeDue removes up to limit due records from the queue, the longest due first.
func (s *Store) takeDue(at time.Time, prefix string, limit int) []venuekey.Record {
	var due []venuekey.Record
	var others []item
	for len(s.due) > 0 && !at.Before(s.due[0].at) {
		next := heap.Pop(&s.due).(item)
		record, ok := s.records[next.key]
		switch {
		case !ok || record.Version != next.version: // stale
		case strings.HasPrefix(next.key, prefix):
			due = append(due, record)
		default:
			others = append(others, next)
		}
	}
	slices.SortFunc(due, byDue)
	taken := due[:max(0, min(limit, len(due)))]
	for _, record := range due[len(taken):] {
		s.due.add(record)
	}
	for _, other := range others {
		heap.Push(&s.due, other)
	}
	return taken
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(item)) }

func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
