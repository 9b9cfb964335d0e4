package defined

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// login.go owns the four ways to sign in, and what is added to a token that arrived.

// Login implements venuekey.Venue.
func (v venue) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	switch v.d.Login {
	case definition.LoginCode:
		app, err := v.before(ctx, app)
		if err != nil {
			return venuekey.Token{}, err
		}
		client, app, err := v.client(app, v.d.Exchange, exchanging)
		if err != nil {
			return venuekey.Token{}, err
		}
		token, err := client.Login(ctx, app, ui)
		return v.finished(app, token, err)
	case definition.LoginPaste:
		return v.paste(ctx, app, ui)
	}
	given, err := v.ask(ctx, ui)
	if err != nil {
		return venuekey.Token{}, err
	}
	full := app
	full.Params = maps.Clone(app.Params)
	if full.Params == nil {
		full.Params = map[string]venuekey.Secret{}
	}
	maps.Copy(full.Params, given)
	client, full, err := v.client(full, v.d.Exchange, exchanging)
	if err != nil {
		return venuekey.Token{}, err
	}
	token, err := client.Grant(ctx, full, url.Values{})
	return v.finished(app, token, err)
}

// ask asks for what is entered at each sign-in.
func (v venue) ask(ctx context.Context, ui venuekey.UI) (map[string]venuekey.Secret, error) {
	var fields []venuekey.Field
	for _, ask := range v.d.Asked() {
		fields = append(fields, fieldOf(ask))
	}
	if len(fields) == 0 {
		return nil, nil
	}
	answers, err := ui.Ask(ctx, fields)
	if err != nil {
		return nil, err
	}
	given := map[string]venuekey.Secret{} // answers is the UI's, and may be nil
	maps.Copy(given, answers)
	for _, ask := range v.d.Asked() {
		value := cmp.Or(given[ask.Name], venuekey.Secret(ask.Default))
		if given[ask.Name] == "" && value != "" {
			given[ask.Name] = value
		}
		if value == "" && !ask.Optional || value != "" && !fits(ask.Pattern, value) {
			return nil, &venuekey.Error{Class: venuekey.ClassDeclined, Reason: "the " + ask.Name + " is missing, or not written as " + v.d.Name + " writes it",
				Remedy: "sign in again: " + foreign.Fit(ask.Help)}
		}
	}
	return given, nil
}

// paste signs in with a refresh token from the venue's own pages, by renewing it.
func (v venue) paste(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	given, err := v.ask(ctx, ui)
	if err != nil {
		return venuekey.Token{}, err
	}
	refresh := venuekey.Secret(strings.TrimSpace(string(given[v.d.Asked()[0].Name])))
	client, app, err := v.client(app, v.renewal(), renewing)
	if err != nil {
		return venuekey.Token{}, err
	}
	token, err := client.Refresh(ctx, app, refresh)
	if err == nil && token.Refresh == "" {
		token.Refresh = refresh
	}
	return v.finished(app, token, err)
}

// finished adds to a token what its answer did not say, and what calls of the API need to
// know of the app: Sign is not told which one it is.
func (v venue) finished(app venuekey.App, token venuekey.Token, err error) (venuekey.Token, error) {
	if err != nil {
		return token, err
	}
	extras := maps.Clone(token.Extras)
	if extras == nil {
		extras = map[string]venuekey.Secret{}
	}
	if user := token.Extra(userField); user != "" && len(v.d.Answer.User) > 0 {
		token.User = foreign.NameWithout(string(user), token.Access, token.Refresh)
	}
	base, based := extras[baseField]
	maps.DeleteFunc(extras, func(name string, _ venuekey.Secret) bool { return strings.HasPrefix(name, ownField) })
	if based && len(v.d.Answer.Base) > 0 {
		extras[baseField] = base
	}
	for name, value := range v.needed(app) {
		extras[ownField+name] = venuekey.Secret(quoted(string(value)))
	}
	if token.Extras = extras; len(extras) == 0 {
		token.Extras = nil
	}
	if v.d.Life.Never {
		token.Expires = token.Issued.Add(forever)
	}
	if v.d.Keepalive != nil {
		token = v.begun(token)
	}
	if at, ok := v.cutoff(token.Issued); ok && token.Access != "" && at.Before(token.Expires) {
		token.Expires = at
	}
	return token, nil
}

// needed returns what the templates of API calls need to know of the app.
func (v venue) needed(app venuekey.App) map[string]venuekey.Secret {
	needed, answers := map[string]venuekey.Secret{}, v.answers(app)
	for _, template := range v.d.API.Headers {
		for _, name := range template.Names() {
			if name == "client_id" {
				needed[name] = venuekey.Secret(app.ClientID)
			} else if strings.HasPrefix(name, "ask.") {
				needed[name] = answers[name]
			}
		}
	}
	return needed
}

// cutoff returns when a token ends that was issued at a time: at the next cut-off, by the
// wall clock of its zone. A time that daylight saving repeats is the first of the
// two, and one that it leaves out is taken as an earlier one: a token that is thought dead too
// soon costs less than one that is thought alive.
func (v venue) cutoff(issued time.Time) (at time.Time, ok bool) {
	c := v.d.Life.Cutoff
	if c == nil {
		return time.Time{}, false
	}
	zone, err := time.LoadLocation(c.Zone)
	clock, wrong := time.Parse("15:04", c.Time)
	if err != nil || wrong != nil {
		return time.Time{}, false // the definition's check does not let this happen
	}
	year, month, day := issued.In(zone).Date()
	for add := range 3 {
		at = time.Date(year, month, day+add, clock.Hour(), clock.Minute(), 0, 0, zone)
		if at.After(issued) {
			break
		}
	}
	return at, true
}
