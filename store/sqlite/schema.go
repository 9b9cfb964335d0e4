package sqlite

// schema.go owns all SQL.

// applicationID marks a SQLite file as a vault ("vkey" in ASCII), so that another
// program's file is not mistaken for one.
const applicationID = 0x766b6579

// schemaVersion is what this program writes, and the newest that it can read. The first
// change of the schema adds a function that turns version 1 into version 2 in one
// transaction.
const schemaVersion = 1

// schema creates a vault. Times are microseconds since 1970; NULL is the zero time.
//
// The index due holds all that a claim reads to find its records: they are in the order
// of the claim, and leased ones are skipped without reading the table. Records that are
// never due are not in it.
//
// Versions come from one sequence for the whole file, so that a key that is deleted and
// created again never has an earlier version.
const schema = `
CREATE TABLE record (
	key          TEXT PRIMARY KEY NOT NULL,
	version      INTEGER NOT NULL,
	generation   INTEGER NOT NULL,
	next_refresh INTEGER,
	lease_owner  TEXT NOT NULL,
	lease_until  INTEGER,
	attempt      INTEGER NOT NULL,
	intent_at    INTEGER,
	condition    TEXT NOT NULL,
	failures     INTEGER NOT NULL,
	reason       TEXT NOT NULL,
	sealed       BLOB NOT NULL
) STRICT;
CREATE INDEX due ON record (next_refresh, key, lease_owner, lease_until) WHERE next_refresh IS NOT NULL;
CREATE TABLE sequence (last INTEGER NOT NULL) STRICT;
INSERT INTO sequence VALUES (0);
`

const (
	columns = `key, version, generation, next_refresh, lease_owner, lease_until,
		attempt, intent_at, condition, failures, reason, sealed`

	selectOne     = `SELECT ` + columns + ` FROM record WHERE key = ?`
	selectVersion = `SELECT version FROM record WHERE key = ?`

	// The first parameter is the greater of prefix and after, because SQLite would use
	// only one of two lower bounds and scan from there.
	selectPage = `SELECT ` + columns + ` FROM record
		WHERE key >= ? AND key < ? AND key <> ? ORDER BY key LIMIT ?`

	selectDue = `SELECT key FROM record INDEXED BY due
		WHERE next_refresh <= ?1 AND key >= ?2 AND key < ?3
		AND (lease_owner = '' OR lease_until IS NULL OR lease_until <= ?1)
		ORDER BY next_refresh, key LIMIT ?4`

	selectLast = `SELECT last FROM sequence`

	selectVersions = `SELECT key, version FROM record LIMIT ?`

	nextVersion = `UPDATE sequence SET last = last + 1 RETURNING last`

	upsert = `INSERT INTO record (` + columns + `) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT (key) DO UPDATE SET version = excluded.version, generation = excluded.generation,
		next_refresh = excluded.next_refresh, lease_owner = excluded.lease_owner,
		lease_until = excluded.lease_until, attempt = excluded.attempt, intent_at = excluded.intent_at,
		condition = excluded.condition, failures = excluded.failures, reason = excluded.reason,
		sealed = excluded.sealed`

	setLease = `UPDATE record SET version = ?, lease_owner = ?, lease_until = ? WHERE key = ? RETURNING ` + columns

	deleteOne = `DELETE FROM record WHERE key = ?`

	begin    = `BEGIN IMMEDIATE`
	commit   = `COMMIT`
	rollback = `ROLLBACK`
)
