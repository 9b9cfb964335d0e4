package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// watch.go owns Watch: the connection that listens, what happens when it breaks, and what
// replaces listening where that is not possible.

const (
	// watchTick is how often a watch checks that it missed nothing, and that its
	// connection is alive.
	watchTick = time.Second
	// tickTimeout is how long that may take before the connection counts as dead.
	tickTimeout = 5 * time.Second
	// pollTick is how often a watch polls that cannot listen.
	pollTick = 250 * time.Millisecond
	// probeTimeout is how long a notification to ourselves may take before the connection
	// counts as one that delivers none.
	probeTimeout = 500 * time.Millisecond
	// firstReconnect and lastReconnect bound the back-off between attempts.
	firstReconnect = 50 * time.Millisecond
	lastReconnect  = 5 * time.Second
)

// Watch implements venuekey.Watcher. It uses a connection of its own. Behind a pooler in
// transaction mode it calls changed only with "".
func (s *Store) Watch(ctx context.Context, changed func(key string)) error {
	for wait := firstReconnect; ; wait = min(2*wait, lastReconnect) {
		begun := time.Now()
		// Whatever ended it, the next attempt uses another connection.
		if errors.Is(s.listen(ctx, changed), errDeaf) {
			_ = s.poll(ctx, changed)
		}
		if time.Since(begun) > lastReconnect {
			wait = firstReconnect
		}
		if s.pause(ctx, wait) == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return explain(ctx, s.place, errClosed)
	}
}

// errDeaf means that the connection delivers no notifications.
var errDeaf = errors.New("no notifications arrive on this connection")

// listen watches on one connection until it breaks.
func (s *Store) listen(ctx context.Context, changed func(key string)) error {
	ctx, end := s.whileOpen(ctx)
	defer end()
	listener := ear{whisper: s.whisper}
	config := s.pool.Config().ConnConfig // a copy
	config.OnNotification = listener.hear
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	if err := sizeUp(ctx, conn); err != nil {
		return err
	}
	c := s.session(conn)
	server, err := onServer(ctx, conn, `LISTEN "`+s.whisper.channel+`"`)
	if err != nil {
		return err
	}
	if !direct(conn) && !s.hears(ctx, conn, &listener) {
		s.unlisten(ctx, conn, server)
		return errDeaf
	}
	return s.follow(ctx, c, &listener, changed)
}

// follow reports changes as they are announced, and checks at every tick whether one was
// not.
func (s *Store) follow(ctx context.Context, c session, listener *ear, changed func(key string)) error {
	now, err := s.reading(ctx, c, never)
	if err != nil {
		return err
	}
	listener.account.begin(now)
	changed("")
	for {
		next := time.Now().Add(s.tick)
		if err := s.hear(ctx, c.Conn, next, listener, changed); err != nil {
			return err
		}
		if now, err = s.reading(ctx, c, listener.account.latest()); err != nil {
			return err
		}
		if listener.account.judge(now) {
			changed("")
		}
	}
}

// hear reports what is announced until a moment.
func (s *Store) hear(ctx context.Context, conn *pgx.Conn, until time.Time, listener *ear, changed func(key string)) error {
	wait, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for wait.Err() == nil {
		err := conn.PgConn().WaitForNotification(wait)
		for _, key := range listener.take() {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			changed(key)
		}
		switch {
		case err == nil:
		case wait.Err() != nil && ctx.Err() == nil && !conn.IsClosed():
			return nil
		default:
			return err
		}
	}
	return ctx.Err()
}

// poll replaces listening. It returns when a query fails.
func (s *Store) poll(ctx context.Context, changed func(key string)) error {
	var account ledger
	for before := int64(never); ; {
		var now reading
		err := s.read(ctx, func(ctx context.Context, c session) (err error) {
			now, err = s.reading(ctx, c, before)
			return err
		})
		if err != nil {
			return err
		}
		switch {
		case before == never:
			account.begin(now)
			changed("")
		// What was written may not be visible yet, so there is a second call when the
		// ledger says that it is.
		case account.judge(now), now.last != before:
			changed("")
		}
		before = now.last
		if err := s.pause(ctx, pollTick); err != nil {
			return err
		}
	}
}

// never is the last version before there is a reading.
const never = -1

// reading asks for the versions first, so that the transactions that took them are
// running or have ended by the time it asks for those. latest is the last version so far.
func (s *Store) reading(ctx context.Context, c session, latest int64) (now reading, err error) {
	ctx, cancel := context.WithTimeout(ctx, tickTimeout)
	defer cancel()
	if err = c.row(ctx, s.sql.lastVersion).Scan(&now.last); err == nil {
		err = c.row(ctx, s.sql.transactions, now.last != latest).Scan(&now.oldest, &now.next)
	}
	return now, err
}

// probe is a key that no record has, because it contains spaces.
const probe = "is anybody there"

// hears reports whether a notification from another connection reaches this one.
func (s *Store) hears(ctx context.Context, conn *pgx.Conn, listener *ear) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	listener.probe = -rand.Int64() // versions are positive, so it is not accounted for
	if err := s.notify(ctx, linesOf([]change{{listener.probe, probe}})); err != nil {
		return false
	}
	for !listener.probed {
		if conn.PgConn().WaitForNotification(ctx) != nil {
			return false
		}
	}
	return true
}

// unlisten undoes a LISTEN that a pooler ran on a connection that it shares. It must
// reach the same one again, so it tries several times; if it fails, the pooler receives
// notifications that it discards.
func (s *Store) unlisten(ctx context.Context, conn *pgx.Conn, server string) {
	for range 32 {
		met, err := onServer(ctx, conn, `UNLISTEN "`+s.whisper.channel+`"`)
		if err != nil || met == server {
			return
		}
	}
}

// onServer runs a command and returns the ID of the server process that ran it.
func onServer(ctx context.Context, conn *pgx.Conn, command string) (pid string, err error) {
	results, err := conn.PgConn().Exec(ctx, command+`; SELECT pg_backend_pid()`).ReadAll()
	if err != nil {
		return "", err
	}
	return string(results[len(results)-1].Rows[0][0]), nil
}

// hangUp closes a connection whose context may have ended.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // its error is known already
}

// whileOpen returns a context that also ends with the Store.
func (s *Store) whileOpen(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-s.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
