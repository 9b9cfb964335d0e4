package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/venuekey/venuekey"
)

// inspect.go owns what Open checks before anything is written: the server, the
// privileges, the version of the schema, and that it was not altered.

// oldestServer is the oldest supported version of PostgreSQL.
const oldestServer = 14

// errEmpty means that the schema does not exist or is empty.
var errEmpty = errors.New("schema is empty")

// inspect checks the database without writing.
func (s *Store) inspect(ctx context.Context, steps []string) error {
	return s.read(ctx, func(ctx context.Context, c session) error {
		if err := s.inspectServer(ctx, c); err != nil {
			return err
		}
		version, err := s.schemaVersion(ctx, c)
		switch {
		case err != nil:
			return err
		case version > len(steps):
			return s.newer(version, len(steps))
		case version < len(steps):
			return fault(s.place, venuekey.ClassMisconfigured, nil,
				fmt.Sprintf("has schema %s of an older venuekey (version %d; this one needs %d)", s.schema, version, len(steps)),
				"update every program that uses it, then migrate it: venuekey store migrate, or postgres.Migrate")
		}
		if err := s.inspectSchema(ctx, c); err != nil {
			return err
		}
		return s.learnToWhisper(ctx, c)
	})
}

func (s *Store) inspectServer(ctx context.Context, c session) error {
	var server int
	var encoding string
	if err := c.row(ctx, `SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')`).
		Scan(&server, &encoding); err != nil {
		return err
	}
	switch {
	case server < oldestServer:
		return fault(s.place, venuekey.ClassMisconfigured, nil, fmt.Sprintf("is on PostgreSQL %d", server), fmt.Sprintf("use PostgreSQL %d or later", oldestServer))
	case encoding != "UTF8" && encoding != "SQL_ASCII":
		return fault(s.place, venuekey.ClassMisconfigured, nil, "has the encoding "+encoding+", which cannot hold every text",
			"create another one, for example: createdb -E UTF8 -T template0 venuekey")
	}
	return nil
}

// schemaVersion checks the catalog first, which every role may read.
func (s *Store) schemaVersion(ctx context.Context, c session) (version int, err error) {
	var usable, migrated, readable bool
	var tables int
	err = c.row(ctx, `SELECT has_schema_privilege(n.oid, 'USAGE'), count(t.oid), coalesce(bool_or(t.relname = 'migration'), false),
			coalesce(bool_or(t.relname = 'migration' AND has_table_privilege(t.oid, 'SELECT')), false)
		FROM pg_namespace n LEFT JOIN pg_class t ON t.relnamespace = n.oid WHERE n.nspname = $1 GROUP BY n.oid`, s.schema).
		Scan(&usable, &tables, &migrated, &readable)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && usable && tables == 0:
		return 0, errEmpty
	case err != nil:
		return 0, err
	case !usable:
		return 0, s.lacking(ctx, c, "USAGE on schema "+s.schema)
	case !migrated:
		return 0, fault(s.place, venuekey.ClassMisconfigured, nil, "has a schema "+s.schema+" that is not a vault: it has no table migration",
			"choose another schema in the address, such as schema=venuekey2, or restore that table from a backup")
	case !readable:
		return 0, s.lacking(ctx, c, "SELECT on table "+s.schema+".migration")
	}
	err = c.row(ctx, in(s.schema, `SELECT coalesce(max(version), 0) FROM $schema.migration`)).Scan(&version)
	if err == nil && version == 0 {
		err = s.edited("table migration is empty")
	}
	return version, err
}

// expected is the schema as catalog describes it. Additional columns and indexes do no
// harm, unless rows cannot be written without them.
var expected = []string{
	"table record: logged",
	"column record.key: text not null, collate C",
	"column record.version: bigint not null",
	"column record.generation: bigint not null",
	"column record.next_refresh: timestamp with time zone",
	"column record.lease_owner: text not null",
	"column record.lease_until: timestamp with time zone",
	"column record.attempt: bigint not null",
	"column record.intent_at: timestamp with time zone",
	"column record.condition: text not null",
	"column record.failures: bigint not null",
	"column record.reason: text not null",
	"column record.sealed: bytea not null",
	"column record.digest: bigint not null",
	"column record.receipt: bigint not null",
	"column record.due: timestamp with time zone",
	"index record_pkey: unique on record key",
	"index due: on record due, key COLLATE POSIX where due IS NOT NULL",
	"sequence version: bigint by 1, logged",
	"rights on schema: USAGE",
	"rights on record: DELETE, INSERT, SELECT, UPDATE",
	"rights on version: SELECT, USAGE",
}

// catalog describes the schema in lines. Versions of PostgreSQL differ in the
// parentheses, casts and spaces of expressions; see plain.
const catalog = `WITH t AS (
		SELECT c.oid, c.relname, c.relkind, CASE c.relpersistence WHEN 'p' THEN 'logged' ELSE 'unlogged' END AS kept
		FROM pg_class c WHERE c.relnamespace = $1::regnamespace
	)
	SELECT format('table %s: %s%s%s', relname, kept, CASE relkind WHEN 'r' THEN '' ELSE ', not an ordinary table' END,
			CASE WHEN row_security_active(oid) THEN ', row security hides rows from this user' ELSE '' END)
		FROM t WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relname = 'record'
	UNION ALL SELECT format('column %s.%s: %s%s%s%s', relname, attname, format_type(atttypid, atttypmod),
			CASE WHEN attnotnull THEN ' not null' ELSE '' END,
			CASE WHEN attcollation = (SELECT oid FROM pg_collation WHERE collname = 'C' AND collnamespace = 'pg_catalog'::regnamespace) THEN ', collate C' ELSE '' END,
			CASE WHEN attgenerated <> '' THEN ', always ' || pg_get_expr(adbin, adrelid) WHEN attnotnull AND NOT atthasdef AND attidentity = '' THEN '' ELSE CASE WHEN attnotnull THEN ', with a default' ELSE '' END END)
		FROM t JOIN pg_attribute ON attrelid = oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE relname = 'record' AND attnum > 0 AND NOT attisdropped
	UNION ALL SELECT format('index %s: %son record %s%s%s', x.relname, CASE WHEN indisunique THEN 'unique ' ELSE '' END,
			substring(pg_get_indexdef(indexrelid) FROM 'USING btree \((.*?)\)( INCLUDE| NULLS| WITH| TABLESPACE| WHERE|$)'),
			' where ' || pg_get_expr(indpred, indrelid),
			CASE WHEN indisvalid AND indisready THEN '' ELSE ', not valid' END)
		FROM t JOIN pg_index ON indrelid = t.oid JOIN t x ON x.oid = indexrelid WHERE t.relname = 'record'
	UNION ALL SELECT format('sequence %s: %s by %s%s%s, %s', relname, format_type(seqtypid, NULL), seqincrement,
			CASE WHEN seqcache > 1 THEN ', cached' ELSE '' END, CASE WHEN seqcycle THEN ', in a circle' ELSE '' END, kept)
		FROM t JOIN pg_sequence ON seqrelid = oid WHERE relname = 'version'
	UNION ALL SELECT 'rights on schema: ' || CASE WHEN has_schema_privilege($1, 'USAGE') THEN 'USAGE' ELSE 'none' END
	UNION ALL SELECT format('rights on %s: %s', relname, coalesce((SELECT string_agg(p, ', ' ORDER BY p)
			FROM unnest(CASE relkind WHEN 'S' THEN '{USAGE,SELECT}' ELSE '{SELECT,INSERT,UPDATE,DELETE}' END::text[]) p
			WHERE CASE relkind WHEN 'S' THEN has_sequence_privilege(oid, p) ELSE has_table_privilege(oid, p) END), 'none'))
		FROM t WHERE relname = 'record' AND relkind <> 'S' OR relname = 'version' AND relkind = 'S'`

// inspectSchema compares the schema with expected.
func (s *Store) inspectSchema(ctx context.Context, c session) error {
	rows, err := c.Query(ctx, catalog, c.mode, s.schema)
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for i, line := range found {
		found[i] = plain(line)
	}
	for _, want := range expected {
		if slices.Contains(found, want) {
			continue
		}
		subject, _, _ := strings.Cut(want, ":")
		is := "is missing"
		if i := slices.IndexFunc(found, func(line string) bool { return strings.HasPrefix(line, subject+":") }); i >= 0 {
			is = "is" + strings.TrimPrefix(found[i], subject+":") + ", not" + strings.TrimPrefix(want, subject+":")
		}
		if strings.HasPrefix(subject, "rights") {
			return s.lacking(ctx, c, strings.TrimPrefix(want, "rights on "))
		}
		return s.edited(subject + " " + is)
	}
	for _, line := range found {
		if strings.HasPrefix(line, "column") && strings.HasSuffix(line, " not null") && !slices.Contains(expected, line) {
			return s.edited(line + " was added, and rows cannot be written without it")
		}
	}
	return nil
}

// plain removes what differs between versions of PostgreSQL from a line.
func plain(line string) string {
	line = strings.NewReplacer("(", " ", ")", " ", `"`, "", "::text", "", "::timestamp with time zone", "").Replace(line)
	return strings.ReplaceAll(strings.Join(strings.Fields(line), " "), " ,", ",")
}

func (s *Store) edited(what string) error {
	return fault(s.place, venuekey.ClassDamaged, nil, "has a schema "+s.schema+" that was altered: "+what,
		"undo that change, or restore the schema from a backup; nothing was written")
}

func (s *Store) newer(version, known int) error {
	return fault(s.place, venuekey.ClassMisconfigured, nil,
		fmt.Sprintf("has schema %s of a newer venuekey (version %d; this one knows %d)", s.schema, version, known),
		"update this program")
}

// lacking names the role, because the address may leave it to the environment.
func (s *Store) lacking(ctx context.Context, c session, rights string) error {
	var role string
	if err := c.row(ctx, `SELECT current_user::text`).Scan(&role); err != nil {
		return err
	}
	return fault(s.place, venuekey.ClassMisconfigured, nil, "does not give "+role+" the privileges it needs: "+rights,
		"as the schema's owner, grant them, see the documentation of store/postgres")
}

// learnToWhisper reads the secret from which announcements are encrypted.
func (s *Store) learnToWhisper(ctx context.Context, c session) error {
	var secret []byte
	err := c.row(ctx, in(s.schema, `SELECT announcing FROM $schema.migration WHERE announcing IS NOT NULL ORDER BY version LIMIT 1`)).Scan(&secret)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && len(secret) < secretSize, codeOf(err) == "42703": // undefined_column
		return s.edited("table migration has lost the secret for announcements")
	case err == nil:
		s.whisper = whisperFrom(secret)
	}
	return err
}
