package link

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// pace.go owns the client's side of a venue's limits.
//
// A venue counts what arrives within any one second. What is sent at the
// beginning of a second can be held up on the way, and what is sent a second later
// not, so that more arrives within a second than was ever sent in one. So a request
// counts from when its answer came: by then it had arrived. One that is not
// answered yet counts from when it was sent and the longest that it may have been
// under way.

// Pace lets so many requests through within any one span, in the order in which
// they came, those that are asked again among them. Giving up waiting uses nothing up.
type Pace struct {
	span, under int64 // how long a window is, and a request may be under way
	born        time.Time
	queue       atomic.Int64  // how many wait for their turn
	turn        chan struct{} // holds one, the right to the next slot

	mu    sync.Mutex
	slots []slot // a ring: so many requests may go within a span
	next  int
}

// slot is what is known of the request that used it last, in nanoseconds since
// the pace was born; 0 is "not yet".
type slot struct{ sent, answered int64 }

const (
	// mostSent bounds the room that a pace of so many a second takes.
	mostSent = 1000
	// longestWay covers a packet that is lost once and sent again.
	longestWay = 500 * time.Millisecond
)

// NewPace lets so many through within any one span. Its times are counted from when it
// was born, so that a look at the clock does for all paces and connections of one birth.
func NewPace(most int, span time.Duration, born time.Time) *Pace {
	p := &Pace{
		span: int64(span), under: int64(min(longestWay, span/2)),
		born: born, turn: make(chan struct{}, 1), slots: make([]slot, most),
	}
	p.turn <- struct{}{}
	return p
}

// PerSecond is a pace of so many a second. Within any second no more go than the whole
// of that number; if it is less than one, one goes in as many seconds as that takes.
func PerSecond(rate float64, born time.Time) *Pace {
	burst, span := min(mostSent, max(1, math.Floor(rate))), time.Second
	if rate < 1 || rate > mostSent {
		span = time.Duration(burst / rate * float64(time.Second))
	}
	return NewPace(int(burst), span, born)
}

func (p *Pace) now() int64 { return int64(time.Since(p.born)) + 1 }

// Permit is the right to send one request.
type Permit struct {
	pace *Pace
	slot int
	sent int64
}

// Wait returns when a request may go, or the context's error.
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

// take uses the next slot, or says how long to wait before the next look. The
// answer to the request that has it may still come during the wait.
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

// Left notes that the request is written now, in nanoseconds since the birth.
func (t *Permit) Left(now int64) {
	if now-t.sent < int64(time.Millisecond) {
		return
	}
	t.pace.mu.Lock()
	defer t.pace.mu.Unlock()
	if s := &t.pace.slots[t.slot]; s.sent == t.sent { // or it is another's by now
		s.sent, t.sent = now, now
	}
}

// Answered notes that the request has arrived by now.
func (t *Permit) Answered(now int64) {
	t.pace.mu.Lock()
	defer t.pace.mu.Unlock()
	if s := &t.pace.slots[t.slot]; s.sent == t.sent {
		s.answered = now
	}
}
