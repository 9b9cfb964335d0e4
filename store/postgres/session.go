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

// session.go owns the use of a connection: how long a call may take, what is retried
// after one broke, and the conversion between records and rows.

const (
	// callTimeout bounds a call whose context allows more. A call takes milliseconds; a
	// server that needs this long hangs.
	callTimeout = 30 * time.Second
	// settleFor is how long a write whose answer was lost is followed up. Leases are long
	// enough to outlast it.
	settleFor = 5 * time.Second
	// firstPause is the first pause between two attempts; it doubles.
	firstPause = 10 * time.Millisecond
	// collisions is how often a transaction is repeated that the server rolled back
	// because of another one; only a stricter isolation level causes that.
	collisions = 20
)

// session is a connection used by one goroutine.
type session struct {
	*pgx.Conn
	mode pgx.QueryExecMode
	sql  *statements
}

func (c session) row(ctx context.Context, sql string, args ...any) pgx.Row {
	return c.QueryRow(ctx, sql, append([]any{c.mode}, args...)...)
}

// records runs a statement that returns records.
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

// first and last bound the times that are read. The server allows infinite ones, and
// years that JSON cannot express: one row with such a time, which no version of venuekey
// writes, must not make the others unreadable.
var (
	first = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)
	last  = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

// moment converts a time that was read; NULL is the zero time.
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

// row returns a record in the order of the columns, without its version, and the digest
// of its seal.
func row(r venuekey.Record) []any {
	sealed := r.Sealed
	if sealed == nil {
		sealed = []byte{}
	}
	return []any{r.Key, r.Generation, orNull(r.NextRefresh), text(r.LeaseOwner), orNull(r.LeaseUntil),
		int64(r.Attempt), orNull(r.IntentAt), text(string(r.Condition)), int64(r.Failures), text(r.Text), sealed, digest(sealed)}
}

// digest returns the value of column digest for a seal.
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

// text returns a text that PostgreSQL accepts. A renewed token must not be refused
// because an error message from elsewhere, which is its reason, is not UTF-8.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// work is what a call does on a connection. It may run more than once.
type work func(ctx context.Context, c session) error

// read runs work that changes nothing. If the connection turns out to be dead, the work
// runs once more on another one.
func (s *Store) read(ctx context.Context, do work) error {
	err := s.attempt(ctx, do)
	if fate := fateOf(err); ctx.Err() == nil && (fate == broken || fate == unsent) {
		err = s.attempt(ctx, do)
	}
	return explain(ctx, s.place, err)
}

// write runs work that is one statement, which becomes durable or does nothing. If a lost
// connection leaves the outcome open, the work is repeated; being a compare-and-swap, it
// does nothing the second time. Then found checks whether the first attempt succeeded.
// Without found the loss is an error.
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

// settle finds out what became of a write whose answer was lost; if it cannot, it returns
// the last error.
func (s *Store) settle(ctx context.Context, do, found work, lost error) error {
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	for wait := firstPause; ; wait *= 2 {
		if s.pause(ctx, wait) != nil {
			return lost
		}
		err := s.attempt(ctx, do)
		if errors.Is(err, venuekey.ErrConflict) || errors.Is(err, venuekey.ErrNotFound) {
			// Either the first attempt succeeded, or another program was faster. If the
			// first one is still in flight, it comes too late as well.
			err = s.attempt(ctx, found)
		}
		if fateOf(err) == decided {
			return err
		}
	}
}

// attempt runs work on a connection once. Transactions that collide are repeated, because
// the server has rolled them back.
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
		// If the address names several servers, another one is the primary now.
		s.pool.Reset()
	}
	if err != nil && conn.Conn().IsClosed() {
		if ctx.Err() == nil {
			// The cause has probably ended the idle connections as well.
			s.pool.Reset()
		}
		if pgconn.SafeToRetry(err) {
			return &stale{err}
		}
		return &severed{err}
	}
	return err
}

// demoted is the server's code for a write in a read-only transaction, which did nothing.
const demoted = "25006"

// fate is what became of a statement.
type fate int

const (
	decided fate = iota // the server has answered
	unsent              // it was not sent, and another connection may work
	refused             // no connection is available
	broken              // the connection broke before the answer
)

// unreached, stale and severed are errors with the fate refused, unsent and broken. Any
// other error is the server's answer, or occurred before anything was sent.
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

// collided reports whether the server rolled a transaction back because of another one,
// so that it may be repeated.
func collided(err error) bool {
	switch codeOf(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	}
	return false
}

// pause waits, and returns an error if the context or the Store ends first.
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

// modeKey is where a connection stores how statements run on it.
const modeKey = "venuekey"

// sizeUp determines, once per connection, whether it leads to the server itself: a pooler
// invents the process ID that it reports to clients. Behind a pooler the next statement
// may run on another connection to the server, which does not have this one's prepared
// statements.
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
	// This session is ours alone, so set it for good.
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', CASE set.now WHEN 'off' THEN 'on' ELSE set.now END, false)
		FROM current_setting('synchronous_commit') AS set(now)`, pgx.QueryExecModeSimpleProtocol)
	return err
}

// session prepares the use of a connection that sizeUp has seen.
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

// modeOf is how statements run on the connection: as the address says, otherwise as
// sizeUp determined.
func (s *Store) modeOf(conn *pgx.Conn) pgx.QueryExecMode {
	if sized, ok := conn.PgConn().CustomData()[modeKey].(pgx.QueryExecMode); ok && s.mode == pgx.QueryExecModeCacheStatement {
		return sized
	}
	return s.mode
}
