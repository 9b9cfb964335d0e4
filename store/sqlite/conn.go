package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/venuekey/venuekey"
)

// conn.go owns one connection: its settings, its prepared statements, its transactions,
// and the conversion between records and rows.

// busyTimeout is how long a call waits for writes of other processes, unless its context
// ends first. A write takes milliseconds; a process that holds the lock this long hangs.
const busyTimeout = 10 * time.Second

// conn is used by one goroutine at a time.
type conn struct {
	db   *sqlite3.Conn
	file fs.FileInfo // which file it is, see moved
	// statements are the prepared statements by their SQL: each is compiled when it is
	// first needed, and once.
	statements map[string]*sqlite3.Stmt
	// readOnly says that the file is on a read-only disk. The connection is used once, so
	// that the next one can write if the disk has become writable.
	readOnly bool
	// flushes is set once the connection flushes on every commit and overwrites what it
	// deletes.
	flushes bool
}

// connect opens the file at path, which must exist.
func connect(ctx context.Context, path string) (*conn, error) {
	// Stat comes before open: if the file is replaced in between, the connection seems
	// moved and is replaced, rather than trusted.
	file, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	// Without OPEN_CREATE: a missing file must not become an empty one.
	db, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READWRITE)
	readOnly := errors.Is(err, syscall.EROFS)
	if readOnly {
		db, err = openReadOnly(path)
	}
	if err != nil {
		return nil, err
	}
	c := &conn{db: db, file: file, readOnly: readOnly, statements: map[string]*sqlite3.Stmt{}}
	if err := c.setUp(ctx, path); err != nil {
		_ = c.close() // err says what is wrong
		return nil, err
	}
	return c, nil
}

func (c *conn) setUp(ctx context.Context, path string) error {
	c.db.SetInterrupt(ctx)
	if err := c.db.BusyTimeout(busyTimeout); err != nil {
		return err
	}
	// The last process to close keeps the write-ahead log rather than deleting it: it
	// keeps its mode and its durable entry in the folder, and the next start need not
	// create two files.
	if _, err := c.db.FileControl("main", sqlite3.FCNTL_PERSIST_WAL, true); err != nil {
		return err
	}
	id, _, err := c.number(`PRAGMA application_id`)
	if err != nil {
		return err
	}
	version, _, err := c.number(`PRAGMA user_version`)
	if err != nil {
		return err
	}
	if id != applicationID || version < 1 {
		return strange(path)
	}
	if version > schemaVersion {
		return newer(path, version)
	}
	return nil
}

// close closes the connection. The last one of any process moves the content of the log
// into the file.
func (c *conn) close() error {
	c.db.SetInterrupt(context.Background())
	for _, statement := range c.statements {
		// It repeats the statement's last error, which was reported already.
		_ = statement.Close()
	}
	// The last one empties the log, or the next start would have to read it. If this were
	// set earlier, the log would be truncated after every checkpoint, and a flush that
	// makes a file longer takes twice as long as one that does not.
	_ = c.db.Exec(`PRAGMA journal_size_limit=0`) // a log that remains only costs time
	return c.db.Close()
}

// transaction runs work while it holds the file's write lock. When it returns nil the
// changes are on disk; when it returns an error there are none.
func (c *conn) transaction(ctx context.Context, work func(*conn) error) error {
	if !c.flushes {
		// In WAL mode this build flushes only at checkpoints by default. Deleted content
		// is overwritten, because the key of a record names a user.
		if err := c.db.Exec(`PRAGMA synchronous=FULL; PRAGMA fullfsync=1; PRAGMA secure_delete=ON`); err != nil {
			return err
		}
		c.flushes = true
	}
	if err := c.run(nil, begin); err != nil {
		return err
	}
	err := work(c)
	if err == nil {
		err = ctx.Err()
	}
	// From here on the context does not interrupt: SQLite might notice it after the
	// commit is done, and report a failure that did not happen.
	c.db.SetInterrupt(context.Background())
	if err == nil {
		err = c.run(nil, commit)
	}
	if err != nil && !c.db.GetAutocommit() {
		if undo := c.run(nil, rollback); undo != nil {
			err = fmt.Errorf("%w (and %w)", err, undo)
		}
	}
	return err
}

// lease leases one record to an owner and returns it as it then is.
func (c *conn) lease(at time.Time, key, owner string, until time.Time) ([]venuekey.Record, error) {
	version, _, err := c.number(nextVersion)
	if err != nil {
		return nil, err
	}
	return c.records(at, setLease, version, owner, until, key)
}

// records runs a statement that returns records.
func (c *conn) records(at time.Time, sql string, args ...any) (records []venuekey.Record, err error) {
	err = c.run(func(row *sqlite3.Stmt) {
		records = append(records, venuekey.Record{
			Key:         row.ColumnText(0),
			Version:     row.ColumnInt64(1),
			Generation:  row.ColumnInt64(2),
			NextRefresh: moment(row, 3),
			LeaseOwner:  row.ColumnText(4),
			LeaseUntil:  moment(row, 5),
			Attempt:     row.ColumnInt(6),
			IntentAt:    moment(row, 7),
			Condition:   venuekey.Condition(row.ColumnText(8)),
			Failures:    row.ColumnInt(9),
			Text:        row.ColumnText(10),
			Sealed:      row.ColumnBlob(11, nil),
			ReadAt:      at,
		})
	}, sql, args...)
	return records, err
}

// texts runs a statement that returns one text per row.
func (c *conn) texts(sql string, args ...any) (texts []string, err error) {
	err = c.run(func(row *sqlite3.Stmt) { texts = append(texts, row.ColumnText(0)) }, sql, args...)
	return texts, err
}

// versions returns the version of every key, or nil if there are more than most.
func (c *conn) versions(most int) (map[string]int64, error) {
	versions := map[string]int64{}
	err := c.run(func(row *sqlite3.Stmt) { versions[row.ColumnText(0)] = row.ColumnInt64(1) }, selectVersions, int64(most+1))
	if len(versions) > most {
		versions = nil
	}
	return versions, err
}

// number runs a statement that returns one number, or no row.
func (c *conn) number(sql string, args ...any) (n int64, found bool, err error) {
	err = c.run(func(row *sqlite3.Stmt) { n, found = row.ColumnInt64(0), true }, sql, args...)
	return n, found, err
}

// run steps a statement to its end and passes each row to each.
func (c *conn) run(each func(row *sqlite3.Stmt), sql string, args ...any) error {
	statement, err := c.prepare(sql)
	if err != nil {
		return err
	}
	// A record may be large; the statement must not keep it until next time.
	defer statement.ClearBindings()
	defer statement.Reset()
	for i, arg := range args {
		if err := bind(statement, i+1, arg); err != nil {
			return err
		}
	}
	for statement.Step() {
		each(statement)
	}
	return statement.Err()
}

func (c *conn) prepare(sql string) (*sqlite3.Stmt, error) {
	if statement, ok := c.statements[sql]; ok {
		return statement, nil
	}
	statement, _, err := c.db.Prepare(sql)
	if err == nil {
		c.statements[sql] = statement
	}
	return statement, err
}

func bind(statement *sqlite3.Stmt, n int, arg any) error {
	switch arg := arg.(type) {
	case string:
		return statement.BindText(n, arg)
	case int64:
		return statement.BindInt64(n, arg)
	case []byte:
		return statement.BindBlob(n, arg)
	case time.Time:
		if arg.IsZero() {
			return statement.BindNull(n)
		}
		return statement.BindInt64(n, arg.UnixMicro())
	}
	return fmt.Errorf("parameter %d is a %T, which has no column type", n, arg)
}

func moment(row *sqlite3.Stmt, column int) time.Time {
	if row.ColumnType(column) == sqlite3.NULL {
		return time.Time{}
	}
	return time.UnixMicro(row.ColumnInt64(column)).UTC()
}
