package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/oauth"
)

// env.go owns what the environment says of apps: it wins over the vault, so
// that a service can be configured without one.

const (
	// variables of this command begin so.
	envPrefix = "VENUEKEY_"
	// defaultRedirect is used where an app names none.
	defaultRedirect = "http://localhost:8080/auth/callback"
)

// variable names what the environment says of a venue, as in
// VENUEKEY_CTRADER_CLIENT_ID.
func variable(venue, what string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(venue+"_"+what, "-", "_"))
}

// origin says where an app comes from.
type origin string

const (
	fromVault       origin = "vault"
	fromEnvironment origin = "environment"
	fromBoth        origin = "vault and environment"
)

// resolve gives the app of a venue: what the vault holds, with what the
// environment says put over it and the defaults below.
func (p *program) resolve(ctx context.Context, vault *venuekey.Vault, venue venuekey.Venue) (venuekey.App, origin, error) {
	app, err := storedApp(ctx, vault, venue.Name())
	stored := err == nil
	if err != nil && !notRegistered(err) {
		return app, "", err
	}
	missing := err
	app.Venue = venue.Name()
	registers, touched, err := p.overlay(ctx, &app, fieldsOf(venue))
	switch {
	case err != nil:
		return app, "", err
	case !stored && !registers:
		return app, "", missing
	}
	if err := errors.Join(checkURLs(app), checkShown(app), checkEmulated(app)); err != nil {
		return app, "", err
	}
	if app.RedirectURI == "" {
		app.RedirectURI = defaultRedirect
	}
	if len(p.scopes) > 0 {
		app.Scopes = p.scopes
	}
	switch {
	case !stored:
		return app, fromEnvironment, nil
	case touched:
		return app, fromBoth, nil
	}
	return app, fromVault, nil
}

// storedApp gives the app that the vault holds. One that cannot be read is
// about the venue and not about a sign-in.
func storedApp(ctx context.Context, vault *venuekey.Vault, name string) (venuekey.App, error) {
	app, err := vault.App(ctx, name)
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Class != venuekey.ClassDamaged {
		return app, err
	}
	told := *known
	told.ID, told.Remedy = venuekey.ID{Venue: name}, "venuekey app remove "+name+", and add it again"
	return app, &told
}

// notRegistered is whether an error says that the vault has no such app.
func notRegistered(err error) bool {
	return venuekey.ClassOf(err) == venuekey.ClassMisconfigured && errors.Is(err, venuekey.ErrNotFound)
}

// overlay puts what the environment says over an app, and the defaults where
// nobody said anything. It registers the app when it says who the app is, by a
// client id, a secret or a value of the venue's own.
func (p *program) overlay(ctx context.Context, app *venuekey.App, fields []venuekey.Field) (registers, touched bool, err error) {
	said := func(what string, to *string) bool {
		value := p.env(variable(app.Venue, what))
		if value != "" {
			*to, touched = value, true
		}
		return value != ""
	}
	registers = said("CLIENT_ID", &app.ClientID)
	secret, err := p.envSecret(ctx, variable(app.Venue, "CLIENT_SECRET"))
	if err != nil {
		return false, false, err
	}
	if secret != "" {
		app.ClientSecret, registers, touched = secret, true, true
	}
	// Whom to trust says nothing of who the app is.
	if name := variable(app.Venue, "CA_FILE"); p.env(name) != "" {
		certificates, err := readCA(ctx, p.env(name))
		if err != nil {
			return false, false, wrongFile(name, err)
		}
		app.Params = with(app.Params, oauth.CAParam, certificates)
	}
	said("REDIRECT_URI", &app.RedirectURI)
	said("ENVIRONMENT", &app.Environment)
	var scope string
	if said("SCOPE", &scope) {
		app.Scopes = words(scope)
	}
	paced, err := p.envPace(app)
	if err != nil {
		return false, false, err
	}
	touched = touched || paced
	for name, address := range p.envURLs(app.Venue) {
		app.URLs, touched = with(app.URLs, name, address), true
	}
	for _, field := range fields {
		value, err := p.envSecret(ctx, variable(app.Venue, field.Name))
		if err != nil {
			return false, false, err
		}
		if value != "" {
			registers, touched = true, true
		} else if value = app.Param(field.Name); value == "" {
			value = venuekey.Secret(field.Default)
		}
		if value != "" {
			app.Params = with(app.Params, field.Name, value)
		}
	}
	return registers, touched, nil
}

// envPace puts over an app how fast the environment says that it may renew.
func (p *program) envPace(app *venuekey.App) (said bool, err error) {
	wrong := func(name, want string) error {
		return &venuekey.Error{ID: venuekey.ID{Venue: app.Venue}, Op: "app", Class: venuekey.ClassMisconfigured, Reason: name + " is no " + want, Remedy: "correct or unset it"}
	}
	if name := variable(app.Venue, "PACE"); p.env(name) != "" {
		if app.Pace, err = time.ParseDuration(p.env(name)); err != nil || app.Pace < 0 {
			return false, wrong(name, "time, as in 100ms")
		}
		said = true
	}
	if name := variable(app.Venue, "BURST"); p.env(name) != "" {
		if app.Burst, err = strconv.Atoi(p.env(name)); err != nil || app.Burst < 0 {
			return false, wrong(name, "number")
		}
		said = true
	}
	return said, nil
}

// envURLs are the addresses that the environment gives, by their names:
// VENUEKEY_TTP_BASE_URL is "base".
func (p *program) envURLs(venue string) map[string]string {
	found := map[string]string{}
	for _, name := range urlNames() {
		if address := p.env(variable(venue, name+"_URL")); address != "" {
			found[name] = address
		}
	}
	return found
}

// unknownVariables are those that look like ours and are not: typing errors,
// most often.
func (p *program) unknownVariables() []string {
	var unknown []string
	for _, entry := range p.environ {
		key, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(key, envPrefix) && !slices.Contains(knownVariables(), key) {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// knownVariables lists every variable that this command reads or sets.
func knownVariables() []string {
	known := []string{
		"VENUEKEY_HOME", "VENUEKEY_KEY", "VENUEKEY_PASSPHRASE", "VENUEKEY_PASSPHRASE_FILE", "VENUEKEY_STORE",
		"VENUEKEY_BACKUP_PASSPHRASE", "VENUEKEY_BACKUP_PASSPHRASE_FILE",
		"VENUEKEY_EVENT", "VENUEKEY_STATE", "VENUEKEY_REASON", "VENUEKEY_LEFT", "VENUEKEY_ENDS", "VENUEKEY_HELP", // for a hook
		variable("ctrader", "LIVE_ADDRESS"), variable("ctrader", "DEMO_ADDRESS"),
		"VENUEKEY_ID", "VENUEKEY_ACCESS_TOKEN", "VENUEKEY_TOKEN_TYPE", "VENUEKEY_EXPIRES", "VENUEKEY_EXPIRES_UNIX",
	}
	for _, venue := range venues() {
		for _, what := range []string{"CLIENT_ID", "CLIENT_SECRET", "CLIENT_SECRET_FILE", "REDIRECT_URI", "SCOPE", "ENVIRONMENT", "CA_FILE", "PACE", "BURST", "NAME", "PASSWORD", "PASSWORD_FILE"} {
			known = append(known, variable(venue.Name(), what))
		}
		for _, name := range urlNames() {
			known = append(known, variable(venue.Name(), name+"_URL"))
		}
		for _, field := range fieldsOf(venue) {
			known = append(known, variable(venue.Name(), field.Name), variable(venue.Name(), field.Name+"_FILE"))
		}
	}
	return known
}

// with sets one value in a copy of a map.
func with[V any](values map[string]V, name string, value V) map[string]V {
	copied := map[string]V{name: value}
	for key, old := range values {
		if key != name {
			copied[key] = old
		}
	}
	return copied
}

// words splits what may be separated by spaces or commas.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
}
