package openapi

import (
	"context"
	"time"
)

// pace.go owns the client's side of the service's limits.

// pace lets so many requests through within any one span, in the order in which
// they came. Who gives up waiting uses nothing up.
type pace struct {
	span time.Duration
	turn chan struct{} // holds one, the right to look at the times
	sent []time.Time   // a ring of when the last ones went
	next int
}

// mostSent bounds the room that a pace takes.
const mostSent = 1000

// newPace is a pace of so many a second.
func newPace(perSecond float64) *pace {
	burst := min(mostSent, max(1, int(perSecond)))
	p := &pace{
		span: time.Duration(float64(burst) / perSecond * float64(time.Second)),
		turn: make(chan struct{}, 1),
		sent: make([]time.Time, burst),
	}
	p.turn <- struct{}{}
	return p
}

// wait returns when a request may go, or the context's error.
func (p *pace) wait(ctx context.Context) error {
	select {
	case <-p.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { p.turn <- struct{}{} }()
	if err := pause(ctx, time.Until(p.sent[p.next].Add(p.span))); err != nil {
		return err
	}
	p.sent[p.next] = time.Now()
	p.next = (p.next + 1) % len(p.sent)
	return nil
}

// paces are the two budgets that the service counts separately.
type paces struct{ ordinary, historical *pace }

func newPaces(o Options) *paces {
	return &paces{newPace(o.Requests), newPace(o.Historical)}
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
