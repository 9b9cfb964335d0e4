package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/oauth"
)

// app_list.go owns the list of apps, which shows no secrets.

func (p *program) appListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the apps, from the vault and from the environment",
		Long: `List the apps that a sign-in would use, and where each comes from. The list says
whether an app has a secret, and never shows it.`,
		Example: `  venuekey app list
  venuekey app list --json`,
		Args:              nothing,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withVault(cmd.Context(), func(v *local.Vault) error { return p.appList(cmd.Context(), v) })
		},
	}
}

func (p *program) appList(ctx context.Context, v *local.Vault) error {
	forms := []appJSON{}
	var unreadable error
	shown := table{heading: []string{"VENUE", "CLIENT ID", "REDIRECT URI", "SECRET", "FROM"}}
	for _, venue := range p.venues() {
		app, from, err := v.App(ctx, venue.Name())
		if local.NotRegistered(err) {
			continue
		}
		if err != nil {
			unreadable = errors.Join(unreadable, venuekey.About(venuekey.ID{Venue: venue.Name()}, "app", err))
			continue
		}
		form := appForm(venue, app, from)
		forms = append(forms, form)
		secret := cell{"set", green}
		switch {
		case form.Secret:
		case secretless(venue, app):
			secret = text("none")
		default:
			secret = cell{"missing", red}
		}
		shown.add(text(form.Venue), text(orDash(form.ClientID)), text(form.RedirectURI), secret, text(string(from)))
	}
	switch {
	case p.json:
		return errors.Join(unreadable, p.writeJSON(forms))
	case len(forms) > 0:
		shown.write(p.stdout, p.style())
	case unreadable == nil && p.interactive():
		p.tell("no app is registered; try: venuekey app add ctrader")
	}
	return unreadable
}

// appJSON is an app as a program reads it, without its secrets.
type appJSON struct {
	Venue       string            `json:"venue"`
	ClientID    string            `json:"client_id,omitempty"`
	Secret      bool              `json:"secret"`
	RedirectURI string            `json:"redirect_uri,omitempty"`
	Scopes      []string          `json:"scopes,omitempty"`
	Environment string            `json:"environment,omitempty"`
	URLs        map[string]string `json:"urls,omitempty"`
	CA          bool              `json:"ca,omitempty"`
	Pace        string            `json:"pace,omitempty"`
	Burst       int               `json:"burst,omitempty"`
	Values      map[string]string `json:"values,omitempty"`
	From        local.Origin      `json:"from"`
}

func appForm(venue venuekey.Venue, app venuekey.App, from local.Origin) appJSON {
	form := appJSON{
		Venue: app.Venue, ClientID: app.ClientID, Secret: app.ClientSecret != "", RedirectURI: app.RedirectURI,
		Scopes: app.Scopes, Environment: app.Environment, URLs: app.URLs, Burst: app.Burst, From: from,
	}
	if app.Pace > 0 {
		form.Pace = app.Pace.String()
	}
	for _, name := range slices.Sorted(maps.Keys(app.Params)) {
		if name == oauth.CAParam {
			form.CA = app.Params[name] != ""
			continue
		}
		field, known := fieldOf(venue, name)
		if known && !field.Secret {
			form.Values = with(form.Values, name, string(app.Params[name]))
			continue
		}
		form.Secret = form.Secret || app.Params[name] != ""
	}
	return form
}
