// Package sqlite is the default venuekey.Store: one private file that any number of
// programs on one machine use at the same time.
//
// Open creates the file with mode 0600, and its folder with mode 0700. It does not create
// the folder's parents, so that a mistyped path or an unmounted disk is noticed. If other
// users can read the file, its mode is tightened. A folder that other users can write to
// is refused, because they could replace the file; so are a folder and a file that belong
// to another user. The file may be a symbolic link that belongs to this user or root; the
// files that SQLite keeps next to it may not be links. The folders above are checked as
// sshd does.
//
// Every write is a transaction that is flushed before it is acknowledged (WAL with
// synchronous=FULL, and F_FULLFSYNC where available), so a crash of a program or the
// machine loses nothing that was acknowledged. A damaged, emptied or foreign file is an
// error and is never overwritten. Deleted and replaced content is overwritten with zeros
// (secure_delete). SQLite keeps two more files next to it, with "-wal" and "-shm" after
// its name. They are part of it: never move, copy or delete it without them.
//
// If the disk becomes read-only, Open succeeds and everything can be read; writes return
// an error of ClassLater until the disk is writable again. (On Linux and macOS; on other
// systems Open fails.)
//
// Errors that a person can fix are *venuekey.Error: the Reason names the file and the
// Remedy says what to do.
//
// The driver is github.com/ncruces/go-sqlite3, through its own interface. It starts
// faster than the other pure Go driver, which matters most for a command that prints one
// token: a program that opens the file, reads one record and exits takes twice as long as
// one that prints a constant. With modernc.org/sqlite it takes two and a half times as
// long, through database/sql or without.
package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/venuekey/venuekey"
)

// sqlite.go owns the Store: what each of its methods means in SQL.

// Store is an open vault file. Use Open to create one.
type Store struct {
	pool *pool
	// turn is held by the one goroutine of this process that writes. Without it they
	// would queue at the file's lock, where waiting means polling.
	turn chan struct{}
}

var _ venuekey.Store = (*Store)(nil)

// Open opens the vault file at path and creates it if it does not exist. If the file
// exists, Open reads but does not write.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if path, err = follow(path); err != nil {
		return nil, err
	}
	noLog, err := ready(ctx, path)
	if err != nil {
		return nil, explain(ctx, path, err)
	}
	s := &Store{pool: newPool(path), turn: make(chan struct{}, 1)}
	// Read the file now, so that Open reports what is wrong with it.
	if err := s.read(ctx, func(*conn) error { return tighten(path, noLog) }); err != nil {
		_ = s.Close() // err says what is wrong
		return nil, err
	}
	return s, nil
}

// Get implements venuekey.Store.
func (s *Store) Get(ctx context.Context, key string) (record venuekey.Record, err error) {
	err = s.read(ctx, func(c *conn) error {
		found, err := c.records(now(), selectOne, key)
		if err == nil && len(found) == 0 {
			err = venuekey.ErrNotFound
		}
		if err == nil {
			record = found[0]
		}
		return err
	})
	return record, err
}

// Put implements venuekey.Store.
func (s *Store) Put(ctx context.Context, record venuekey.Record) (version int64, err error) {
	err = s.write(ctx, func(c *conn) error {
		stored, _, err := c.number(selectVersion, record.Key)
		if err != nil {
			return err
		}
		// Versions begin at one, so a missing record is zero on both sides.
		if stored != record.Version {
			return venuekey.ErrConflict
		}
		if version, _, err = c.number(nextVersion); err != nil {
			return err
		}
		return c.run(nil, upsert, record.Key, version, record.Generation, record.NextRefresh,
			record.LeaseOwner, record.LeaseUntil, int64(record.Attempt), record.IntentAt,
			string(record.Condition), int64(record.Failures), record.Text, record.Sealed)
	})
	if err != nil {
		return 0, err
	}
	return version, nil
}

// Delete implements venuekey.Store.
func (s *Store) Delete(ctx context.Context, key string, version int64) error {
	return s.write(ctx, func(c *conn) error {
		stored, found, err := c.number(selectVersion, key)
		switch {
		case err != nil:
			return err
		case !found:
			return venuekey.ErrNotFound
		case stored != version:
			return venuekey.ErrConflict
		}
		// A deletion takes a version like every write, so that watches notice it.
		if _, _, err := c.number(nextVersion); err != nil {
			return err
		}
		return c.run(nil, deleteOne, key)
	})
}

// List implements venuekey.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) (records []venuekey.Record, err error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	err = s.read(ctx, func(c *conn) error {
		records, err = c.records(now(), selectPage, max(prefix, after), end(prefix), after, int64(limit))
		return err
	})
	return records, err
}

// Claim implements venuekey.Store.
func (s *Store) Claim(ctx context.Context, prefix, owner string, lease time.Duration, limit int) (claimed []venuekey.Record, err error) {
	if owner == "" || lease <= 0 {
		return nil, fmt.Errorf("claim by %q for %v: an owner and a positive lease are required", owner, lease)
	}
	if limit <= 0 {
		return nil, ctx.Err()
	}
	err = s.write(ctx, func(c *conn) error {
		// The clock is read inside the transaction, because waiting for that took time.
		at := now()
		due, err := c.texts(selectDue, at, prefix, end(prefix), int64(limit))
		for _, key := range due {
			var one []venuekey.Record
			if one, err = c.lease(at, key, owner, at.Add(lease)); err != nil {
				break
			}
			claimed = append(claimed, one...)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// Close implements venuekey.Store. It waits for calls in flight, and may be called more
// than once.
func (s *Store) Close() error {
	return explain(context.Background(), s.pool.path, s.pool.close())
}

// read runs work on a connection.
func (s *Store) read(ctx context.Context, work func(*conn) error) (err error) {
	c, err := s.pool.take(ctx)
	if err != nil {
		return explain(ctx, s.pool.path, err)
	}
	defer func() { s.pool.give(c, err) }()
	return explain(ctx, s.pool.path, work(c))
}

// write runs work inside a transaction that holds the write lock from its beginning, and
// commits unless work returns an error.
func (s *Store) write(ctx context.Context, work func(*conn) error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	return s.read(ctx, func(c *conn) error { return c.transaction(ctx, work) })
}

// end returns a text that sorts after all keys with the prefix. UTF-8 has no byte 0xff,
// so that stands for "after everything".
func end(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return "\xff"
}

// now is the store's clock. All programs that share the file run on one machine, so it is
// the machine's, without the monotonic part, which stored times lack too.
func now() time.Time { return time.Now().Truncate(time.Microsecond).UTC() }
