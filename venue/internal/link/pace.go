package link

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// pace.go owns the client's side of a venue's rate limits.
//
// A venue counts the requests that arrive within any second. Network delay varies: a
// request may be held up on the way and then arrive together with those sent a second
// later, so more can arrive within a second than were sent in any. So a request counts
// from when its answer came, since by then it had arrived; one without an answer yet
// counts from when it was sent, plus the longest time that it may have been in transit.

// Pace is a sliding-window rate limiter: it admits up to a number of requests within any
// span of time, in the order in which they asked. A caller that gives up waiting uses
// nothing up.
type Pace struct {
	span, under int64 // the length of the window, and of the longest transit
	born        time.Time
	queue       atomic.Int64  // how many callers are waiting
	turn        chan struct{} // holds one token, the right to wait for the next slot

	mu    sync.Mutex
	slots []slot // a ring with one slot for each request that a span admits
	next  int
}

// slot holds the times of the request that used it last, in nanoseconds since the pace
// was born; 0 means "not yet".
type slot struct{ sent, answered int64 }

const (
	// mostSent bounds the memory of a pace created by PerSecond.
	mostSent = 1000
	// longestWay covers a packet that is lost once and retransmitted.
	longestWay = 500 * time.Millisecond
)

// NewPace returns a Pace that admits most requests within any span. Times are counted
// from born, so paces and connections with the same born share one reading of the clock.
func NewPace(most int, span time.Duration, born time.Time) *Pace {
	p := &Pace{
		span: int64(span), under: int64(min(longestWay, span/2)),
		born: born, turn: make(chan struct{}, 1), slots: make([]slot, most),
	}
	p.turn <- struct{}{}
	return p
}

// PerSecond returns a Pace for a rate per second. The rate is rounded down to the number
// of requests in any second; a rate below one admits one request every 1/rate seconds.
func PerSecond(rate float64, born time.Time) *Pace {
	burst, span := min(mostSent, max(1, math.Floor(rate))), time.Second
	if rate < 1 || rate > mostSent {
		span = time.Duration(burst / rate * float64(time.Second))
	}
	return NewPace(int(burst), span, born)
}

func (p *Pace) now() int64 { return int64(time.Since(p.born)) + 1 }

// Permit is the permission to send one request.
type Permit struct {
	pace *Pace
	slot int
	sent int64
}

// Wait waits until a request may be sent. If the context ends first, it returns the
// context's error.
func (p *Pace) Wait(ctx context.Context) (Permit, error) {
	if p.queue.Load() == 0 && ctx.Err() == nil {
		if taken, early := p.take(); early <= 0 {
			return taken, nil
		}
	}
	p.queue.Add(1)
	defer p.queue.Add(-1)
	select {
	case <-p.turn:
	case <-ctx.Done():
		return Permit{}, ctx.Err()
	}
	defer func() { p.turn <- struct{}{} }()
	for {
		if err := ctx.Err(); err != nil {
			return Permit{}, err
		}
		taken, early := p.take()
		if early <= 0 {
			return taken, nil
		}
		_ = Pause(ctx, early)
	}
}

// take uses the next slot, or returns how long to wait before trying again. The answer to
// the slot's last request may still come during that wait.
func (p *Pace) take() (Permit, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, last := p.now(), &p.slots[p.next]
	if last.sent != 0 {
		early := last.sent + p.span - now
		if early <= 0 {
			arrived := last.sent + p.under
			if last.answered != 0 {
				arrived = min(arrived, last.answered)
			}
			early = arrived + p.span - now
		}
		if early > 0 {
			return Permit{}, time.Duration(early)
		}
	}
	taken := Permit{p, p.next, now}
	*last = slot{sent: now}
	p.next = (p.next + 1) % len(p.slots)
	return taken, 0
}

// Left records that the request is being written now, in nanoseconds since the Pace was
// born.
func (t *Permit) Left(now int64) {
	if now-t.sent < int64(time.Millisecond) {
		return
	}
	t.pace.mu.Lock()
	defer t.pace.mu.Unlock()
	if s := &t.pace.slots[t.slot]; s.sent == t.sent { // else a later request has the slot
		s.sent, t.sent = now, now
	}
}

// Answered records that the request had arrived by now, since its answer came. Like
// Left, it takes nanoseconds since the Pace was born.
func (t *Permit) Answered(now int64) {
	t.pace.mu.Lock()
	defer t.pace.mu.Unlock()
	if s := &t.pace.slots[t.slot]; s.sent == t.sent {
		s.answered = now
	}
}
