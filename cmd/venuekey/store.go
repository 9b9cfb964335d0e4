package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// store.go owns the commands about the vault as a store: checking its records, and copying
// it.

func (p *program) storeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "store",
		GroupID: groupSetup,
		Short:   "Check, copy or migrate the vault",
		Long: `Maintain the vault: a file or, if several machines share one, a PostgreSQL
database, which --store or VENUEKEY_STORE names as in

  postgres://venuekey@db.example.com/trading
  "host=/run/postgresql dbname=trading"

The password belongs in VENUEKEY_STORE, PGPASSWORD or ~/.pgpass, never in the
arguments. The key is not in the vault. Every machine that shares the vault or
opens a copy needs the same key: see "venuekey key export" and "venuekey key
import".`,
		Example: "  venuekey store check\n  venuekey store copy postgres://venuekey@db.example.com/trading\n  venuekey store migrate --store postgres://venuekey@db.example.com/trading",
		Args:    p.unknownCommand,
		RunE:    p.helpOrVersion,
	}
	cmd.AddCommand(p.storeCheckCmd(), p.storeCopyCmd(), p.storeMigrateCmd())
	return cmd
}

func (p *program) storeCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "check",
		Short:   "Read every record of the vault and open its seal",
		Long:    "Read every record of the vault and open its seal. Nothing is changed. The exit\ncode is 1 if a record does not open.",
		Example: "  venuekey store check",
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withVault(cmd.Context(), func(v *local.Vault) error { return p.checkStore(cmd.Context(), v) })
		},
	}
}

// checked is the result of a check.
type checked struct {
	Tokens    int      `json:"tokens"`
	Apps      int      `json:"apps"`
	Consumers int      `json:"consumers"`
	Damaged   []string `json:"damaged"`
}

func (p *program) checkStore(ctx context.Context, v *local.Vault) error {
	found, err := v.Vault.Check(ctx)
	if err != nil {
		return err
	}
	form := checked{found.SignIns, found.Apps, found.Consumers, append([]string{}, found.Damaged...)}
	good := several(found.SignIns, "sign-in") + " and " + several(found.Apps, "app")
	if found.Consumers > 0 {
		good = several(found.SignIns, "sign-in") + ", " + several(found.Apps, "app") + " and " + several(found.Consumers, "consumer")
	}
	if err := p.say(form, "%s; %d records do not open", good, len(found.Damaged)); err != nil {
		return err
	}
	for _, key := range found.Damaged {
		p.tell("record %s does not open", key)
	}
	if len(found.Damaged) > 0 {
		return codeOnly(exitFailed)
	}
	return nil
}

func (p *program) storeCopyCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "copy STORE",
		Short: "Copy the vault to another file or database",
		Long: `Copy every record of the vault to another file or database, sealed as it is. You
can interrupt it and run it again: it skips what is there already, and keeps a
newer token at the destination.

End the programs that use the vault first. Never use two vaults with the same
refresh tokens at the same time: the first renewal in one of them makes the
tokens in the other useless.`,
		Example: "  venuekey store copy /backup/vault.db\n  venuekey store copy postgres://venuekey@db.example.com/trading",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused(usageOf(cmd), "copy takes one address: a file, postgres://…, or host=… dbname=…")
			}
			_, err := addressOf(args[0])
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSealed(cmd.Context(), func(v *local.Vault) error { return p.copyStore(cmd.Context(), v.Vault, args[0]) })
		},
	}
}

// copied is the result of a copy.
type copied struct {
	Copied int `json:"copied"`
	Same   int `json:"same"`
	Newer  int `json:"newer"`
}

func (p *program) copyStore(ctx context.Context, from *venuekey.Vault, argument string) (err error) {
	address, err := addressOf(argument)
	if err != nil {
		return err
	}
	to, err := address.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	defer p.progress("")
	done, err := from.Copy(ctx, to, func(done venuekey.Copied) {
		p.progress("%d of %d records", done.Copied+done.Same+done.Newer, done.Total)
	})
	if err != nil {
		return err
	}
	p.progress("")
	return p.say(copied{done.Copied, done.Same, done.Newer}, "%d records copied to %s; %d were there already, %d are newer there", done.Copied, address.String(), done.Same, done.Newer)
}
