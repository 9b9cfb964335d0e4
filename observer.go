package venuekey

import (
	"container/heap"
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// observer.go owns how events are found: by comparing the store with what was reported
// before. A change costs one read of its record. All records are read at the start, when
// changes may have been missed, and once an hour.

const (
	// lookAgain is how often all records are read even if nothing was missed.
	lookAgain = time.Hour
	// idleTick is the longest that a reader sleeps while the store reports changes.
	idleTick = time.Minute
	// lookShare bounds the cost of reading all records if a store reports again and
	// again that changes were missed: one part in lookShare of the time.
	lookShare = 20
	// mostChanged is how many changed keys are remembered; beyond that, all records
	// are read.
	mostChanged = 4096
	// overdueAfter is how long a token may be expired before that counts as trouble,
	// if no program tried to renew it.
	overdueAfter = time.Minute
)

// observer finds events for one reader.
type observer struct {
	keeper *Keeper
	only   map[string]bool // the keys to observe; nil means all

	mu      sync.Mutex
	changed map[string]bool  // the keys that the store reported; "" means everything
	polling bool             // the store does not report changes
	queues  map[string]Event // the last event about each venue's queue, until it is read
	wake    chan struct{}    // holds an item if there is something to read

	// What follows belongs to the reader's goroutine.
	known       map[string]known // by key
	alarms      alarms
	began       time.Time
	lookNo      uint32
	looked      time.Time     // when all records were last read
	took        time.Duration // how long that took
	foundAll    bool          // all records have been read once
	storeSilent bool          // the store did not answer, and that was logged
}

// known is what was reported about a sign-in.
type known struct {
	version, generation int64
	state               State
	reason              string
	severity            severity
	warnings            int // how many of the warnings before its end
	failures            int
	signedIn            time.Time
	missing             int       // how many requested scopes are missing
	next                time.Time // when time alone changes something
	lookNo              uint32    // the last full read that saw it
}

func newObserver(k *Keeper, only []ID) *observer {
	o := &observer{keeper: k, changed: map[string]bool{}, queues: map[string]Event{}, wake: make(chan struct{}, 1), known: map[string]known{}, began: time.Now()}
	for _, id := range only {
		if o.only == nil {
			o.only = map[string]bool{}
		}
		o.only[tokenPrefix+id.String()] = true
	}
	return o
}

// listen notes the changes that the store reports.
func (o *observer) listen(ctx context.Context) {
	watcher, watches := o.keeper.Vault.Store.(Watcher)
	for watches && ctx.Err() == nil {
		err := watcher.Watch(ctx, o.noteChange)
		watches = !errors.Is(err, errors.ErrUnsupported)
		if ctx.Err() == nil && watches {
			o.keeper.log().Warn("the store does not report changes", "error", systemError(err))
			_ = pause(ctx, runTick)
		}
	}
	o.mu.Lock()
	o.polling = !watches
	o.mu.Unlock()
	o.noteChange("")
}

// noteChange records a key to read; "" means all.
func (o *observer) noteChange(key string) {
	if key != "" && (!isTokenKey(key) || o.only != nil && !o.only[key]) {
		return
	}
	o.mu.Lock()
	if len(o.changed) >= mostChanged {
		o.changed = map[string]bool{"": true}
	}
	o.changed[key] = true
	o.mu.Unlock()
	o.wakeUp()
}

// noteQueue records an event about a venue's queue.
func (o *observer) noteQueue(event Event) {
	o.mu.Lock()
	o.queues[event.Status.ID.Venue] = event
	o.mu.Unlock()
	o.wakeUp()
}

func (o *observer) wakeUp() {
	select {
	case o.wake <- struct{}{}:
	default: // the last wake-up is still pending
	}
}

// sleep waits until there may be something to report. It uses ticks rather than one
// long timer, because laptops sleep and clocks jump.
func (o *observer) sleep(ctx context.Context) {
	wait := idleTick
	o.mu.Lock()
	if o.polling || o.storeSilent || !o.foundAll || len(o.changed) > 0 {
		wait = runTick
	}
	o.mu.Unlock()
	if len(o.alarms) > 0 {
		wait = max(min(wait, time.Until(o.alarms[0].at)), time.Millisecond)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-o.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// deliver yields the events that there are, and reports whether the reader wants more.
func (o *observer) deliver(ctx context.Context, yield func(Event) bool) bool {
	keys, queues, all := o.take()
	rings := len(o.alarms) > 0 && !time.Now().Before(o.alarms[0].at)
	if len(queues) == 0 && len(keys) == 0 && !all && !rings {
		return true
	}
	g := o.keeper.inputs()
	for _, event := range queues {
		if !yield(event) {
			return false
		}
	}
	if all && !o.lookAtAll(ctx, g, yield) {
		return false
	}
	for key := range keys {
		if !o.lookAt(ctx, g, key, yield) {
			return false
		}
	}
	for len(o.alarms) > 0 && !time.Now().Before(o.alarms[0].at) {
		due := heap.Pop(&o.alarms).(alarm)
		if o.known[due.key].next.Equal(due.at) && !o.lookAt(ctx, g, due.key, yield) {
			return false
		}
	}
	return true
}

// take returns the changed keys, the events about queues, and whether it is time to
// read all records.
func (o *observer) take() (keys map[string]bool, queues map[string]Event, all bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	since := time.Since(o.looked)
	all = (o.changed[""] || o.polling || since > lookAgain) && since > max(lookShare*o.took, time.Millisecond)
	keys = maps.Clone(o.changed)
	delete(keys, "")
	queues, o.queues = o.queues, map[string]Event{}
	if missed := o.changed[""]; missed && !all {
		o.changed = map[string]bool{"": true} // later
	} else {
		o.changed = map[string]bool{}
	}
	return keys, queues, all
}

// lookAtAll reads all observed records and opens those that changed.
func (o *observer) lookAtAll(ctx context.Context, g *inputs, yield func(Event) bool) bool {
	begun := time.Now()
	o.lookNo++
	if o.only != nil {
		for key := range o.only {
			if !o.lookAt(ctx, g, key, yield) {
				return false
			}
		}
		o.looked, o.took, o.foundAll = time.Now(), time.Since(begun), o.foundAll || !o.storeSilent
		return true
	}
	for record, err := range o.keeper.Vault.records(ctx) {
		if err != nil {
			o.lookLater(ctx, "", err)
			o.looked, o.took = time.Now(), runTick/lookShare
			return true
		}
		if !o.compare(ctx, g, record, yield) {
			return false
		}
	}
	for key, was := range o.known {
		if was.lookNo != o.lookNo && !o.gone(key, yield) {
			return false
		}
	}
	o.looked, o.took, o.foundAll, o.storeSilent = time.Now(), time.Since(begun), true, false
	return true
}

// lookAt reads one record.
func (o *observer) lookAt(ctx context.Context, g *inputs, key string, yield func(Event) bool) bool {
	record, err := o.keeper.Vault.Store.Get(ctx, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return o.gone(key, yield)
	case err != nil:
		o.lookLater(ctx, key, err)
		return true
	}
	o.storeSilent = false
	return o.compare(ctx, g, record, yield)
}

// lookLater schedules a record to be read again.
func (o *observer) lookLater(ctx context.Context, key string, err error) {
	if !o.storeSilent && ctx.Err() == nil {
		o.storeSilent = true
		o.keeper.log().Warn("the store does not answer; events are reported when it does", "error", systemError(err))
	}
	o.mu.Lock()
	o.changed[key] = true
	o.mu.Unlock()
}

// gone reports a record that was deleted.
func (o *observer) gone(key string, yield func(Event) bool) bool {
	was, ok := o.known[key]
	if !ok {
		return true
	}
	delete(o.known, key)
	return yield(Event{Kind: EventSignedOut, At: time.Now(), Status: Status{ID: idOfKey(key)}, Before: was.state, Reason: "the sign-in was forgotten"})
}

// alarm is a time at which a sign-in's status changes although no record does.
type alarm struct {
	at  time.Time
	key string
}

// alarms is a heap of alarms, the next one first. Alarms of records that have changed
// since are stale, and are dropped when their time comes.
type alarms []alarm

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a alarms) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *alarms) Push(x any)        { *a = append(*a, x.(alarm)) }

func (a *alarms) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
