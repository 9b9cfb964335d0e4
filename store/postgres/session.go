package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/venuekey/venuekey"
)

// session.go owns what is done with a connection: how long a call may take,
// what is tried again after one broke, and how records become rows and rows
// records.

const (
	// callTimeout bounds a call whose context allows more. A call takes
	// milliseconds; a server that needs this long hangs.
	callTimeout = 30 * time.Second
	// settleFor is how long a write whose answer was lost is followed up. Leases
	// are made to outlast it.
	settleFor = 5 * time.Second
	// firstPause is where the pauses between two tries begin, doubling.
	firstPause = 10 * time.Millisecond
	// collisions is how often a transaction is repeated that the server undid
	// because of another one; only a server set to stricter isolation does.
	collisions = 20
)

// session is a connection in one goroutine's hands.
type session struct {
	*pgx.Conn
	mode pgx.QueryExecMode
	sql  *statements
}

func (c session) row(ctx context.Context, sql string, args ...any) pgx.Row {
	return c.QueryRow(ctx, sql, append([]any{c.mode}, args...)...)
}

// records runs a statement that gives records.
func (c session) records(ctx context.Context, sql string, args ...any) (records []venuekey.Record, err error) {
	rows, err := c.Query(ctx, sql, append([]any{c.mode}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r venuekey.Record
		var next, until, intent pgtype.Timestamptz
		if err := rows.Scan(&r.Key, &r.Version, &r.Generation, &next, &r.LeaseOwner, &until,
			&r.Attempt, &intent, &r.Condition, &r.Failures, &r.Text, &r.Sealed, &r.ReadAt); err != nil {
			return nil, err
		}
		r.NextRefresh, r.LeaseUntil, r.IntentAt = moment(next), moment(until), moment(intent)
		r.ReadAt = r.ReadAt.UTC()
		records = append(records, r)
	}
	return records, rows.Err()
}

// first and last bound the times that are read. The server has infinite ones, and
// years that nobody can write as JSON: one row with such a time, which no program
// wrote, must not make the others unreadable.
var (
	first = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)
	last  = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

// moment is a time as it was read; none is the zero time.
func moment(t pgtype.Timestamptz) time.Time {
	switch {
	case !t.Valid:
		return time.Time{}
	case t.InfinityModifier == pgtype.Infinity, t.InfinityModifier == pgtype.Finite && t.Time.After(last):
		return last
	case t.InfinityModifier == pgtype.NegativeInfinity, t.Time.Before(first):
		return first
	}
	return t.Time.UTC()
}

// row is a record in the order of the columns, without its version, and the
// digest of its seal.
func row(r venuekey.Record) []any {
	sealed := r.Sealed
	if sealed == nil {
		sealed = []byte{}
	}
	return []any{r.Key, r.Generation, orNull(r.NextRefresh), text(r.LeaseOwner), orNull(r.LeaseUntil),
		int64(r.Attempt), orNull(r.IntentAt), text(string(r.Condition)), int64(r.Failures), text(r.Text), sealed, digest(sealed)}
}

// digest is what column digest says of a seal.
func digest(sealed []byte) int64 {
	sum := sha256.Sum256(sealed)
	return int64(binary.BigEndian.Uint64(sum[:]))
}

func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// text is what PostgreSQL takes for one. A renewed token must not be refused
// because somebody's error message, which is its reason, is not UTF-8.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// work is what a call does on a connection. It may be done more than once.
type work func(ctx context.Context, c session) error

// read lends a connection to work that changes nothing. If the connection turns
// out to be dead, it is done once more on another one.
func (s *Store) read(ctx context.Context, do work) error {
	err := s.attempt(ctx, do)
	if fate := fateOf(err); ctx.Err() == nil && (fate == broken || fate == unsent) {
		err = s.attempt(ctx, do)
	}
	return explain(ctx, s.place, err)
}

// write lends a connection to work that is one statement, which becomes durable
// or does nothing. Where a lost connection leaves open which, the work is tried
// again, as a compare-and-swap it does nothing the second time, and then found
// looks whether the first time did it. Without found the loss is an error.
func (s *Store) write(ctx context.Context, do, found work) error {
	err := s.attempt(ctx, do)
	if ctx.Err() == nil && (fateOf(err) == unsent || codeOf(err) == demoted) {
		err = s.attempt(ctx, do)
	}
	if fateOf(err) != broken {
		return explain(ctx, s.place, err)
	}
	if found != nil {
		err = s.settle(ctx, do, found, err)
	}
	if fateOf(err) != decided {
		err = doubtful(ctx, s.place, err)
	}
	return explain(ctx, s.place, err)
}

// settle finds out what became of a write whose answer was lost; the error is
// the last one if it cannot.
func (s *Store) settle(ctx context.Context, do, found work, lost error) error {
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	for wait := firstPause; ; wait *= 2 {
		if s.pause(ctx, wait) != nil {
			return lost
		}
		err := s.attempt(ctx, do)
		if errors.Is(err, venuekey.ErrConflict) || errors.Is(err, venuekey.ErrNotFound) {
			// Either the first try did it, or somebody else was faster. What is
			// still on its way comes too late as well.
			err = s.attempt(ctx, found)
		}
		if fateOf(err) == decided {
			return err
		}
	}
}

// attempt lends a connection to work once; transactions that collide are
// repeated, because the server has undone them.
func (s *Store) attempt(ctx context.Context, do work) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		select {
		case <-s.closing:
			err = errClosed
		default:
		}
		return &unreached{err}
	}
	defer conn.Release()
	c := s.session(conn.Conn())
	for range collisions {
		if err = do(ctx, c); !collided(err) {
			break
		}
	}
	if codeOf(err) == demoted {
		// Where the address names several servers, another one is the primary now.
		s.pool.Reset()
	}
	if err != nil && conn.Conn().IsClosed() {
		if ctx.Err() == nil {
			// What ended one connection ended the idle ones as well, most likely.
			s.pool.Reset()
		}
		if pgconn.SafeToRetry(err) {
			return &stale{err}
		}
		return &severed{err}
	}
	return err
}

// demoted is the server's code for "I only read", and that it did nothing.
const demoted = "25006"

// fate is what became of a statement.
type fate int

const (
	decided fate = iota // the server has said what it did
	unsent              // it never left, and another connection may be better
	refused             // there is no connection to be had
	broken              // the connection broke before the answer
)

// unreached, stale and severed are errors with the fate refused, unsent and
// broken. Every other error was said by the server, or by nobody.
type (
	unreached struct{ error }
	stale     struct{ error }
	severed   struct{ error }
)

func (e *unreached) Unwrap() error { return e.error }
func (e *stale) Unwrap() error     { return e.error }
func (e *severed) Unwrap() error   { return e.error }

func fateOf(err error) fate {
	switch err.(type) {
	case *unreached:
		return refused
	case *stale:
		return unsent
	case *severed:
		return broken
	}
	return decided
}

// collided reports whether the server undid a transaction because of another
// one, so that it may be repeated.
func collided(err error) bool {
	switch codeOf(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	}
	return false
}

// pause waits, or returns an error when the context or the Store ends first.
func (s *Store) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// modeKey is where a connection keeps how statements are run on it.
const modeKey = "venuekey"

// sizeUp finds out, once for a connection, whether it leads to the server
// itself. A pooler makes up the process number that it tells its clients. Behind
// one, the next statement may run on another connection to the server, which
// does not know what was prepared on this one.
func sizeUp(ctx context.Context, conn *pgx.Conn) error {
	var pid uint32
	if err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return err
	}
	mode := pgx.QueryExecModeCacheStatement
	if pid != conn.PgConn().PID() {
		mode = pgx.QueryExecModeCacheDescribe
	}
	conn.PgConn().CustomData()[modeKey] = mode
	if !direct(conn) {
		return nil
	}
	// Ours alone, and for good, whatever the server's settings become.
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', CASE set.now WHEN 'off' THEN 'on' ELSE set.now END, false)
		FROM current_setting('synchronous_commit') AS set(now)`, pgx.QueryExecModeSimpleProtocol)
	return err
}

// session takes a connection into hand that was sized up.
func (s *Store) session(conn *pgx.Conn) session {
	if direct(conn) {
		return session{conn, s.modeOf(conn), s.own}
	}
	return session{conn, s.modeOf(conn), s.sql}
}

// direct reports whether the connection leads to the server without a pooler.
func direct(conn *pgx.Conn) bool {
	return conn.PgConn().CustomData()[modeKey] == pgx.QueryExecModeCacheStatement
}

// modeOf is how statements are run on the connection: as the address says, or
// else as it was sized up.
func (s *Store) modeOf(conn *pgx.Conn) pgx.QueryExecMode {
	if sized, ok := conn.PgConn().CustomData()[modeKey].(pgx.QueryExecMode); ok && s.mode == pgx.QueryExecModeCacheStatement {
		return sized
	}
	return s.mode
}
