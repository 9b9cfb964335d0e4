package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/environ"
	"github.com/venuekey/venuekey/local"
)

// login_app.go owns the app that a sign-in needs: it is looked for before anything
// is made on the disk, and asked for where somebody is there.

// appForLogin sees that the app of a venue is there and can work. A new one is what
// somebody at the terminal answered, yet to be kept; nil means that there is one.
func (p *program) appForLogin(ctx context.Context, id venuekey.ID) (answered *venuekey.App, err error) {
	venue, _ := venueOf(id.Venue)
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
	p.tell("no app is registered for %s yet. %s\nwith this redirect uri, and answer from what you are given (Ctrl-C gives up):\n\n  %s\n",
		id.Venue, registration(venue), cmp.Or(p.env(environ.Variable(id.Venue, "REDIRECT_URI")), local.DefaultRedirect))
	app := newApp(venue)
	err = p.complete(ctx, venue, &app, appFlags{}, false)
	if err == nil {
		err = errors.Join(environ.CheckURLs(app, local.Venues()), check(venue, app))
	}
	return &app, err
}

// ofLogin says that an error is about a sign-in, also where the venue's own check
// names the venue alone.
func ofLogin(id venuekey.ID, err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok {
		return err
	}
	told := *known
	if told.ID.Name == "" && told.Class != venuekey.ClassDamaged {
		told.ID = id
	}
	if told.Op == "" {
		told.Op = "sign in"
	}
	return &told
}

// missing says what somebody who is not signed in has to do: register the app too,
// where there is none.
func (p *program) missing(ctx context.Context, v *local.Vault, err error) error {
	known, ok := errors.AsType[*venuekey.Error](err)
	if !ok || known.Class != venuekey.ClassRefused || known.Remedy != "" || known.ID.Name == "" || !errors.Is(err, venuekey.ErrNotFound) {
		return err
	}
	venue, ok := venueOf(known.ID.Venue)
	if !ok {
		return err
	}
	if _, _, err := v.App(ctx, venue.Name()); !local.NotRegistered(err) {
		return known
	}
	told := *known
	told.Remedy = "venuekey app add " + known.ID.Venue + ", then: " + p.loginCommand(known.ID)
	return &told
}
