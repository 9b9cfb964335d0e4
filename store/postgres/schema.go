package postgres

import (
	"strconv"
	"strings"
)

// schema.go owns all SQL except the queries of inspect.go. $schema stands for the name of
// the schema.

// migrations are the steps to the newest schema: the first creates version 1 in an empty
// one, the next turns that into version 2. A published step is never changed. expected,
// in inspect.go, describes the result of the last one.
var migrations = []string{`
CREATE SEQUENCE $schema.version AS bigint;
CREATE TABLE $schema.record (
	key          text COLLATE "C" PRIMARY KEY,
	version      bigint NOT NULL,
	generation   bigint NOT NULL,
	next_refresh timestamptz,
	lease_owner  text NOT NULL,
	lease_until  timestamptz,
	attempt      bigint NOT NULL,
	intent_at    timestamptz,
	condition    text NOT NULL,
	failures     bigint NOT NULL,
	reason       text NOT NULL,
	sealed       bytea NOT NULL,
	digest       bigint NOT NULL,
	receipt      bigint NOT NULL,
	due          timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE $schema.record ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX due ON $schema.record (due, key COLLATE "POSIX") WHERE due IS NOT NULL;
COMMENT ON TABLE $schema.record IS 'What venuekey keeps: one sealed token or app a row. Written by venuekey alone.';
COMMENT ON COLUMN $schema.record.due IS 'Not later than the record may be claimed: when next_refresh has come, and the lease is over.';
COMMENT ON COLUMN $schema.record.digest IS 'The first 8 bytes of the SHA-256 of sealed.';
COMMENT ON COLUMN $schema.record.receipt IS 'A number of the write that made the row, by which its writer knows it again.';
COMMENT ON SEQUENCE $schema.version IS 'Versions of all records, one for every write. Never to be set back.';
`, `
ALTER TABLE $schema.migration ADD COLUMN announcing bytea;
COMMENT ON COLUMN $schema.migration.announcing IS 'A random number by which programs find, and understand, what others announce. Not for roles that do not use the vault.';
UPDATE $schema.migration SET announcing = sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) WHERE version = 1;
`}

// versionTable has a row for every step that was taken.
const versionTable = `
CREATE TABLE $schema.migration (
	version integer PRIMARY KEY,
	made    timestamptz NOT NULL DEFAULT clock_timestamp()
);
`

// statements is the SQL of every call, for one schema.
type statements struct {
	get, page, create, update, receipt, remove, claim string

	lastVersion, transactions string
}

// statementsIn returns the statements for a schema. durable is a condition that is always
// true and makes the server flush writes.
func statementsIn(schema, durable string) *statements {
	flushed := func(sql string) string { return in(schema, strings.ReplaceAll(sql, "$durable", durable)) }
	return &statements{
		get:          in(schema, selectOne),
		page:         in(schema, selectPage),
		create:       flushed(insertOne),
		update:       flushed(updateOne),
		receipt:      in(schema, selectReceipt),
		remove:       flushed(deleteOne),
		claim:        flushed(leaseDue),
		lastVersion:  in(schema, selectLast),
		transactions: selectTransactions,
	}
}

// in inserts the name of the schema into a statement. The name needs no escaping, see
// configure; it is quoted because it may be an SQL keyword.
func in(schema, sql string) string { return strings.ReplaceAll(sql, "$schema", `"`+schema+`"`) }

// limited inserts a limit into a statement. If the limit were a parameter, the planner
// would assume that it is a tenth of all rows. A program uses few different limits, so
// there are few different statements.
func limited(sql string, limit int) string {
	return strings.ReplaceAll(sql, "$limit", strconv.Itoa(limit))
}

const (
	columns = `key, version, generation, next_refresh, lease_owner, lease_until,
		attempt, intent_at, condition, failures, reason, sealed`

	selectOne = `SELECT ` + columns + `, clock_timestamp() FROM $schema.record WHERE key = $1`

	// The first parameter is the greater of prefix and after, so that the index scan
	// starts there.
	selectPage = `SELECT ` + columns + `, (SELECT clock_timestamp()) FROM $schema.record
		WHERE key >= $1 AND key < $2 AND key <> $3 ORDER BY key LIMIT $limit`

	// flushOnce is always true, and makes the server flush this transaction before it
	// acknowledges it, even if its settings would not. It applies to the transaction
	// only, which is all that we own behind a pooler. On a connection of our own sizeUp
	// sets it for good, so flushAlways is enough.
	flushOnce   = `(current_setting('synchronous_commit') <> 'off' OR set_config('synchronous_commit', 'on', true) = 'on')`
	flushAlways = `true`

	// firstDue computes column due from the parameters: when the record may be claimed.
	// Every write computes it, because a generated column is planned again for every
	// statement, which takes a tenth of a write.
	firstDue = `CASE WHEN $3::timestamptz IS NULL THEN NULL WHEN $4::text = '' THEN $3 ELSE greatest($3, $5::timestamptz) END`

	// nextDue is the same for an update, except that an intent leaves a due record in its
	// place in the index, so that the index need not be written; see free. A claim moves
	// what it leases, so few stay there.
	nextDue = `CASE WHEN $3::timestamptz IS NULL THEN NULL WHEN $4::text = '' THEN $3
			WHEN next_refresh = $3 THEN least(due, greatest($3, $5::timestamptz)) ELSE greatest($3, $5) END`

	// free is the condition that a due record may be claimed.
	free = `(lease_owner = '' OR lease_until IS NULL OR lease_until <= (SELECT now FROM at))`

	// A version is taken only if it is likely to be used: an unused one makes every watch
	// report that anything may have changed.
	insertOne = `INSERT INTO $schema.record AS r (` + columns + `, digest, receipt, due)
		SELECT $1, nextval('$schema.version'), $2::bigint, $3::timestamptz, $4, $5::timestamptz,
			$6::bigint, $7::timestamptz, $8, $9::bigint, $10, $11::bytea, $12::bigint, $13::bigint, ` + firstDue + `
		WHERE $durable AND NOT EXISTS (SELECT FROM $schema.record WHERE key = $1)
		ON CONFLICT (key) DO NOTHING RETURNING version`

	// An unchanged seal stays where it is: a large one is stored out of line, and an
	// intent or a failure would copy it. The digest detects it without reading it, which
	// would take a third of a write. A new token also has a new generation, so it cannot
	// be mistaken for the old one.
	updateOne = `UPDATE $schema.record SET version = nextval('$schema.version'), generation = $2,
		next_refresh = $3, lease_owner = $4, lease_until = $5, attempt = $6, intent_at = $7,
		condition = $8, failures = $9, reason = $10,
		sealed = CASE WHEN generation = $2 AND digest = $12 THEN sealed ELSE $11 END, digest = $12,
		receipt = $13, due = ` + nextDue + `
		WHERE key = $1 AND version = $14 AND $durable RETURNING version`

	selectReceipt = `SELECT version FROM $schema.record WHERE key = $1 AND receipt = $2`

	// It returns a version if there was something to delete, and whether there is a
	// record at all.
	deleteOne = `WITH gone AS (
			DELETE FROM $schema.record WHERE key = $1 AND version = $2 AND $durable RETURNING key
		) SELECT (SELECT nextval('$schema.version') FROM gone), EXISTS (SELECT FROM $schema.record WHERE key = $1)`

	// The inner query reads the index of due records from its beginning, and no more than
	// it needs. It skips records that another program is about to change, or has leased
	// without a claim. The planner does not know the parameters' values, so it has to be
	// guided:
	//
	//   - The time is read once, in a sub-select, because an index cannot be searched for
	//     a value that may change meanwhile.
	//   - The prefix is compared in an equivalent collation, which the index of due
	//     records has and the primary key does not.
	//   - Its end is compared as a row. The planner would assume that two plain bounds
	//     are a narrow range, and that reading and sorting all of it is cheaper.
	//   - The limit is a literal, see limited.
	//   - The keys are an array, so that they are looked up one by one.
	leaseDue = `WITH at AS MATERIALIZED (SELECT clock_timestamp() AS now)
		UPDATE $schema.record SET version = nextval('$schema.version'),
			lease_owner = $3, lease_until = at.now + $4::bigint * interval '1 microsecond', receipt = $5,
			due = greatest(next_refresh, at.now + $4::bigint * interval '1 microsecond')
		FROM at WHERE $durable AND key = ANY (ARRAY(
			SELECT key FROM $schema.record
			WHERE due <= (SELECT now FROM at) AND ` + free + ` AND key COLLATE "POSIX" >= $1 AND (key COLLATE "POSIX", '') < ($2, '')
			ORDER BY due, key COLLATE "POSIX" LIMIT $limit FOR UPDATE SKIP LOCKED))
		RETURNING ` + columns + `, at.now`

	selectLast = `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM $schema.version`

	selectTransactions = `SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
		CASE WHEN $1 THEN pg_current_xact_id()::text::bigint ELSE 0 END`

	// Announcements need not survive the server, so there is no wait for a flush; the
	// setting ends with the transaction.
	announce = `SELECT count(pg_notify($1, told)) FROM unnest($2::text[]) AS told
		WHERE set_config('synchronous_commit', 'off', true) = 'off'`
)
