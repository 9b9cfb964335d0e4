package notify

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// courier.go owns that a notice arrives: it is sent again, less and less often, until the
// endpoint has taken it or a day is over. Notices about one sign-in arrive in their order;
// those about others do not wait for them.

const (
	usualGiveUp = 24 * time.Hour
	// firstPause doubles with each attempt, up to lastPause. Up to half of it is left out at
	// random, so that many notices do not come back at one moment.
	firstPause = 2 * time.Second
	lastPause  = 15 * time.Minute
	// atOnce is how many attempts run at the same time.
	atOnce = 4
	// lookAgain is how often the folder is read: another program may have put a dead letter
	// back.
	lookAgain = 5 * time.Second
	// farewell is how long attempts may take once the program ends.
	farewell = 3 * time.Second
)

// Courier delivers notices to a webhook.
type Courier struct {
	Webhook Webhook
	// Outbox keeps what has not arrived.
	Outbox *Outbox
	// GiveUp is how long a notice is tried; zero is a day.
	GiveUp time.Duration
	// Most is how many notices may wait, and how many dead letters are kept; zero is 1000.
	Most int
	// Log hears what is given up, and that an endpoint fails; nil is slog.Default.
	Log *slog.Logger

	clock func() time.Time // for tests; nil is time.Now

	mu       sync.Mutex
	waits    []*parcel
	last     time.Time       // when the last letter was queued
	closed   time.Time       // the endpoint asked to be left alone until then
	failing  bool            // and that was logged
	blind    bool            // the outbox could not be read, and that was logged
	diskless bool            // the disk took no letter, and that was logged
	left     map[string]bool // what is over and still has a file, by delivery
	flying   int
	wake     chan struct{}
	once     sync.Once
}

// parcel is a letter on its way.
type parcel struct {
	Letter
	next   time.Time
	flying bool
}

// Format implements fmt.Formatter: a Courier prints as its address, as that prints.
func (c *Courier) Format(f fmt.State, _ rune) {
	fmt.Fprint(f, "notify.Courier("+c.Webhook.Address.String()+")")
}

func (c *Courier) init() {
	c.once.Do(func() { c.wake, c.left = make(chan struct{}, 1), map[string]bool{} })
}

// now is the clock on the wall: a laptop that sleeps stops the other one.
func (c *Courier) now() time.Time {
	if c.clock != nil {
		return c.clock()
	}
	return time.Now().Round(0)
}

func (c *Courier) log() *slog.Logger {
	if c.Log == nil {
		return slog.Default()
	}
	return c.Log
}

func (c *Courier) giveUp() time.Duration {
	if c.GiveUp <= 0 {
		return usualGiveUp
	}
	return c.GiveUp
}

func (c *Courier) most() int {
	if c.Most <= 0 {
		return usualMost
	}
	return c.Most
}

// Tell has a notice delivered. When it returns, the notice is on the disk, if that takes it.
// It waits for no endpoint.
func (c *Courier) Tell(n Notice) {
	c.init()
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now().UTC()
	if !now.After(c.last) {
		now = c.last.Add(1) // so that the files have the order of the notices
	}
	c.last = now
	p := &parcel{Letter: Letter{Notice: n, Queued: now}, next: now}
	err := c.Outbox.keep(p.Letter)
	if err != nil && !c.diskless {
		c.log().Warn("a notice cannot be kept on the disk until it arrives, and is lost if this program ends before", "delivery", n.Delivery, "error", err)
	}
	c.diskless = err != nil
	c.replace(n)
	c.waits = append(c.waits, p)
	for c.tooMany() {
	}
	c.stir()
}

// replace drops reminders of a sign-in that have not arrived: there is newer word of it.
func (c *Courier) replace(n Notice) {
	c.waits = slices.DeleteFunc(c.waits, func(p *parcel) bool {
		if p.flying || p.Notice.ID != n.ID || p.Notice.Repeat == 0 {
			return false
		}
		c.forget(p)
		return true
	})
}

// tooMany gives up the oldest notice if too many wait, and reports whether it did.
func (c *Courier) tooMany() bool {
	if len(c.waits) <= c.most() {
		return false
	}
	at := slices.IndexFunc(c.waits, func(p *parcel) bool { return !p.flying })
	if at < 0 {
		return false
	}
	p := c.waits[at]
	p.Why = "too many notices were waiting"
	c.bury(p)
	return true
}

func (c *Courier) stir() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run delivers until the context ends, first what an earlier process left. What has not
// arrived then stays on the disk for the next one.
func (c *Courier) Run(ctx context.Context) {
	c.init()
	flights, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var flown sync.WaitGroup
	looked := time.Time{}
	for ctx.Err() == nil {
		if now := c.now(); now.Sub(looked) >= lookAgain || now.Before(looked) {
			c.look()
			looked = now
		}
		wait := c.start(flights, &flown)
		timer := time.NewTimer(wait)
		select {
		case <-c.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	stop := time.AfterFunc(farewell, cancel)
	c.start(flights, &flown) // what came last has its chance too
	flown.Wait()
	stop.Stop()
}

// look reads what the folder has and this process does not know.
func (c *Courier) look() {
	c.mu.Lock() // or a notice that arrives meanwhile would be found again
	defer c.mu.Unlock()
	found, odd, err := c.Outbox.list(waiting, c.knows)
	for _, err := range odd {
		c.log().Warn("a file in the outbox is left alone", "error", err)
	}
	if err != nil && !c.blind {
		c.log().Warn("the outbox cannot be read", "error", err)
	}
	c.blind = err != nil
	now := c.now()
	for _, l := range found {
		if l.Queued.After(now) { // the clock was put back
			l.Queued = now.UTC()
		}
		c.waits = append(c.waits, &parcel{Letter: l, next: now})
	}
	slices.SortStableFunc(c.waits, func(a, b *parcel) int { return a.Queued.Compare(b.Queued) })
}

// knows reports whether this process sends a notice, or is done with it; c.mu is held.
func (c *Courier) knows(delivery string) bool {
	return c.left[delivery] || slices.ContainsFunc(c.waits, func(p *parcel) bool { return p.Notice.Delivery == delivery })
}

// start begins the attempts that are due, and returns how long to sleep then.
func (c *Courier) start(ctx context.Context, flown *sync.WaitGroup) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, wait := c.now(), lookAgain
	if c.closed.Sub(now) > longestPause { // the clock was put back
		c.closed = now
	}
	ahead := map[string]bool{} // sign-ins with an earlier notice
	for _, p := range c.waits {
		id := p.Notice.ID
		behind := ahead[id] && id != ""
		ahead[id] = true
		if p.flying || behind || c.flying >= atOnce {
			continue
		}
		if p.next.Sub(now) > lastPause+longestPause {
			p.next = now
		}
		due := p.next
		if c.closed.After(due) {
			due = c.closed
		}
		if due.After(now) {
			wait = min(wait, due.Sub(now))
			continue
		}
		p.flying = true
		c.flying++
		flown.Go(func() { c.settle(ctx, p, c.Webhook.Post(ctx, p.Notice)) })
	}
	return wait
}

// settle takes note of what became of an attempt.
func (c *Courier) settle(ctx context.Context, p *parcel, o Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.stir()
	p.flying = false
	c.flying--
	if ctx.Err() != nil && !o.Delivered() {
		return // this process ends, and the next one tries again
	}
	now := c.now()
	if o.Delivered() {
		if c.failing {
			c.log().Info("the webhook takes notices again", "address", c.Webhook.Address.String())
		}
		c.failing = false
		c.drop(p)
		c.forget(p)
		return
	}
	p.Attempts++
	p.Tried, p.Why = now.UTC(), o.Why
	if p.Queued.After(now) { // the clock was put back
		p.Queued = now.UTC()
	}
	end := p.Queued.Add(c.giveUp())
	if o.Final || !now.Before(end) {
		c.bury(p)
		return
	}
	if !c.failing {
		c.log().Warn("the webhook does not take notices, and is tried again", "reason", o.Why)
	}
	c.failing = true
	if p.next = now.Add(pause(p.Attempts, rand.Float64())); p.next.After(end) {
		p.next = end // the last attempt
	}
	if until := now.Add(o.RetryAfter); o.RetryAfter > 0 && until.After(c.closed) {
		c.closed = until
	}
}

// pause is how long to wait after so many attempts; draw is a random number in [0, 1).
func pause(attempts int, draw float64) time.Duration {
	longest := lastPause
	if doublings := attempts - 1; doublings < 10 {
		longest = min(longest, firstPause<<doublings)
	}
	return longest - time.Duration(draw*float64(longest)/2)
}

// bury gives a notice up; c.mu is held.
func (c *Courier) bury(p *parcel) {
	c.drop(p)
	p.Died = c.now().UTC()
	removed, err := c.Outbox.bury(p.Letter, c.most())
	c.log().Warn("a notice is given up: see venuekey notify dead", "delivery", p.Notice.Delivery, "id", p.Notice.ID, "reason", p.Why)
	if err != nil {
		c.left[p.Notice.Delivery] = true
		c.log().Warn("a dead letter cannot be kept", "delivery", p.Notice.Delivery, "error", err)
	}
	if removed > 0 {
		c.log().Warn("the oldest dead letters are removed, because there are too many", "removed", removed)
	}
}

// drop takes a notice off the list.
func (c *Courier) drop(p *parcel) {
	c.waits = slices.DeleteFunc(c.waits, func(other *parcel) bool { return other == p })
}

// forget removes a notice's file.
func (c *Courier) forget(p *parcel) {
	if err := c.Outbox.arrived(p.Letter); err != nil {
		c.left[p.Notice.Delivery] = true
		c.log().Warn("a notice that is over is still on the disk, and the next program may send it again", "delivery", p.Notice.Delivery, "error", err)
	}
}
