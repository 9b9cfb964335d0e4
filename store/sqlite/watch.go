package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/venuekey/venuekey"
)

// watch.go owns telling of changes. SQLite tells nobody, so a watch asks for the
// last version that the file gave, which costs microseconds, and compares all
// keys when it moved.

const (
	// watchTick is how often a watch asks.
	watchTick = 250 * time.Millisecond
	// mostKeys is how many keys a watch compares; of a file with more it says
	// that everything has to be looked at.
	mostKeys = 10_000
)

var _ venuekey.Watcher = (*Store)(nil)

// Watch implements venuekey.Watcher. It tells of a change a quarter of a second
// after it at the latest.
func (s *Store) Watch(ctx context.Context, changed func(key string)) error {
	tick := time.NewTicker(watchTick)
	defer tick.Stop()
	var before *glance
	for {
		now, err := s.look(ctx, before)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrClosed):
			return err
		case err == nil: // other trouble may pass, and costs only time
			for _, key := range now.since(before) {
				if ctx.Err() == nil {
					changed(key)
				}
			}
			before = now
		}
		select {
		case <-tick.C:
		case <-s.pool.done:
		case <-ctx.Done():
		}
	}
}

// glance is what a watch knows of the file at one moment.
type glance struct {
	file     fs.FileInfo
	last     int64            // the last version that any write got
	versions map[string]int64 // of every key; nil if they are too many
}

// look gives before itself when nothing was written since.
func (s *Store) look(ctx context.Context, before *glance) (now *glance, err error) {
	err = s.read(ctx, func(c *conn) error {
		now = &glance{file: c.file}
		// It is asked for before the keys are read: what is written in between is
		// found again by the next look.
		if now.last, _, err = c.number(selectLast); err != nil {
			return err
		}
		if before != nil && before.last == now.last && os.SameFile(before.file, now.file) {
			now = before
			return nil
		}
		now.versions, err = c.versions(mostKeys)
		return err
	})
	return now, err
}

// since tells which keys changed after another glance; "" is any.
func (g *glance) since(before *glance) (keys []string) {
	if g == before {
		return nil
	}
	if before == nil || before.versions == nil || g.versions == nil || !os.SameFile(before.file, g.file) {
		return []string{""}
	}
	for key, version := range g.versions {
		if before.versions[key] != version {
			keys = append(keys, key)
		}
	}
	for key := range before.versions {
		if g.versions[key] == 0 {
			keys = append(keys, key)
		}
	}
	return keys
}
