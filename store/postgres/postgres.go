// Package postgres is the Store for a fleet: any number of programs on any
// number of machines share one database. It needs PostgreSQL 14 or later.
//
// # The address
//
// Open takes what PostgreSQL's own tools take: "postgres://user@host/database",
// or keywords and values as in "host=/run/postgresql dbname=venuekey", with the
// usual environment variables and password files. Two parameters are ours:
// schema names the schema that everything lies in ("venuekey" unless it is
// set), and pool_max_conns bounds the connections of one Store (4 unless it is
// set; a watch takes one more). No address and no password is ever part of an
// error.
//
// On the way to another machine the server's certificate is verified
// (sslmode=verify-full) unless the address says otherwise with another sslmode
// than prefer, libpq's default, which anybody in between can talk down. Without a
// verified certificate the password is proved by SCRAM, and never given in clear or
// as MD5, unless the address says so with require_auth. A socket needs no
// certificate, except in /tmp and other folders that everybody may write to.
//
// # The schema
//
// Everything lies in one schema, is named in full, and does not depend on the
// search path. Open makes it where there is none. It never changes one that is
// there: an older one is an error until Migrate was called, a newer one until
// this program is updated, and one that somebody edited until it is put right.
// Programs that start or migrate together wait for each other. A role that is
// not the schema's owner needs these rights and no others, besides CONNECT on the
// database:
//
//	GRANT USAGE ON SCHEMA venuekey TO the_role;
//	GRANT SELECT, INSERT, UPDATE, DELETE ON venuekey.record TO the_role;
//	GRANT SELECT ON venuekey.migration TO the_role;
//	GRANT USAGE, SELECT ON SEQUENCE venuekey.version TO the_role;
//
// Never set the sequence back. Only the schema's owner can make and migrate it, with
// the right CREATE on the database or in a schema that an administrator made.
//
// # What is durable
//
// A write is acknowledged when the server has flushed it, whatever
// synchronous_commit says in the server's settings; that the server flushes
// (fsync), and how many standbys it waits for, is up to those who run it.
//
// A connection that breaks while a Put waits for its answer leaves nobody
// knowing whether it was written. Every Put therefore writes a number of its own
// into the record. For a few seconds the Store tries the same Put again, which
// the version makes harmless, and looks for that number: what is found is
// reported as the success it was, with its version. If the server stays away,
// Put returns an error of ClassUnknown, never nil. A caller that then repeats
// the Put gets ErrConflict if the first one was made, and Get tells it so. A
// lost answer to a Claim is not looked for: records that were leased are free
// again when the lease ends.
//
// A server that only reads, as a standby does during a failover, is opened and
// read like any other. What would write is an error of ClassLater, and the next
// connection is made anew: with target_session_attrs=read-write in an address
// that names all servers, it leads to the one that is the primary by then.
//
// Times are the server's, so machines whose clocks differ agree. A record that
// was claimed and whose lease ran out has its turn from the end of that lease.
//
// # Watching
//
// Watch listens for what writers announce after their commit. Whoever may connect
// to a database may listen and announce there, so the channel has a name that
// nobody guesses, and what is announced is sealed: the random number that both come
// from lies in the table migration. A role without the right to read it learns
// nothing, not even whose token was renewed, and what it sends is thrown away.
//
// Announcements may
// be lost, with the writer that dies before it or with a connection; therefore
// every write has a version, versions are counted without gaps, and a watch
// that finds one of them missing calls changed("") within a few seconds.
//
// # Poolers
//
// A PgBouncer in between is noticed, and statements are then not kept prepared
// on the server. In session mode nothing is lost. In transaction mode
// notifications do not arrive, so Watch asks four times a second whether
// anything was written, and calls changed("") instead of naming keys. Put, Get
// and Claim are single statements and work alike in any mode.
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

// Store is an open database. Open makes one.
type Store struct {
	pool   *pgxpool.Pool
	place  string // names the database in errors
	schema string
	sql    *statements       // for any connection
	own    *statements       // for one that no pooler lends to others, see sizeUp
	mode   pgx.QueryExecMode // as the address has it
	told   announcer
	// whisper is how changes are announced. It is known once the schema was
	// looked at.
	whisper *whisper
	tick    time.Duration // of a watch, see watchTick
	// closing is closed by Close, and ends what waits.
	closing chan struct{}
	once    sync.Once
}

var (
	_ venuekey.Store   = (*Store)(nil)
	_ venuekey.Watcher = (*Store)(nil)
)

// Open opens the database at the address and makes the schema if there is none.
// When there is one Open reads and does not write.
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
		_ = s.Close() // err tells what is wrong
		return nil, err
	}
	return s, nil
}

// dial makes a Store whose schema nobody has looked at.
func dial(ctx context.Context, dsn string) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	config, schema, err := configure(dsn)
	if err != nil {
		return nil, err
	}
	place := placeOf(config.ConnConfig)
	// The context is for connections made now, and there are none.
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

// conflict is what no row means where one was to be written.
func conflict(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return venuekey.ErrConflict
	}
	return err
}

// Delete implements venuekey.Store. After a connection that broke, a record
// that is gone counts as deleted.
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
		return nil, fmt.Errorf("claim by %q for %v: it needs an owner and a lease", owner, lease)
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

// Close implements venuekey.Store. It waits for calls that are under way, ends
// watches, and may be called more than once.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.closing) })
	s.told.finish()
	s.pool.Close()
	return nil
}

// beyond is the greatest character there is: what begins with a prefix comes
// before the prefix with it behind.
const beyond = "\U0010ffff"
