package main

import (
	"github.com/spf13/cobra"
)

// store_migrate.go owns bringing the tables of a database to what this version
// needs. Files need nothing of the kind so far.

// migrated is what a migration did: the versions of the schema before and after.
type migrated struct {
	From int `json:"from"`
	To   int `json:"to"`
}

func (p *program) storeMigrateCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the tables of a database to what this version needs",
		Long: `Make the tables in a database that has none, or bring older ones to what this
version of venuekey needs. All of it happens or nothing; to run it twice, or on
two machines at once, does no harm. Programs of an older venuekey cannot use the
vault afterwards: end them first.

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
				return p.say(done, "%s is at version %d, there was nothing to do", shown, done.To)
			case 0:
				return p.say(done, "%s has tables now, of version %d", shown, done.To)
			}
			return p.say(done, "%s went from version %d to %d", shown, done.From, done.To)
		},
	}
}
