package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/oauth"
)

// app_add.go owns the command that adds an app to the vault, or changes it.

// appFlags are the flags about an app. None of them is secret.
type appFlags struct {
	clientID, redirect, environment, base, ca string
	scopes                                    list
	urls, set                                 pairs
	secretStdin                               bool
	pace                                      time.Duration
	burst                                     int
}

func (p *program) appAddCmd() *cobra.Command {
	var flags appFlags
	cmd := &cobra.Command{
		Use:   "add VENUE",
		Short: "Add an app, or change it",
		Long: `Add the app that you registered with a venue. You are asked for what the flags
do not give. The secret is never a flag: you are asked for it, or it comes from
standard input (--secret-stdin), from VENUEKEY_<VENUE>_CLIENT_SECRET, or from
the file that …_CLIENT_SECRET_FILE names. If the app exists, only what you give
changes.

Venues compare the redirect URI byte for byte with the registered one. The
default is ` + local.DefaultRedirect + `.

Renewals keep to the venue's rate limit. If the venue allows your app more, or
less, give the minimum time between two renewals (--pace) and how many may
happen at once (--burst); 0 restores the venue's limit.

--base-url replaces the scheme, host and port of all the venue's addresses, and
is put before their paths. --ca names a file of certificates in PEM to trust for
this venue, besides the system's; --ca "" removes them.

Some venues have fields of their own (--set), listed below.`,
		Example: `  venuekey app add ctrader --client-id 1234_abc
  pass show ttp | venuekey app add ttp --client-id abc --secret-stdin
  venuekey app add ctrader --pace 100ms --burst 20
  venuekey app add tradovate --set cid=42 --environment demo`,
		Args:              p.oneVenue,
		ValidArgsFunction: p.completeVenues,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.appAdd(cmd, args[0], flags) },
	}
	cmd.Flags().StringVar(&flags.clientID, "client-id", "", "the client `ID` that the venue issued")
	cmd.Flags().StringVar(&flags.redirect, "redirect-uri", "", "the `URI` that the venue sends users back to")
	cmd.Flags().Var(&flags.scopes, "scope", "scopes to request; empty: the venue's default")
	cmd.Flags().StringVar(&flags.environment, "environment", "", "`live|demo`, if the venue has both")
	cmd.Flags().StringVar(&flags.base, "base-url", "", "reach the venue at this `URL`")
	cmd.Flags().StringVar(&flags.ca, "ca", "", "trust the certificates in this `FILE` too")
	cmd.Flags().Var(&flags.urls, "url", "replace one address, as in token=https://…")
	cmd.Flags().Var(&flags.set, "set", "a field of this venue; not for secrets")
	cmd.Flags().DurationVar(&flags.pace, "pace", 0, "minimum time between renewals, as in 100ms")
	cmd.Flags().IntVar(&flags.burst, "burst", 0, "how many renewals may happen at once")
	cmd.Flags().BoolVar(&flags.secretStdin, "secret-stdin", false, "read the secret from standard input")
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Long = strings.Replace(cmd.Long, "listed below.", "which are:\n\n"+fieldHelp(), 1)
		cmd.Parent().HelpFunc()(cmd, args)
	})
	return cmd
}

// fieldHelp lists the fields that only one venue has.
func fieldHelp() string {
	var lines []string
	for _, venue := range local.Venues() {
		for _, field := range environ.Form(venue).Fields {
			note := field.Help
			if field.Secret {
				note += " (secret: you are asked for it, or " + environ.Variable(venue.Name(), field.Name) + ")"
			}
			for i, part := range wrapped(venue.Name()+" "+field.Name+": "+note, 74) {
				if i > 0 {
					part = "    " + part
				}
				lines = append(lines, "  "+part)
			}
		}
	}
	return strings.Join(lines, "\n")
}

func (p *program) appAdd(cmd *cobra.Command, name string, flags appFlags) error {
	ctx := cmd.Context()
	venue, _ := p.venueOf(name)
	return p.withNewVault(ctx, func(v *local.Vault) error {
		app, err := v.StoredApp(ctx, name)
		if local.NotRegistered(err) {
			app, err = newApp(venue), nil
		}
		if err != nil {
			return err
		}
		if err := flags.put(cmd, venue, &app); err != nil {
			return err
		}
		if err := p.complete(ctx, venue, &app, flags, cmd.Flags().Changed("client-id")); err != nil {
			return err
		}
		if err := errors.Join(environ.CheckURLs(app, p.beside(venue)), check(venue, app)); err != nil {
			return err
		}
		if err := v.Vault.SaveApp(ctx, app); err != nil {
			return err
		}
		for _, what := range []string{"CLIENT_ID", "REDIRECT_URI", "BASE_URL"} {
			if p.env(environ.Variable(name, what)) != "" {
				p.tell("note: %s is set, and overrides the vault", environ.Variable(name, what))
			}
		}
		return p.say(appForm(venue, app, local.FromVault), "the app for %s is saved; its redirect uri is %s\nnext: venuekey login %s/NAME", name, app.RedirectURI, name)
	})
}

// newApp is an app with nothing but defaults.
func newApp(venue venuekey.Venue) venuekey.App {
	return venuekey.App{Venue: venue.Name(), RedirectURI: local.DefaultRedirect, Params: drawnDefaults(venue)}
}

// put applies the flags to an app.
func (f appFlags) put(cmd *cobra.Command, venue venuekey.Venue, app *venuekey.App) error {
	ctx, given := cmd.Context(), cmd.Flags().Changed
	if given("client-id") {
		app.ClientID = f.clientID
	}
	if given("redirect-uri") {
		app.RedirectURI = f.redirect
	}
	if given("scope") {
		app.Scopes = f.scopes
	}
	if given("environment") {
		app.Environment = f.environment
	}
	if given("base-url") {
		app.URLs = with(app.URLs, "base", f.base)
	}
	if given("ca") {
		certificates, err := environ.ReadCA(ctx, f.ca)
		if err != nil {
			return environ.FileError("--ca", err)
		}
		app.Params = with(app.Params, oauth.CAParam, certificates)
	}
	if f.pace < 0 || f.burst < 0 {
		return misused("--pace 100ms --burst 20", "app add: a pace or a burst cannot be negative")
	}
	if given("pace") {
		app.Pace = f.pace
	}
	if given("burst") {
		app.Burst = f.burst
	}
	for name, address := range f.urls {
		app.URLs = with(app.URLs, name, address)
	}
	for name, value := range f.set {
		field, ok := fieldOf(venue, name)
		switch {
		case !ok:
			return misused(fieldNames(venue), "app add: %s has no field %q", venue.Name(), name)
		case field.Secret:
			return misused(environ.Variable(venue.Name(), name)+", standard input, or a prompt", "app add: %s is a secret and cannot be an argument", name)
		}
		app.Params = with(app.Params, name, venuekey.Secret(value))
	}
	return nil
}

// complete finds what the flags do not give: in the environment, on standard input, or by
// asking.
func (p *program) complete(ctx context.Context, venue venuekey.Venue, app *venuekey.App, f appFlags, newID bool) error {
	ownSecret := slices.ContainsFunc(environ.Form(venue).Fields, func(field venuekey.Field) bool { return field.Secret })
	if app.ClientID == "" {
		app.ClientID, newID = p.env(environ.Variable(venue.Name(), "CLIENT_ID")), true
	}
	// A venue with secret fields may know the app by those.
	if app.ClientID == "" && !(ownSecret && (len(f.set) > 0 || f.secretStdin)) {
		id, err := p.ask(ctx, venuekey.Field{Name: "client id", Optional: ownSecret})
		if err != nil {
			return err
		}
		app.ClientID = string(id)
	}
	if app.ClientID == "" {
		return p.completeFields(ctx, venue, app, f)
	}
	if secretless(venue, *app) {
		if f.secretStdin {
			return misused("leave out --secret-stdin, or the --set that says so", "app add: this app has no secret")
		}
		app.ClientSecret = ""
		return nil
	}
	if app.ClientSecret != "" && !newID && !f.secretStdin {
		return nil
	}
	secret, err := p.value(ctx, f, environ.Variable(venue.Name(), "CLIENT_SECRET"), venuekey.Field{Name: "client secret", Secret: true})
	app.ClientSecret = secret
	return err
}

// completeFields asks for the venue's own fields, for an app without a client id.
func (p *program) completeFields(ctx context.Context, venue venuekey.Venue, app *venuekey.App, f appFlags) error {
	for _, field := range environ.Form(venue).Fields {
		// Without a client id the venue knows the app by its secret fields.
		field.Optional = field.Optional && !field.Secret
		known := app.Param(field.Name) != "" || field.Default != ""
		if known && !(field.Secret && f.secretStdin) || !field.Secret && !p.interactive() {
			continue
		}
		value, err := p.value(ctx, f, environ.Variable(venue.Name(), field.Name), field)
		if err != nil {
			return err
		}
		if value != "" {
			app.Params = with(app.Params, field.Name, value)
		}
	}
	return nil
}

// value finds one value: on standard input if --secret-stdin says so, or else in the
// environment, or else by asking.
func (p *program) value(ctx context.Context, f appFlags, name string, field venuekey.Field) (venuekey.Secret, error) {
	if !f.secretStdin || !field.Secret {
		if value, err := p.secret(ctx, name); err != nil || value != "" {
			return value, err
		}
	}
	return p.ask(ctx, field)
}

func fieldNames(venue venuekey.Venue) string {
	var names []string
	for _, field := range environ.Form(venue).Fields {
		if !field.Secret {
			names = append(names, field.Name)
		}
	}
	return "one of " + strings.Join(names, ", ")
}
