package venuekey

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// run.go owns the loop that renews everything that is due.

const (
	// runTick is the longest that Run sleeps. Short ticks rather than one long
	// timer: laptops sleep and clocks jump.
	runTick = 5 * time.Second
	// runParallel is how many renewals of one venue are under way at once.
	runParallel = 16
)

// Run keeps every token in the vault fresh until the context ends, and then waits for
// the renewals in flight. It returns the context's error; trouble with the store or a
// venue is logged and tried again.
//
// Its cost grows with what is due, not with what is stored: each venue's due records are
// claimed a few at a time, the longest due first. If the queue gets long, tokens that
// expire first go first, and Run warns if tokens will expire in the queue (EventWarning,
// and the log). Venues do not wait for each other, and a token that a program asks for
// does not wait for Run. Any number of programs may run it on one vault.
func (k *Keeper) Run(ctx context.Context) error {
	k.init()
	var running sync.WaitGroup
	defer running.Wait()
	if watcher, ok := k.Vault.Store.(Watcher); ok {
		running.Go(func() { k.watch(ctx, watcher) })
	}
	running.Go(func() {
		for k.scheduleAll(ctx); pause(ctx, lookAgain) == nil; {
			k.scheduleAll(ctx)
		}
	})
	for _, venue := range k.Venues {
		running.Go(func() { k.runVenue(ctx, venue.Name()) })
	}
	for {
		if err := k.flushAll(ctx); err != nil && ctx.Err() == nil {
			k.log().Error("a renewed token still waits to be saved", "error", systemError(err))
		}
		if err := pause(ctx, runTick); err != nil {
			return err
		}
	}
}

// runVenue renews what is due at one venue. Venues do not wait for each other.
func (k *Keeper) runVenue(ctx context.Context, venue string) {
	k.reconsider(ctx, venue)
	slots := make(chan struct{}, runParallel)
	queue := backlog{keeper: k, venue: venue}
	var running sync.WaitGroup
	defer running.Wait()
	for ctx.Err() == nil {
		slots <- struct{}{} // waits until at least one is free
		free := cap(slots) - len(slots) + 1
		due, more, err := queue.claim(ctx, free)
		<-slots
		if err != nil && ctx.Err() == nil {
			k.log().Error("the store does not answer", "venue", venue, "error", systemError(err))
		}
		for _, record := range due {
			slots <- struct{}{}
			running.Go(func() {
				defer func() { <-slots }()
				id := record.ID()
				if _, err := k.await(context.WithoutCancel(ctx), k.fly(ctx, id, record.Generation, whenDue), nil); err != nil {
					k.log().Warn("not renewed", "id", id, "error", systemError(err))
					if ClassOf(err) == ClassLater {
						queue.putOff.Store(true)
					}
				}
			})
		}
		if !more && pause(ctx, runTick) != nil {
			return
		}
	}
}

// watch withdraws published tokens as soon as the store reports a change, so that Sources
// read it again.
func (k *Keeper) watch(ctx context.Context, watcher Watcher) {
	for ctx.Err() == nil {
		err := watcher.Watch(ctx, func(key string) {
			if venue, ok := strings.CutPrefix(key, appPrefix); ok {
				k.work(func() { k.reconsider(ctx, venue) })
			}
			k.mu.Lock()
			defer k.mu.Unlock()
			for id, e := range k.entries {
				if key == "" || key == tokenPrefix+id.String() {
					e.source.fresh.Store(nil)
				}
			}
		})
		if ctx.Err() != nil || errors.Is(err, errors.ErrUnsupported) {
			return
		}
		k.log().Warn("the store does not report changes; they are seen within a second anyway", "error", systemError(err))
		_ = pause(ctx, runTick)
	}
}
