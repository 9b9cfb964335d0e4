package main

import (
	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// app_remove.go owns the command that deletes an app from the vault.

func (p *program) appRemoveCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "remove VENUE",
		Short: "Remove an app",
		Long: `Remove the app of a venue. Sign-ins stay and are valid until their tokens
expire, but they cannot be renewed without the app.`,
		Example:           `  venuekey app remove ctrader`,
		Args:              p.oneVenue,
		ValidArgsFunction: p.completeVenues,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				if err := v.Vault.DeleteApp(cmd.Context(), args[0]); err != nil {
					return noApp(err)
				}
				return p.say(map[string]string{"removed": args[0]}, "the app for %s is removed", args[0])
			})
		},
	}
}

// noApp replaces the remedy "app add", which is wrong for someone who removes an app.
func noApp(err error) error {
	if !local.NotRegistered(err) {
		return err
	}
	return &venuekey.Error{Class: venuekey.ClassFailed, Reason: err.Error(), Remedy: "venuekey app list", Err: err}
}
