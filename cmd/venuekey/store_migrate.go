package main

import (
	"github.com/spf13/cobra"
)

// store_migrate.go owns the migration of a database's tables to this version's schema.
// Files have needed none so far.

// migrated is the result of a migration: the schema's version before and after.
type migrated struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func (p *program) storeMigrateCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Update the tables of a database for this version",
		Long: `Create the tables in a database that has none, or update older ones to what this
version of venuekey needs. Either all of it happens or nothing. It is safe to
run it twice, or on two machines at once. Programs with an older venuekey cannot
use the vault afterwards: end them first.

A vault in a file needs no migration.`,
		Example: "  venuekey store migrate --store postgres://venuekey@db.example.com/trading",
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, err := p.place()
			if err != nil {
				return err
			}
			if !place.Address().IsDatabase() {
				return p.say(migrated{1, 1}, "the vault is the file %s, which needs no migration", place.Address().String())
			}
			var done migrated
			if done.From, done.To, err = place.Address().Migrate(cmd.Context()); err != nil {
				return err
			}
			shown := place.Address().String()
			switch done.From {
			case done.To:
				return p.say(done, "%s is at version %d; there was nothing to do", shown, done.To)
			case 0:
				return p.say(done, "%s now has tables, version %d", shown, done.To)
			}
			return p.say(done, "%s was migrated from version %d to %d", shown, done.From, done.To)
		},
	}
}
