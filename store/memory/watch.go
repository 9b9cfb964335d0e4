package memory

import (
	"context"

	"github.com/venuekey/venuekey"
)

// watch.go owns the notification of watches.

var _ venuekey.Watcher = (*Store)(nil)

// watch is a running call of Watch.
type watch struct {
	changed map[string]bool // the keys to report
	wake    chan struct{}   // holds an item if there are any
}

// Watch implements venuekey.Watcher.
func (s *Store) Watch(ctx context.Context, changed func(key string)) error {
	w := &watch{changed: map[string]bool{"": true}, wake: make(chan struct{}, 1)}
	if err := s.join(ctx, w); err != nil {
		return err
	}
	defer s.leave(w)
	for {
		keys, err := s.news(ctx, w)
		if err != nil {
			return err
		}
		for key := range keys {
			if ctx.Err() == nil {
				changed(key)
			}
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Store) join(ctx context.Context, w *watch) error {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return err
	}
	if s.watches == nil {
		s.watches = map[*watch]bool{}
	}
	s.watches[w] = true
	return nil
}

func (s *Store) leave(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watches, w)
}

// news returns the keys to report.
func (s *Store) news(ctx context.Context, w *watch) (map[string]bool, error) {
	defer s.mu.Unlock()
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	keys := w.changed
	w.changed = map[string]bool{}
	return keys, nil
}

// tell notes a change for every watch. The caller holds the mutex.
func (s *Store) tell(key string) {
	for w := range s.watches {
		w.changed[key] = true
		w.rouse()
	}
}

func (w *watch) rouse() {
	select {
	case w.wake <- struct{}{}:
	default: // it is due to wake already
	}
}
