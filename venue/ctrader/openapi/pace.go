package openapi

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// pace.go owns the client's side of the service's limits.
//
// The service counts what arrives within any one second. What is sent at the
// beginning of a second can be held up on the way, and what is sent a second later
// not, so that more arrives within a second than was ever sent in one. So a request
// counts from when its answer came: by then it had arrived. One that is not
// answered yet counts from when it was sent and the longest that it may have been
// under way.

// pace lets so many requests through within any one span, in the order in which
// they came, those that are asked again among them. Who gives up waiting uses
// nothing up.
type pace struct {
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
	// mostSent bounds the room that a pace takes.
	mostSent = 1000
	// longestWay covers a packet that is lost once and sent again.
	longestWay = 500 * time.Millisecond
)

// newPace is a pace of so many a second. Within any second no more go than the
// whole of that number; if it is less than one, one goes in as many seconds as
// that takes.
func newPace(perSecond float64, born time.Time) *pace {
	burst, span := min(mostSent, max(1, math.Floor(perSecond))), time.Second
	if perSecond < 1 || perSecond > mostSent {
		span = time.Duration(burst / perSecond * float64(time.Second))
	}
	p := &pace{
		span: int64(span), under: int64(min(longestWay, span/2)),
		born: born, turn: make(chan struct{}, 1), slots: make([]slot, int(burst)),
	}
	p.turn <- struct{}{}
	return p
}

func (p *pace) now() int64 { return int64(time.Since(p.born)) + 1 }

// permit is the right to send one request.
type permit struct {
	pace *pace
	slot int
	sent int64
}

// wait returns when a request may go, or the context's error.
func (p *pace) wait(ctx context.Context) (permit, error) {
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
		return permit{}, ctx.Err()
	}
	defer func() { p.turn <- struct{}{} }()
	for {
		if err := ctx.Err(); err != nil {
			return permit{}, err
		}
		taken, early := p.take()
		if early <= 0 {
			return taken, nil
		}
		_ = pause(ctx, early)
	}
}

// take uses the next slot, or tells how long to wait before the next look. The
// answer to the request that has it may still come during the wait.
func (p *pace) take() (permit, time.Duration) {
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
			return permit{}, time.Duration(early)
		}
	}
	taken := permit{p, p.next, now}
	*last = slot{sent: now}
	p.next = (p.next + 1) % len(p.slots)
	return taken, 0
}

// left notes that the request is written now.
func (t *permit) left(now int64) {
	if now-t.sent < int64(time.Millisecond) {
		return
	}
	t.pace.mu.Lock()
	defer t.pace.mu.Unlock()
	if s := &t.pace.slots[t.slot]; s.sent == t.sent { // or it is another's by now
		s.sent, t.sent = now, now
	}
}

// answered notes that the request has arrived by now.
func (t *permit) answered(now int64) {
	t.pace.mu.Lock()
	defer t.pace.mu.Unlock()
	if s := &t.pace.slots[t.slot]; s.sent == t.sent {
		s.answered = now
	}
}

// paces are the two budgets that the service counts separately.
// They and the connections that share them count time from one moment, so that a
// look at the clock does for all.
type paces struct {
	ordinary, historical *pace
	born                 time.Time
}

func newPaces(o Options) *paces {
	born := time.Now()
	return &paces{newPace(o.Requests, born), newPace(o.Historical, born), born}
}

// pause sleeps, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
