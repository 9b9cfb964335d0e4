package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// key.go owns the command key, and what its subcommands share.

func (p *program) keyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "key",
		GroupID: groupSetup,
		Short:   "Show, rotate, retire, export and import the keys of the vault",
		Long: `Everything in the vault is sealed with a key, which "venuekey init" or the first
command that saved something created. You can replace it while programs run:

  venuekey key rotate     creates a new key and seals everything with it
  venuekey key retire     destroys the old one, some time later

If several machines share a database, each needs the same key:

  venuekey key export     on a machine that has it, into one sealed file
  venuekey key import     on the others

A new key must be on all of them before anything is sealed with it: see
"venuekey key rotate --help".`,
		Example: "  venuekey key list\n  venuekey key rotate\n  venuekey key retire\n  venuekey key export keys.age",
		Args:    p.unknownCommand,
		RunE:    p.helpOrVersion,
	}
	cmd.AddCommand(p.keyListCmd(), p.keyRotateCmd(), p.keyRetireCmd(), p.keyExportCmd(), p.keyImportCmd())
	return cmd
}

// keyOrder returns the keys of this machine, the oldest first, and the one that seals: if
// machines share a vault, any of them may have begun to seal with a newer one.
func keyOrder(ctx context.Context, v *local.Vault) (all []string, current string, err error) {
	all, current, err = v.Place.Keys().IDs()
	if err != nil {
		return nil, "", v.Place.KeyError(err)
	}
	now, err := v.Vault.SealingKey(ctx)
	if err != nil {
		return nil, "", err
	}
	if slices.Index(all, now) > slices.Index(all, current) {
		current = now
	}
	return all, current, nil
}

// olderThan returns the keys before one.
func olderThan(all []string, id string) []string { return all[:max(0, slices.Index(all, id))] }

// withKeys is withVault for a vault that has a key.
func (p *program) withKeys(ctx context.Context, work func(v *local.Vault) error) error {
	return p.withVault(ctx, func(v *local.Vault) error {
		if v.Missing || v.Key.ID == "" {
			return &venuekey.Error{Op: "key", Class: venuekey.ClassMisconfigured, Reason: "there is no vault yet, and no key", Remedy: "venuekey init"}
		}
		return work(v)
	})
}
