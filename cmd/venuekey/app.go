package main

import (
	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
)

// app.go owns what the commands about apps share. An app is our registration at
// a venue.

func (p *program) appCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "app",
		GroupID: groupSetup,
		Short:   "Keep the apps that the venues know: add, list, remove",
		Long: `A venue lets programs in by an app that somebody registered there: a client id,
a secret, and the address that it sends users back to. Keep yours here, once for
each venue. They lie sealed in the vault; the environment wins over it, see
"venuekey help environment".`,
		Example: `  venuekey app add ctrader --client-id 1234_abc
  venuekey app list`,
		Args: p.unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.appAddCmd(), p.appListCmd(), p.appRemoveCmd())
	return cmd
}

// check asks the venue, offline, what of an app will not work.
func check(venue venuekey.Venue, app venuekey.App) error {
	registrar, ok := venue.(venuekey.Registrar)
	if !ok {
		return nil
	}
	return venuekey.About(venuekey.ID{Venue: venue.Name()}, "app", registrar.CheckApp(app))
}

// secretless is whether a venue lets an app in without a secret.
func secretless(venue venuekey.Venue, app venuekey.App) bool {
	public, ok := venue.(venuekey.Secretless)
	return ok && public.Secretless(app)
}

func fieldOf(venue venuekey.Venue, name string) (venuekey.Field, bool) {
	for _, field := range environ.Form(venue).Fields {
		if field.Name == name {
			return field, true
		}
	}
	return venuekey.Field{}, false
}
