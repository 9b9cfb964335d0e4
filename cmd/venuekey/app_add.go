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

// app_add.go owns how an app gets into the vault.

// appFlags is what the command line may say of an app: nothing secret.
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
		Short: "Keep an app, or change what is kept of it",
		Long: `Keep the app that is registered at a venue. What the flags leave open is asked
for. The secret is never a flag: it is asked for, or comes from standard input
(--secret-stdin) or from VENUEKEY_<VENUE>_CLIENT_SECRET, or the file that
…_CLIENT_SECRET_FILE names. For an app that is kept already, only what is given
changes.

Venues compare the redirect URI byte for byte with the registered one. The
default is ` + local.DefaultRedirect + `.

Renewals are paced as the venue allows it. Where it allows your app more, or
less, give the least time between two renewals (--pace) and how many may come at
once (--burst); 0 goes back to the venue's.

--base-url replaces scheme, host and port of all the venue's addresses, and puts
its path before theirs. --ca names certificates in PEM that requests to the
venue trust beside the system's; --ca "" forgets them.

Some venues have values of their own (--set), which help lists below.`,
		Example: `  venuekey app add ctrader --client-id 1234_abc
  pass show ttp | venuekey app add ttp --client-id abc --secret-stdin
  venuekey app add ctrader --pace 100ms --burst 20
  venuekey app add tradovate --set cid=42 --environment demo`,
		Args:              oneVenue,
		ValidArgsFunction: completeVenues,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.appAdd(cmd, args[0], flags) },
	}
	cmd.Flags().StringVar(&flags.clientID, "client-id", "", "the client `ID` that the venue issued")
	cmd.Flags().StringVar(&flags.redirect, "redirect-uri", "", "the `URI` that the venue sends users back to")
	cmd.Flags().Var(&flags.scopes, "scope", "the scopes to ask for; empty for the venue's default")
	cmd.Flags().StringVar(&flags.environment, "environment", "", "this `WORLD` of the venue: live or demo")
	cmd.Flags().StringVar(&flags.base, "base-url", "", "the venue is reached at this `URL`")
	cmd.Flags().StringVar(&flags.ca, "ca", "", "trust the certificates in this `FILE` as well")
	cmd.Flags().Var(&flags.urls, "url", "another address of the venue, as in token=https://…")
	cmd.Flags().Var(&flags.set, "set", "a value of the venue's own; not for secrets")
	cmd.Flags().DurationVar(&flags.pace, "pace", 0, "the least time between two renewals, as in 100ms")
	cmd.Flags().IntVar(&flags.burst, "burst", 0, "how many renewals may come at once")
	cmd.Flags().BoolVar(&flags.secretStdin, "secret-stdin", false, "read the secret from standard input")
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Long = strings.Replace(cmd.Long, "which help lists below.", "which are:\n\n"+fieldHelp(), 1)
		cmd.Parent().HelpFunc()(cmd, args)
	})
	return cmd
}

// fieldHelp lists the values of the venues' own.
func fieldHelp() string {
	var lines []string
	for _, venue := range local.Venues() {
		for _, field := range environ.Form(venue).Fields {
			note := field.Help
			if field.Secret {
				note += " (secret: asked for, or " + environ.Variable(venue.Name(), field.Name) + ")"
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
	venue, _ := venueOf(name)
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
		if err := errors.Join(environ.CheckURLs(app, local.Venues()), check(venue, app)); err != nil {
			return err
		}
		if err := v.Vault.SaveApp(ctx, app); err != nil {
			return err
		}
		for _, what := range []string{"CLIENT_ID", "REDIRECT_URI", "BASE_URL"} {
			if p.env(environ.Variable(name, what)) != "" {
				p.tell("note: %s is set, and wins over what is kept", environ.Variable(name, what))
			}
		}
		return p.say(appForm(venue, app, local.FromVault), "the app at %s is saved; the redirect uri is %s\nnext: venuekey login %s/NAME", name, app.RedirectURI, name)
	})
}

// newApp is an app that nothing is known of yet.
func newApp(venue venuekey.Venue) venuekey.App {
	return venuekey.App{Venue: venue.Name(), RedirectURI: local.DefaultRedirect, Params: drawnDefaults(venue)}
}

// put takes over what the command line says.
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
			return misused(fieldNames(venue), "app add: %s has no value %q", venue.Name(), name)
		case field.Secret:
			return misused(environ.Variable(venue.Name(), name)+", standard input, or a prompt", "app add: %s is a secret and no argument", name)
		}
		app.Params = with(app.Params, name, venuekey.Secret(value))
	}
	return nil
}

// complete finds what the command line left open: in the environment, on
// standard input, or by asking.
func (p *program) complete(ctx context.Context, venue venuekey.Venue, app *venuekey.App, f appFlags, newID bool) error {
	ownSecret := slices.ContainsFunc(environ.Form(venue).Fields, func(field venuekey.Field) bool { return field.Secret })
	if app.ClientID == "" {
		app.ClientID, newID = p.env(environ.Variable(venue.Name(), "CLIENT_ID")), true
	}
	// A venue with secrets of its own may know the app by those.
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

// completeFields asks for the values of a venue's own, for an app without a
// client id.
func (p *program) completeFields(ctx context.Context, venue venuekey.Venue, app *venuekey.App, f appFlags) error {
	for _, field := range environ.Form(venue).Fields {
		// Without a client id the venue knows the app by its own secrets.
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

// value finds one value: on standard input if that is where the secret is said
// to be, else in the environment, else by asking.
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
