package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/venuekey/venuekey"
)

// watch.go owns Watch. SQLite has no notifications, so a watch polls the last version in
// the file, which costs microseconds, and compares all keys when it has changed.

const (
	// watchTick is how often a watch polls.
	watchTick = 250 * time.Millisecond
	// mostKeys is how many keys a watch compares; for a file with more it reports that
	// anything may have changed.
	mostKeys = 10_000
)

var _ venuekey.Watcher = (*Store)(nil)

// Watch implements venuekey.Watcher. It reports a change within a quarter of a second.
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
		case err == nil: // other errors may pass, and only delay the report
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
	last     int64            // the last version of any write
	versions map[string]int64 // of every key; nil if there are too many
}

// look returns before if nothing was written since.
func (s *Store) look(ctx context.Context, before *glance) (now *glance, err error) {
	err = s.read(ctx, func(c *conn) error {
		now = &glance{file: c.file}
		// It is read before the keys: what is written in between is found again by the
		// next poll.
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

// since returns the keys that changed since an earlier glance; "" means any.
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
