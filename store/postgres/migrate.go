package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/venuekey/venuekey"
)

// migrate.go owns how the schema is created and migrated.

// Migrate brings the schema at the address to the version that this program needs, or
// creates it, in one transaction. It returns the version before and after; they are equal
// if there was nothing to do. Programs that migrate or start at the same time wait for
// each other.
//
// Stop all programs of an older venuekey first: they cannot Open the schema afterwards,
// and those that have it open may fail.
func Migrate(ctx context.Context, dsn string) (from, to int, err error) {
	return migrate(ctx, dsn, migrations)
}

func migrate(ctx context.Context, dsn string, steps []string) (from, to int, err error) {
	s, err := dial(ctx, dsn)
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	return s.migrate(ctx, steps)
}

func (s *Store) migrate(ctx context.Context, steps []string) (from, to int, err error) {
	err = s.attempt(ctx, func(ctx context.Context, c session) error {
		if err := s.inspectServer(ctx, c); err != nil {
			return err
		}
		// What others committed while this waited for the lock must be seen.
		options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}
		return pgx.BeginTxFunc(ctx, c.Conn, options, func(tx pgx.Tx) (err error) {
			from, to, err = s.climb(ctx, session{tx.Conn(), c.mode, c.sql}, steps)
			return err
		})
	})
	if codeOf(err) == "42501" && from == 0 {
		err = fault(s.place, venuekey.ClassMisconfigured, nil, "does not let this user create the schema "+s.schema,
			fmt.Sprintf("as an administrator, run in that database: CREATE SCHEMA %s AUTHORIZATION the_user", s.schema))
	}
	return from, to, explain(ctx, s.place, err)
}

// climb takes the missing steps, inside a transaction.
func (s *Store) climb(ctx context.Context, c session, steps []string) (from, to int, err error) {
	// The lock ends with the transaction, even behind a pooler.
	if _, err := c.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, c.mode, "venuekey migrates "+s.schema); err != nil {
		return 0, 0, err
	}
	from, err = s.schemaVersion(ctx, c)
	switch {
	case errors.Is(err, errEmpty):
		err = s.found(ctx, c)
	case err == nil && from > len(steps):
		err = s.newer(from, len(steps))
	}
	for version := from; version < len(steps) && err == nil; version++ {
		if _, err = c.Exec(ctx, in(s.schema, steps[version]), pgx.QueryExecModeSimpleProtocol); err == nil {
			_, err = c.Exec(ctx, in(s.schema, `INSERT INTO $schema.migration (version) VALUES ($1)`), c.mode, version+1)
		}
	}
	return from, max(from, len(steps)), err
}

// found creates the schema, unless an administrator did, and the table of steps.
func (s *Store) found(ctx context.Context, c session) error {
	var there bool
	err := c.row(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, s.schema).Scan(&there)
	if err == nil && !there {
		_, err = c.Exec(ctx, in(s.schema, `CREATE SCHEMA $schema`), pgx.QueryExecModeSimpleProtocol)
	}
	if err == nil {
		_, err = c.Exec(ctx, in(s.schema, versionTable), pgx.QueryExecModeSimpleProtocol)
	}
	return err
}
