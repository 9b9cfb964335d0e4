package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// login_app.go owns the app that a sign-in needs: login looks for it before it creates
// anything on the disk, and asks for it at a terminal.

// appForLogin checks that the venue has an app that can work. If there is none, it asks
// for one at a terminal and returns it, not yet saved; nil means that there is one.
func (p *program) appForLogin(ctx context.Context, id venuekey.ID) (answered *venuekey.App, err error) {
	venue, _ := p.venueOf(id.Venue)
	err = p.withVault(ctx, func(v *local.Vault) error {
		app, _, err := v.App(ctx, venue.Name())
		if registrar, ok := venue.(venuekey.Registrar); ok && err == nil {
			err = registrar.CheckApp(app)
		}
		return ofLogin(id, err)
	})
	if !local.NotRegistered(err) || !p.interactive() {
		return nil, err
	}
	p.tell("no app is registered for %s yet. %s\nwith this redirect uri, then enter what the venue gives you (Ctrl-C gives up):\n\n  %s\n",
		id.Venue, registration(venue), cmp.Or(p.env(environ.Variable(id.Venue, "REDIRECT_URI")), local.DefaultRedirect))
	app := newApp(venue)
	err = p.complete(ctx, venue, &app, appFlags{}, false)
	if err == nil {
		err = errors.Join(environ.CheckURLs(app, p.beside(venue)), check(venue, app))
	}
	return &app, err
}

// ofLogin makes an error one about a sign-in, even if the venue's check names only the
// venue.
func ofLogin(id venuekey.ID, err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		return err
	}
	failed := *known
	if failed.ID.Name == "" && failed.Class != venuekey.ClassDamaged {
		failed.ID = id
	}
	if failed.Op == "" {
		failed.Op = "sign in"
	}
	return &failed
}

// missing adds to the error of a user who is not signed in that the app must be registered
// first, if there is none.
func (p *program) missing(ctx context.Context, v *local.Vault, err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Class != venuekey.ClassRefused || known.Remedy != "" || known.ID.Name == "" || !errors.Is(err, venuekey.ErrNotFound) {
		return err
	}
	venue, ok := p.venueOf(known.ID.Venue)
	if !ok {
		return err
	}
	if _, _, err := v.App(ctx, venue.Name()); !local.NotRegistered(err) {
		return known
	}
	unregistered := *known
	unregistered.Remedy = "venuekey app add " + known.ID.Venue + ", then: " + p.loginCommand(known.ID)
	return &unregistered
}

// missingFrom is missing for what a vault said; an agent says itself what helps.
func (p *program) missingFrom(ctx context.Context, from signIns, err error) error {
	if vault, ok := from.(vaultSignIns); ok {
		return p.missing(ctx, vault.v, err)
	}
	return err
}
