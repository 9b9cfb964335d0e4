package local

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/oauth"
)

// app.go owns the app that a sign-in uses. The environment wins over the vault, so that a
// service can be configured without storing an app.

// DefaultRedirect is the redirect URI of an app that has none. Register it with the venue.
const DefaultRedirect = "http://localhost:8080/auth/callback"

// Origin says where the settings of an app come from.
type Origin string

const (
	FromVault       Origin = "vault"
	FromEnvironment Origin = "environment"
	FromBoth        Origin = "vault and environment"
)

// App returns the app registered with a venue, and where it comes from: the environment
// overrides the vault, and defaults fill the rest. If neither has an app, NotRegistered
// reports true for the error.
func (v *Vault) App(ctx context.Context, name string) (venuekey.App, Origin, error) {
	p := v.Place
	venue, err := p.Venue(name)
	if err != nil {
		return venuekey.App{}, "", &venuekey.Error{ID: venuekey.ID{Venue: name}, Class: venuekey.ClassMisconfigured, Reason: err.Error(), Remedy: "venuekey venue check " + name}
	}
	if venue == nil {
		return venuekey.App{}, "", &venuekey.Error{ID: venuekey.ID{Venue: name}, Class: venuekey.ClassMisconfigured, Reason: "unknown venue"}
	}
	app, err := v.StoredApp(ctx, name)
	stored := err == nil
	if err != nil && !NotRegistered(err) {
		return app, "", err
	}
	missing := err
	app.Venue = name
	registers, touched, err := p.overlay(ctx, &app, environ.Form(venue).Fields, environ.URLNames(p.beside(venue)))
	switch {
	case err != nil:
		return app, "", err
	case !stored && !registers:
		return app, "", missing
	}
	if err := errors.Join(environ.CheckURLs(app, p.beside(venue)), checkShown(app), checkEmulated(app)); err != nil {
		return app, "", err
	}
	if app.RedirectURI == "" {
		app.RedirectURI = DefaultRedirect
	}
	if len(p.config.Scopes) > 0 {
		app.Scopes = p.config.Scopes
	}
	switch {
	case !stored:
		return app, FromEnvironment, nil
	case touched:
		return app, FromBoth, nil
	}
	return app, FromVault, nil
}

// StoredApp returns the app that the vault holds and ignores the environment. NotRegistered
// reports true for the error if there is none.
func (v *Vault) StoredApp(ctx context.Context, name string) (venuekey.App, error) {
	app, err := v.Vault.App(ctx, name)
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Class != venuekey.ClassDamaged {
		return app, err
	}
	damaged := *known // about the venue, and not about a sign-in
	damaged.ID, damaged.Remedy = venuekey.ID{Venue: name}, "venuekey app remove "+name+", and add it again"
	return app, &damaged
}

// NotRegistered reports whether an error of App, StoredApp or a sign-in means that no app
// is registered with the venue.
func NotRegistered(err error) bool {
	return venuekey.ClassOf(err) == venuekey.ClassMisconfigured && errors.Is(err, venuekey.ErrNotFound)
}

// overlay applies the environment to an app, and then the defaults for what is still
// empty. registers means that the environment says which app it is, with a client ID, a
// secret or a field of the venue. touched means that it changed anything.
func (p *Place) overlay(ctx context.Context, app *venuekey.App, fields []venuekey.Field, urls []string) (registers, touched bool, err error) {
	said := func(what string, to *string) bool {
		value := p.env(environ.Variable(app.Venue, what))
		if value != "" {
			*to, touched = value, true
		}
		return value != ""
	}
	registers = said("CLIENT_ID", &app.ClientID)
	secret, err := p.Secret(ctx, environ.Variable(app.Venue, "CLIENT_SECRET"))
	if err != nil {
		return false, false, err
	}
	if secret != "" {
		app.ClientSecret, registers, touched = secret, true, true
	}
	// A private authority does not identify an app.
	if name := environ.Variable(app.Venue, "CA_FILE"); p.env(name) != "" {
		certificates, err := environ.ReadCA(ctx, p.env(name))
		if err != nil {
			return false, false, environ.FileError(name, err)
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
	for name, address := range p.envURLs(app.Venue, urls) {
		app.URLs, touched = with(app.URLs, name, address), true
	}
	for _, field := range fields {
		value, err := p.Secret(ctx, environ.Variable(app.Venue, field.Name))
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

// envPace applies the environment's limit on how fast an app may renew.
func (p *Place) envPace(app *venuekey.App) (said bool, err error) {
	wrong := func(name, want string) error {
		return &venuekey.Error{ID: venuekey.ID{Venue: app.Venue}, Op: "app", Class: venuekey.ClassMisconfigured, Reason: name + " is not a " + want, Remedy: "correct or unset it"}
	}
	if name := environ.Variable(app.Venue, "PACE"); p.env(name) != "" {
		if app.Pace, err = time.ParseDuration(p.env(name)); err != nil || app.Pace < 0 {
			return false, wrong(name, "time, as in 100ms")
		}
		said = true
	}
	if name := environ.Variable(app.Venue, "BURST"); p.env(name) != "" {
		if app.Burst, err = strconv.Atoi(p.env(name)); err != nil || app.Burst < 0 {
			return false, wrong(name, "number")
		}
		said = true
	}
	return said, nil
}

// envURLs returns the addresses in the environment, by name:
// VENUEKEY_TTP_BASE_URL is "base".
func (p *Place) envURLs(venue string, urls []string) map[string]string {
	found := map[string]string{}
	for _, name := range urls {
		if address := p.env(environ.Variable(venue, name+"_URL")); address != "" {
			found[name] = address
		}
	}
	return found
}

// with returns a copy of a map with one value set.
func with[V any](values map[string]V, name string, value V) map[string]V {
	copied := map[string]V{name: value}
	for key, old := range values {
		if key != name {
			copied[key] = old
		}
	}
	return copied
}

// words splits a text at spaces and commas.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
}
