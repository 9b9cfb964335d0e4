package local

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/byname"
	"github.com/venuekey/venuekey/oauth"
)

// app.go owns the app that a sign-in uses: the environment wins over the vault, so
// that a service can be configured without one.

// DefaultRedirect is used if an app names no redirect URI.
const DefaultRedirect = "http://localhost:8080/auth/callback"

// Origin says where an app comes from.
type Origin string

const (
	FromVault       Origin = "vault"
	FromEnvironment Origin = "environment"
	FromBoth        Origin = "vault and environment"
)

// App gives the app of a venue: what the vault holds, with what the environment says
// put over it and the defaults below. If neither registers one, the error is one of
// NotRegistered.
func (v *Vault) App(ctx context.Context, name string) (venuekey.App, Origin, error) {
	p := v.Place
	venue, ok := p.venue(name)
	if !ok {
		return venuekey.App{}, "", &venuekey.Error{ID: venuekey.ID{Venue: name}, Class: venuekey.ClassMisconfigured, Reason: "unknown venue"}
	}
	app, err := v.StoredApp(ctx, name)
	stored := err == nil
	if err != nil && !NotRegistered(err) {
		return app, "", err
	}
	missing := err
	app.Venue = name
	registers, touched, err := p.overlay(ctx, &app, Form(venue).Fields)
	switch {
	case err != nil:
		return app, "", err
	case !stored && !registers:
		return app, "", missing
	}
	if err := errors.Join(CheckURLs(app, p.config.Venues), checkShown(app), checkEmulated(app)); err != nil {
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

// StoredApp gives the app that the vault holds, without the environment. An error about
// one that cannot be read is about the venue and not about a sign-in.
func (v *Vault) StoredApp(ctx context.Context, name string) (venuekey.App, error) {
	app, err := v.Vault.App(ctx, name)
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Class != venuekey.ClassDamaged {
		return app, err
	}
	told := *known
	told.ID, told.Remedy = venuekey.ID{Venue: name}, "venuekey app remove "+name+", and add it again"
	return app, &told
}

// NotRegistered reports whether an error says that the vault has no such app.
func NotRegistered(err error) bool {
	return venuekey.ClassOf(err) == venuekey.ClassMisconfigured && errors.Is(err, venuekey.ErrNotFound)
}

// overlay puts what the environment says over an app, and the defaults where
// nobody said anything. It registers the app when it says who the app is, by a
// client id, a secret or a value of the venue's own.
func (p *Place) overlay(ctx context.Context, app *venuekey.App, fields []venuekey.Field) (registers, touched bool, err error) {
	said := func(what string, to *string) bool {
		value := p.env(Variable(app.Venue, what))
		if value != "" {
			*to, touched = value, true
		}
		return value != ""
	}
	registers = said("CLIENT_ID", &app.ClientID)
	secret, err := p.Secret(ctx, Variable(app.Venue, "CLIENT_SECRET"))
	if err != nil {
		return false, false, err
	}
	if secret != "" {
		app.ClientSecret, registers, touched = secret, true, true
	}
	// Whom to trust says nothing of who the app is.
	if name := Variable(app.Venue, "CA_FILE"); p.env(name) != "" {
		certificates, err := ReadCA(ctx, p.env(name))
		if err != nil {
			return false, false, FileError(name, err)
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
		value, err := p.Secret(ctx, Variable(app.Venue, field.Name))
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
func (p *Place) envPace(app *venuekey.App) (said bool, err error) {
	wrong := func(name, want string) error {
		return &venuekey.Error{ID: venuekey.ID{Venue: app.Venue}, Op: "app", Class: venuekey.ClassMisconfigured, Reason: name + " is no " + want, Remedy: "correct or unset it"}
	}
	if name := Variable(app.Venue, "PACE"); p.env(name) != "" {
		if app.Pace, err = time.ParseDuration(p.env(name)); err != nil || app.Pace < 0 {
			return false, wrong(name, "time, as in 100ms")
		}
		said = true
	}
	if name := Variable(app.Venue, "BURST"); p.env(name) != "" {
		if app.Burst, err = strconv.Atoi(p.env(name)); err != nil || app.Burst < 0 {
			return false, wrong(name, "number")
		}
		said = true
	}
	return said, nil
}

// envURLs are the addresses that the environment gives, by their names:
// VENUEKEY_TTP_BASE_URL is "base".
func (p *Place) envURLs(venue string) map[string]string {
	found := map[string]string{}
	for _, name := range URLNames(p.config.Venues) {
		if address := p.env(Variable(venue, name+"_URL")); address != "" {
			found[name] = address
		}
	}
	return found
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

// ReadCA reads the certificates of a private authority, in PEM, from the file of that
// name; "" means none.
func ReadCA(ctx context.Context, path string) (venuekey.Secret, error) {
	if path == "" {
		return "", nil
	}
	certificates, _, err := byname.Read(ctx, path)
	if err != nil {
		return "", err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(certificates) {
		return "", fmt.Errorf("%s holds no certificate", path)
	}
	return venuekey.Secret(certificates), nil
}
