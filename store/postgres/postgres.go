// Package postgres is the venuekey.Store for a fleet: any number of programs on any
// number of machines share one database. It needs PostgreSQL 14 or later.
//
// # The address
//
// Open accepts what PostgreSQL's own tools accept: "postgres://user@host/database", or
// keywords and values as in "host=/run/postgresql dbname=venuekey", with the usual
// environment variables and password files. Two parameters are venuekey's own: schema
// names the schema that holds everything (default "venuekey"), and pool_max_conns bounds
// the connections of one Store (default 4; a watch uses one more). Errors never contain
// the address or a password.
//
// For a server on another machine, sslmode=prefer, libpq's default, means verify-full
// here, because an attacker on the way could otherwise suppress TLS. Any other sslmode is
// used as it stands. Without a verified certificate the password is used with SCRAM only,
// and not sent in clear or as MD5 unless the address allows that with require_auth. A
// Unix socket needs no certificate, except in /tmp and other folders that every user may
// write to.
//
// # The schema
//
// Everything is in one schema; all names are qualified and independent of the search
// path. Open creates the schema if it does not exist, and never changes an existing one.
// It returns an error for an older one, until Migrate has run; for a newer one, until
// this program is updated; and for one that was altered by hand, until that is undone.
// Programs that start or migrate at the same time wait for each other. A role that does
// not own the schema needs exactly these privileges, besides CONNECT on the database:
//
//	GRANT USAGE ON SCHEMA venuekey TO the_role;
//	GRANT SELECT, INSERT, UPDATE, DELETE ON venuekey.record TO the_role;
//	GRANT SELECT ON venuekey.migration TO the_role;
//	GRANT USAGE, SELECT ON SEQUENCE venuekey.version TO the_role;
//
// Never set the sequence back. Only the schema's owner can create and migrate it, with
// the privilege CREATE on the database, or in a schema that an administrator has created.
//
// # Durability
//
// A write is acknowledged once the server has flushed it, whatever synchronous_commit
// says in the server's settings. Whether the server flushes at all (fsync), and for how
// many standbys it waits, is up to its administrator.
//
// If a connection breaks while a Put waits for its answer, the outcome is unknown. Every
// Put therefore writes a number of its own into the record. For a few seconds the Store
// repeats the same Put, which the version makes harmless, and looks for that number: if
// it is there, Put returns the version as if nothing had happened. If the server stays
// away, Put returns an error of ClassUnknown, never nil. A caller that then repeats the
// Put gets ErrConflict if the first one succeeded, and can check with Get. A lost answer
// to a Claim is not followed up: the leased records become free again when the lease
// expires.
//
// A read-only server, such as a standby during a failover, can be opened and read like
// any other. Writes return an error of ClassLater, and the next call uses a new
// connection: with target_session_attrs=read-write in an address that names all servers,
// it reaches the new primary.
//
// Times come from the server's clock, so machines whose clocks differ agree. A claimed
// record whose lease has expired is due from the end of that lease.
//
// # Watching
//
// Watch listens for announcements, which writers make after their commit. Any role that
// can connect to a database can listen and notify there, so the channel's name cannot be
// guessed and announcements are encrypted; both derive from a random number in the table
// migration. A role that may not read it learns nothing, not even whose token was
// renewed, and what it sends is discarded.
//
// An announcement can be lost, with a writer that dies before it or with a connection.
// Therefore every write has a version from one gapless sequence, and a watch that finds a
// version missing calls changed("") within a few seconds.
//
// # Poolers
//
// A PgBouncer in between is detected, and statements are then not kept prepared on the
// server. In session mode nothing else changes. In transaction mode notifications do not
// arrive, so Watch polls four times a second and calls changed("") instead of naming
// keys. Put, Get and Claim are single statements and work the same in any mode.
package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/venuekey/venuekey"
)

// postgres.go owns the Store: what each of its methods means in SQL.

// Store is an open database. Use Open to create one.
type Store struct {
	pool   *pgxpool.Pool
	place  string // names the database in errors
	schema string
	sql    *statements       // for any connection
	own    *statements       // for one that no pooler shares, see sizeUp
	mode   pgx.QueryExecMode // as in the address
	told   announcer
	// whisper is how changes are announced. It is set once the schema has been inspected.
	whisper *whisper
	tick    time.Duration // of a watch, see watchTick
	// closing is closed by Close, and ends everything that waits.
	closing chan struct{}
	once    sync.Once
}

var (
	_ venuekey.Store   = (*Store)(nil)
	_ venuekey.Watcher = (*Store)(nil)
)

// Open opens the database at the address and creates the schema if there is none. If
// there is one, Open reads but does not write. Errors that a person can fix are
// *venuekey.Error: the Reason names the database and the Remedy says what to do.
func Open(ctx context.Context, dsn string) (*Store, error) { return open(ctx, dsn, migrations) }

func open(ctx context.Context, dsn string, steps []string) (*Store, error) {
	s, err := dial(ctx, dsn)
	if err != nil {
		return nil, err
	}
	err = s.inspect(ctx, steps)
	if errors.Is(err, errEmpty) {
		if _, _, err = s.migrate(ctx, steps); err == nil {
			err = s.inspect(ctx, steps)
		}
	}
	if err != nil {
		_ = s.Close() // err says what is wrong
		return nil, err
	}
	return s, nil
}

// dial returns a Store whose schema has not been inspected.
func dial(ctx context.Context, dsn string) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	config, schema, err := configure(dsn)
	if err != nil {
		return nil, err
	}
	place := placeOf(config.ConnConfig)
	// The context is for connections opened now, and there are none.
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, explain(ctx, place, err)
	}
	s := &Store{
		pool: pool, place: place, schema: schema, sql: statementsIn(schema, flushOnce), own: statementsIn(schema, flushAlways),
		mode: config.ConnConfig.DefaultQueryExecMode, tick: watchTick, closing: make(chan struct{}),
	}
	s.told.send = s.notify
	return s, nil
}

// Get implements venuekey.Store.
func (s *Store) Get(ctx context.Context, key string) (record venuekey.Record, err error) {
	err = s.read(ctx, func(ctx context.Context, c session) error {
		found, err := c.records(ctx, s.sql.get, key)
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
	receipt := rand.Int64()
	args := append(row(record), receipt)
	if record.Version != 0 {
		args = append(args, record.Version)
	}
	err = s.write(ctx, func(ctx context.Context, c session) error {
		sql := c.sql.create
		if record.Version != 0 {
			sql = c.sql.update
		}
		return conflict(c.row(ctx, sql, args...).Scan(&version))
	}, func(ctx context.Context, c session) error {
		return conflict(c.row(ctx, s.sql.receipt, record.Key, receipt).Scan(&version))
	})
	if err != nil {
		return 0, err
	}
	s.told.tell(change{version, record.Key})
	return version, nil
}

// conflict turns "no rows", where a row should have been written, into ErrConflict.
func conflict(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return venuekey.ErrConflict
	}
	return err
}

// Delete implements venuekey.Store. If the connection breaks, a record that is gone
// counts as deleted.
func (s *Store) Delete(ctx context.Context, key string, version int64) error {
	var last *int64 // a version for the deletion, which is a change like others
	err := s.write(ctx, func(ctx context.Context, c session) error {
		var found bool
		err := c.row(ctx, c.sql.remove, key, version).Scan(&last, &found)
		switch {
		case err != nil || last != nil:
			return err
		case found:
			return venuekey.ErrConflict
		}
		return venuekey.ErrNotFound
	}, func(ctx context.Context, c session) error {
		found, err := c.records(ctx, s.sql.get, key)
		if err == nil && len(found) > 0 {
			err = venuekey.ErrConflict
		}
		return err
	})
	if err == nil && last != nil {
		s.told.tell(change{*last, key})
	}
	return err
}

// List implements venuekey.Store.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) (records []venuekey.Record, err error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	err = s.read(ctx, func(ctx context.Context, c session) error {
		records, err = c.records(ctx, limited(s.sql.page, limit), max(prefix, after), prefix+beyond, after)
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
	err = s.write(ctx, func(ctx context.Context, c session) error {
		claimed, err = c.records(ctx, limited(c.sql.claim, limit), prefix, prefix+beyond, owner, lease.Microseconds(), rand.Int64())
		return err
	}, nil)
	if err != nil {
		return nil, err
	}
	changes := make([]change, len(claimed))
	for i, record := range claimed {
		changes[i] = change{record.Version, record.Key}
	}
	s.told.tell(changes...)
	slices.SortFunc(claimed, func(a, b venuekey.Record) int {
		return cmp.Or(a.NextRefresh.Compare(b.NextRefresh), cmp.Compare(a.Key, b.Key))
	})
	return claimed, nil
}

// Close implements venuekey.Store. It waits for calls in flight, ends watches, and may be
// called more than once.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.closing) })
	s.told.finish()
	s.pool.Close()
	return nil
}

// beyond is the greatest character: any key with a prefix sorts before the prefix
// followed by it.
const beyond = "\U0010ffff"
