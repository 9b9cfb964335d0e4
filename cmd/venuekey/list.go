package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// list.go owns the command list, which needs no key.

func (p *program) listCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		GroupID: groupSignIns,
		Short:   "List the sign-ins, one ID per line",
		Long: `List the IDs of all sign-ins, one per line. This needs no key, because it opens
no seal. "venuekey status" shows the status of each.`,
		Example: `  venuekey list
  venuekey list | xargs venuekey refresh`,
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withSealed(cmd.Context(), func(v *local.Vault) error {
				ids := []string{}
				for id, err := range v.Vault.IDs(cmd.Context()) {
					if errors.Is(err, venuekey.ErrNoSignIn) {
						p.tell("note: %v", err)
						continue
					}
					if err != nil {
						return err
					}
					ids = append(ids, id.String())
				}
				return p.printIDs(ids)
			})
		},
	}
}

func (p *program) printIDs(ids []string) error {
	if p.json {
		return p.writeJSON(ids)
	}
	if len(ids) == 0 && p.interactive() {
		p.tellNone()
	}
	for _, id := range ids {
		if _, err := fmt.Fprintln(p.stdout, id); err != nil {
			return err
		}
	}
	return nil
}

// completeIDs offers the sign-ins of the vault.
func (p *program) completeIDs(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	_ = p.withSealed(cmd.Context(), func(v *local.Vault) error {
		for id, err := range v.Vault.IDs(cmd.Context()) {
			if errors.Is(err, venuekey.ErrNoSignIn) {
				continue
			}
			if err != nil {
				return err
			}
			if strings.HasPrefix(id.String(), typed) {
				ids = append(ids, id.String())
			}
		}
		return nil
	})
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeNewIDs offers the sign-ins of the vault and, for new ones, the venues.
func (p *program) completeNewIDs(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	ids, directive := p.completeIDs(cmd, args, typed)
	if len(args) > 0 {
		return ids, directive
	}
	for _, name := range p.venueNames() {
		if strings.HasPrefix(name+"/", typed) {
			ids = append(ids, name+"/")
		}
	}
	return ids, directive | cobra.ShellCompDirectiveNoSpace
}

// completeVenues offers the venues.
func (p *program) completeVenues(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, name := range p.venueNames() {
		if len(args) == 0 && strings.HasPrefix(name, typed) {
			names = append(names, name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
