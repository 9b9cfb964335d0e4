package main

import (
	"context"
	"errors"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/venue/tradovate"
)

// doctor_tradovate.go owns what doctor and login say about Tradovate alone: the device, and
// how many sign-ins one address can keep.

// tradovate notes the device that sign-ins come from, and how many sign-ins fit.
func (d *doctor) tradovate(ctx context.Context, v *local.Vault, venue venuekey.Venue, app venuekey.App) {
	what := "app tradovate"
	if device := tradovate.Device(app); device != "" {
		d.note(what, "its device id is %s; live orders need Tradovate's approval of it, by mail", device)
	}
	most := tradovate.Capacity(venue.Policy())
	signIns, err := signInsAt(ctx, v, venue.Name())
	switch {
	case err != nil:
		d.bad(what, err)
	case signIns > most:
		d.warn(what, crowdedRemedy, "%s", crowded(signIns, most))
	default:
		d.note(what, "%d of about %d sign-ins that one internet address can keep: %d renewals an hour, of which %d are kept for repeated attempts; for OAuth refresh tokens no quota is published",
			signIns, most, tradovate.RenewalQuota, tradovate.RenewalReserve)
	}
}

// signInsAt counts the sign-ins at a venue.
func signInsAt(ctx context.Context, v *local.Vault, venue string) (n int, err error) {
	for id, err := range v.Vault.IDs(ctx) {
		if err != nil && !errors.Is(err, venuekey.ErrNoSignIn) {
			return n, err
		}
		if id.Venue == venue {
			n++
		}
	}
	return n, nil
}

const crowdedRemedy = "renew some of them from another address, or sign them in with OAuth, for whose refresh tokens no quota is published"

// crowded says that one address cannot keep so many sign-ins.
func crowded(signIns, most int) string {
	return number(int64(signIns)) + " sign-ins at Tradovate are more than the about " + number(int64(most)) +
		" that one internet address can keep: it may renew " + number(tradovate.RenewalQuota) + " times an hour, so tokens may expire"
}

// tellOfCapacity warns about a sign-in that is one more than an address can keep.
func (p *program) tellOfCapacity(ctx context.Context, v *local.Vault, id venuekey.ID) {
	venue, known := p.venueOf(id.Venue)
	if !known || id.Venue != "tradovate" {
		return
	}
	if _, err := v.Keeper.Status(ctx, id); err == nil {
		return // it replaces one
	}
	signIns, err := signInsAt(ctx, v, id.Venue)
	if most := tradovate.Capacity(venue.Policy()); err == nil && signIns+1 > most {
		p.tell("%s; %s", crowded(signIns+1, most), crowdedRemedy)
	}
}
