package main

import (
	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
)

// app_remove.go owns how an app leaves the vault.

func (p *program) appRemoveCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "remove VENUE",
		Short: "Forget an app",
		Long: `Forget the app of a venue. Sign-ins stay and are good for as long as their
tokens live, but cannot be renewed without the app.`,
		Example:           `  venuekey app remove ctrader`,
		Args:              oneVenue,
		ValidArgsFunction: completeVenues,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withVault(cmd.Context(), func(v *local.Vault) error {
				if err := v.Vault.DeleteApp(cmd.Context(), args[0]); err != nil {
					return noApp(err)
				}
				return p.say(map[string]string{"removed": args[0]}, "the app at %s is forgotten", args[0])
			})
		},
	}
}

// noApp is no invitation to add the app that somebody wants to be rid of.
func noApp(err error) error {
	if !local.NotRegistered(err) {
		return err
	}
	return &venuekey.Error{Class: venuekey.ClassFailed, Reason: err.Error(), Remedy: "venuekey app list", Err: err}
}
