package venuekey

import "time"

// publish.go owns what a Source hands out without a look at the store: the token that
// was published last.

// handout is a token as consumers get it, and which one it is.
type handout struct {
	token      *Token
	generation int64
}

// recheck is how long a token is given away without a look at the store. What
// another process renewed is seen within that time, and so is the end of a
// suspend, which no timer notices.
const recheck = time.Second

// publish lets Sources hand the token out until it is due.
func (k *Keeper) publish(id ID, token Token, record Record) {
	until := token.Expires
	if !record.NextRefresh.IsZero() && record.NextRefresh.Before(until) {
		until = record.NextRefresh
	}
	k.Source(id).publishIfNewer(&handout{token: token.handedOut(), generation: record.Generation}, time.Until(until))
}

// publishIfNewer publishes a token for a moment, unless a newer one was published.
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

// invalidate takes back what was published.
func (s *Source) invalidate() {
	s.fresh.Store(nil)
	s.last.Store(nil)
}

// forget makes Sources look at the store again, and drops what was kept for it.
func (k *Keeper) forget(id ID) {
	k.mu.Lock()
	e := k.entry(id)
	e.source.invalidate()
	k.dropUnsaved(e)
	k.mu.Unlock()
}
