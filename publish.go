package venuekey

import "time"

// publish.go owns what a Source returns without reading the store: the token that was
// published last.

// handout is a token as callers get it, with its generation.
type handout struct {
	token      *Token
	generation int64
}

// recheck is how long a token is returned without reading the store. A renewal by another
// process is seen within that time, and so is the end of a suspend, which no timer
// notices.
const recheck = time.Second

// publish lets the Source return the token until it is due.
func (k *Keeper) publish(id ID, token Token, record Record) {
	token.Generation = record.Generation
	until := token.Expires
	if !record.NextRefresh.IsZero() && record.NextRefresh.Before(until) {
		until = record.NextRefresh
	}
	k.Source(id).publishIfNewer(&handout{token: token.handedOut(), generation: record.Generation}, time.Until(until))
}

// publishIfNewer publishes a token, for at most recheck, unless a newer one was published.
func (s *Source) publishIfNewer(h *handout, good time.Duration) {
	for {
		old := s.last.Load()
		if old != nil && old.generation > h.generation {
			return
		}
		if s.last.CompareAndSwap(old, h) {
			break
		}
	}
	if good > 0 {
		s.fresh.Store(h.token)
		time.AfterFunc(min(good, recheck), func() { s.fresh.CompareAndSwap(h.token, nil) })
	}
}

// invalidate withdraws the published token.
func (s *Source) invalidate() {
	s.fresh.Store(nil)
	s.last.Store(nil)
}

// forget makes the Source read the store again, and drops the unsaved rotation.
func (k *Keeper) forget(id ID) {
	k.mu.Lock()
	e := k.entry(id)
	e.source.invalidate()
	k.dropUnsaved(e)
	k.mu.Unlock()
}
