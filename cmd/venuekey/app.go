package main

import (
	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
)

// app.go owns what the commands about apps share. An app is a program's registration with
// a venue.

func (p *program) appCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "app",
		GroupID: groupSetup,
		Short:   "Manage the apps registered with venues: add, list, remove",
		Long: `To use a venue's API, you register an app with the venue: you get a client id
and a secret, and name the address that users are sent back to. Add your app
here, once for each venue. The vault keeps it sealed. The environment overrides
the vault: see "venuekey help environment".`,
		Example: `  venuekey app add ctrader --client-id 1234_abc
  venuekey app list`,
		Args: p.unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.appAddCmd(), p.appListCmd(), p.appRemoveCmd())
	return cmd
}

// check lets the venue check an app, offline.
func check(venue venuekey.Venue, app venuekey.App) error {
	registrar, ok := venue.(venuekey.Registrar)
	if !ok {
		return nil
	}
	return venuekey.About(venuekey.ID{Venue: venue.Name()}, "app", registrar.CheckApp(app))
}

// secretless reports whether a venue accepts this app without a secret.
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
